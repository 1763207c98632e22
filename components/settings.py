"""The base of every component's settings, and the types that several of them use."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr, WithJsonSchema

# A key of the stack file that names things in the cloud (services, roles) in lower case, short enough for all.
NAME_PATTERN = r"^[a-z][a-z0-9-]{0,23}$"


class Settings(BaseModel):
    """What a person decides, in stacks/Pulumi.<stack>.yaml: frozen, without unknown keys, without calls."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)


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
