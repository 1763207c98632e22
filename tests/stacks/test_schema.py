"""The schema that an editor uses."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from stacks.config import STACKS
from stacks.schema import SCHEMA_FILE, schema_text, stack_schema

LOCAL = STACKS / "Pulumi.local.yaml"


def test_the_schema_is_up_to_date() -> None:
    assert SCHEMA_FILE.read_text() == schema_text(), "run `paistack schema --write`"


@pytest.mark.parametrize("path", sorted(STACKS.glob("Pulumi.*.yaml")), ids=lambda path: path.stem)
def test_every_stack_file_fits_the_schema_and_names_it(path: Path) -> None:
    jsonschema.validate(yaml.safe_load(path.read_text()), stack_schema())

    assert path.read_text().startswith("# yaml-language-server: $schema=schema.json\n")


@pytest.mark.parametrize(
    "change",
    [
        {"paistack:servces": {}},
        {"paistack:target": {"region": "cn-hangzhou"}},
        {"paistack:services": {"fashion": {"replica": 1}}},
        {"paistack:services": {"Not A Name": {}}},
    ],
)
def test_the_schema_refuses_what_the_program_refuses(change: dict[str, Any]) -> None:
    document = yaml.safe_load(LOCAL.read_text())
    document["config"] |= change

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, stack_schema())


def test_what_pulumi_writes_into_the_file_fits() -> None:
    document = yaml.safe_load(LOCAL.read_text()) | {"encryptionsalt": "v1:abc"}
    document["config"]["alicloud:profile"] = "default"

    jsonschema.validate(document, stack_schema())
