"""The plugin's schema: generated from the upstream provider, compared with the Python SDK (`make engine-schema`)."""

import ast
import importlib.util
import json
import re
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.environment import ROOT
from engine.setup.build import FLAGS, trim_upstream
from engine.setup.console import Console, Stage, told
from engine.setup.go import Go
from engine.setup.project import Project, SetupError, write_atomically

PROVIDER = ROOT / "engine" / "provider"
SCHEMA = PROVIDER / "schema.json"
TABLE = PROVIDER / "table" / "resources.txt"

# Declared by pulumi_alicloud 4.0.0, not yet by the newest upstream provider that is published as a Go module.
ONLY_IN_SDK = {
    "alicloud:ecs/securityGroupRule:SecurityGroupRule inputs: sourceGroupOwnerId",
    "alicloud:ecs/securityGroupRule:SecurityGroupRule outputs: sourceGroupOwnerId",
}


def generate(project: Project, go: Go, stage: Stage) -> str:
    """Return the schema that the table and the pinned upstream give, as JSON text. Raises SetupError."""
    project.data.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="schema-", dir=project.data) as work:
        modfile = trim_upstream(PROVIDER, go, stage, Path(work) / "source")
        written = Path(work) / "schema.json"
        go.run(stage, PROVIDER, "run", *FLAGS, "-modfile", str(modfile), "./schemagen", str(written))
        return written.read_text()


@dataclass(frozen=True)
class SdkResource:
    """What a class of pulumi_alicloud declares, under the schema's camelCase names."""

    token: str
    inputs: frozenset[str]
    outputs: frozenset[str]
    required: frozenset[str]

    @classmethod
    def read(cls, sdk: Path, module: str, name: str) -> "SdkResource":
        """Read the class from the SDK's source: importing the whole SDK takes seconds."""
        text = (sdk / module / f"{_snake(name)}.py").read_text()
        classes = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
        arguments = classes.get(f"{name}InitArgs") or classes[f"{name}Args"]
        token = re.search(rf"super\({name}, __self__\).__init__\(\s*'([^']+)'", text)
        if token is None:
            raise SetupError(f"pulumi_alicloud.{module}.{name} registers no type")
        return cls(
            token[1],
            frozenset(_getters(arguments)),
            frozenset(_getters(classes[name])),
            frozenset(_required(arguments)),
        )


def differences(schema: dict[str, Any], table: list[tuple[str, str, str]], sdk: Path) -> set[str]:
    """Compare the table's resources in the schema and in the SDK; return a line for each difference."""
    found = {f"{token} is not in the table" for token in schema["resources"]}
    for _, module, name in table:
        theirs = SdkResource.read(sdk, module, name)
        ours = schema["resources"].get(theirs.token)
        if ours is None:
            found.add(f"{theirs.token} is not in the schema")
            continue
        found.discard(f"{theirs.token} is not in the table")
        for kind, in_sdk, in_schema in (
            ("inputs", theirs.inputs, set(ours["inputProperties"])),
            ("outputs", theirs.outputs, set(ours["properties"])),
            ("required inputs", theirs.required, {_snake(name) for name in ours.get("requiredInputs", ())}),
        ):
            found.update(f"{theirs.token} {kind}: {name}" for name in in_sdk ^ in_schema)
    return found


def read_table() -> list[tuple[str, str, str]]:
    """Return the table's lines: Terraform name, module, class."""
    lines = (line.split() for line in TABLE.read_text().splitlines() if line and not line.startswith("#"))
    return [(terraform, module, name) for terraform, module, name in lines]


def installed_sdk() -> Path:
    """Return the folder of the installed pulumi_alicloud. Raises SetupError."""
    found = importlib.util.find_spec("pulumi_alicloud")
    if found is None or found.origin is None:
        raise SetupError("pulumi_alicloud is not installed; run `make setup`")
    return Path(found.origin).parent


def check_sdk(text: str) -> str:
    """Raise SetupError where a schema differs from the installed SDK in a way that nobody has looked at."""
    new = differences(json.loads(text), read_table(), installed_sdk()) - ONLY_IN_SDK
    if new:
        raise SetupError(f"the schema and pulumi_alicloud differ: {'; '.join(sorted(new))}")
    return "the schema and pulumi_alicloud agree"


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", name).lower()


def _getters(node: ast.ClassDef) -> Iterator[str]:
    """Yield the names behind `@pulumi.getter` and `@pulumi.getter(name="camelCase")`."""
    for method in (n for n in node.body if isinstance(n, ast.FunctionDef)):
        for decorator in method.decorator_list:
            if isinstance(decorator, ast.Attribute) and decorator.attr == "getter":
                yield method.name
            elif isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Attribute):
                yield from (ast.literal_eval(k.value) for k in decorator.keywords if k.arg == "name")


def _required(node: ast.ClassDef) -> Iterator[str]:
    constructor = next(n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__")
    for argument, default in zip(constructor.args.kwonlyargs, constructor.args.kw_defaults, strict=True):
        if default is None:
            yield argument.arg


def main() -> int:
    """Write schema.json anew."""
    project = Project.at(ROOT)
    log = project.data / "schema.log"

    def write(stage: Stage) -> str:
        text = generate(project, Go.find(PROVIDER), stage)
        agreement = check_sdk(text)
        write_atomically(SCHEMA, text)
        return f"{len(read_table())} resources written; {agreement}"

    return told("make engine-schema", log, lambda: Console(log).run("schema", write))


if __name__ == "__main__":
    sys.exit(main())
