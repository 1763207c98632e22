"""What all parts of the service JSON share."""

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints


class Section(BaseModel):
    """A JSON object of the service JSON: known keys only, and no conversions (`"2"` is not an integer)."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


# A NUL byte cannot be passed to a process, in an argument or in its environment.
Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=64 * 1024)]


def _is_quantity(value: int | str) -> int | str:
    if isinstance(value, str) and not re.fullmatch(r"(100|[1-9]?[0-9])%", value):
        raise ValueError('a number, or a percentage such as "20%", is needed')
    if isinstance(value, int) and value < 0:
        raise ValueError("a number below zero is not allowed")
    return value


# A number of instances, or a share of all of them (`"20%"`).
Quantity = Annotated[int | str, AfterValidator(_is_quantity)]
