"""The JSON schema of a stack file, with which an editor completes and checks it: stacks/schema.json."""

import json
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema
from typing_extensions import override

from stacks.config import STACKS, StackConfig
from stacks.problems import NAMESPACE

SCHEMA_FILE: Path = STACKS / "schema.json"


class _NamesChecked(GenerateJsonSchema):
    """Where the names in a mapping have a pattern, others are refused, as the program does."""

    @override
    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        mapping = super().dict_schema(schema)
        return mapping | {"additionalProperties": False} if "patternProperties" in mapping else mapping


def stack_schema() -> dict[str, Any]:
    """The schema of stacks/Pulumi.<stack>.yaml as a whole; other namespaces' settings are let through unchecked."""
    schema = StackConfig.model_json_schema(schema_generator=_NamesChecked)
    settings = {f"{NAMESPACE}:{name}": field for name, field in schema["properties"].items()}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Settings of a Paistack stack",
        "description": "Written by `paistack schema --write` from stacks/config.py.",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": settings,
                "patternProperties": {f"^(?!{NAMESPACE}:)": True},
                "required": [f"{NAMESPACE}:{name}" for name in schema["required"]],
                "additionalProperties": False,
            },
            # What Pulumi itself writes into the file.
            "encryptionsalt": {"type": "string"},
            "encryptedkey": {"type": "string"},
            "secretsprovider": {"type": "string"},
            "environment": True,
        },
        "required": ["config"],
        "additionalProperties": False,
        "$defs": schema["$defs"],
    }


def schema_text() -> str:
    """What the file holds."""
    return json.dumps(stack_schema(), indent=2) + "\n"
