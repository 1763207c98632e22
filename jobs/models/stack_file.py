"""What `paistack train` and `paistack models` write into a stack's file; all else in it stays, comments too."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from engine.environment import ROOT
from jobs.problem import JobError
from stacks.problems import NAMESPACE

_MODELS = f"{NAMESPACE}:models"


@dataclass(frozen=True)
class NewVersion:
    """What is told of a version when it is registered: `metrics` from 0 to 1, and what it was made from as `labels`."""

    content: str
    metrics: dict[str, float]
    labels: dict[str, str]


def set_artefact(file: Path, service: str, folder: Path) -> tuple[str, str]:
    """Put the folder into services.SERVICE.model.artefact; what stood there, and what does now. Raises JobError."""
    new = str(folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder)
    with _edited(file) as config:
        model = config.get(f"{NAMESPACE}:services", {}).get(service, {}).get("model", {})
        if not isinstance(model.get("artefact"), str):
            raise JobError(f"{file}: there is no {NAMESPACE}:services.{service}.model.artefact to set")
        before = str(model["artefact"])
        model["artefact"] = new
    return before, new


def add_version(file: Path, model: str, workspace_id: str, version: NewVersion) -> str:
    """Put a version under models.MODEL where its content is not there yet; its name."""
    with _edited(file) as config:
        registered = config.setdefault(_MODELS, CommentedMap()).setdefault(model, CommentedMap())
        registered.setdefault("workspace_id", _quoted(workspace_id))
        versions = registered.setdefault("versions", CommentedMap())
        for name, each in versions.items():
            if each["content"] == version.content:
                return str(name)
        name = next_name([str(name) for name in versions])
        versions[_quoted(name)] = _quoted(asdict(version))
    return name


def approve(file: Path, model: str, name: str) -> bool:
    """Mark a version under models.MODEL as one that may be served; False when it does not stand there."""
    with _edited(file) as config:
        version = config.get(_MODELS, {}).get(model, {}).get("versions", {}).get(name)
        if version is None:
            return False
        version["approved"] = True
    return True


def next_name(names: list[str]) -> str:
    """0.1.0 first, then that of the highest version with its middle number one higher, as PAI counts."""
    numbers = [tuple(int(part) for part in name.split(".")[:2]) for name in names]
    major, minor = max(numbers, default=(0, 0))
    return f"{major}.{minor + 1}.0"


@contextmanager
def _edited(file: Path) -> Iterator[Any]:
    """The mapping under `config` of the file, which is written when it has changed."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1 << 16
    yaml.indent(mapping=2, sequence=4, offset=2)
    before = file.read_text()
    document = yaml.load(before)
    yield document["config"]
    written = io.StringIO()
    yaml.dump(document, written)
    if written.getvalue() != before:
        scratch = file.with_suffix(".new")
        scratch.write_text(written.getvalue())
        scratch.replace(file)


def _quoted(value: Any) -> Any:
    """With quotes around each text, since a commit may look like a number."""
    if isinstance(value, str):
        return DoubleQuotedScalarString(value)
    if isinstance(value, dict):
        return CommentedMap({key: _quoted(each) for key, each in value.items()})
    return value
