"""One stack for all tests of the console, which change nothing."""

from collections.abc import Iterator

import pytest

from tests.jobs.webconsole.stack import served, watched


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a console."""
    with watched(tmp_path_factory.mktemp("console")) as (_, stack), served(stack) as address:
        yield address
