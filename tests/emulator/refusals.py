"""How a test says that a call through the SDK is refused."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from darabonba.exceptions import DaraException


@contextmanager
def refused(code: str, status: int = 400, message: str | None = None) -> Iterator[None]:
    """The call within must be refused with this code and status, and a message that matches `message`."""
    with pytest.raises(DaraException, match=message) as caught:
        yield
    assert (caught.value.code, getattr(caught.value, "status_code", None)) == (code, status)
