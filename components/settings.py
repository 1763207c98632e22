"""The base of every component's settings, and the types that several of them use."""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Any, NamedTuple

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

# A key of the stack file that names things in the cloud (services, roles) in lower case, short enough for all.
NAME_PATTERN = r"^[a-z][a-z0-9-]{0,23}$"

CountOrPercent = Annotated[int, Field(ge=0)] | Annotated[str, StringConstraints(pattern=r"^(100|[1-9]?[0-9])%$")]


class Settings(BaseModel):
    """What a person decides, in stacks/Pulumi.<stack>.yaml: frozen, without unknown keys, without calls."""

    # Built when it is first validated, as a part of what it stands in: every run of Pulumi imports all of them.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True, defer_build=True)


class Problem(NamedTuple):
    """What is wrong with the setting at `path`, from the model that is being checked downwards."""

    path: tuple[int | str, ...]
    message: str


def refuse(model: type[Settings], problems: Iterable[Problem]) -> None:
    """Raises pydantic's ValidationError with every problem at its own place, for validators that look at several
    settings together; does nothing when there is no problem."""
    errors = [
        InitErrorDetails(type=PydanticCustomError("value_error", "{error}", {"error": message}), loc=path, input=None)
        for path, message in problems
    ]
    if errors:
        raise ValidationError.from_exception_data(model.__name__, errors)


def short_name(name: str, stack: str, longest: int) -> str:
    """NAME_STACK, the same in every run; the end of one that is too long becomes its hash."""
    whole = f"{name}_{stack}".replace("-", "_")
    if len(whole) <= longest:
        return whole
    return f"{whole[: longest - 9]}_{hashlib.sha256(whole.encode()).hexdigest()[:8]}"


def _encrypted_or_clear(value: Any) -> Any:
    """The stack file holds `{secure: CIPHERTEXT}`; Pulumi hands the program the clear text in its place."""
    match value:
        case {"secure": str(ciphertext), **rest} if not rest:
            return ciphertext
        case _:
            return value


# Written by `pulumi config set --secret --path`, and kept secret from there to the state.
Secret = Annotated[
    SecretStr,
    BeforeValidator(_encrypted_or_clear),
    WithJsonSchema(
        {
            "type": "object",
            "properties": {"secure": {"type": "string"}},
            "required": ["secure"],
            "additionalProperties": False,
        }
    ),
]
