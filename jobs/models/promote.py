"""`paistack models promote`: the version that a service runs, as a setting of the stack's file."""

from pathlib import Path

import yaml

from engine.environment import ROOT
from jobs.problem import JobError
from stacks.problems import NAMESPACE


def set_artefact(file: Path, service: str, folder: Path) -> tuple[str, str]:
    """Put the folder into services.SERVICE.model.artefact of a stack's file; what stood there, and what does now.

    All else in the file stays as it is, comments too. Raises JobError when the setting is not there.
    """
    text = file.read_text()
    path = ["config", f"{NAMESPACE}:services", service, "model", "artefact"]
    node = yaml.compose(text)
    for key in path:
        node = _value(node, key)
        if node is None:
            raise JobError(f"{file}: there is no {NAMESPACE}:services.{service}.model.artefact to set")
    if not isinstance(node, yaml.ScalarNode):
        raise JobError(f"{file}: {NAMESPACE}:services.{service}.model.artefact is no plain text")
    new = str(folder.relative_to(ROOT) if folder.is_relative_to(ROOT) else folder)
    file.write_text(f"{text[: node.start_mark.index]}{new}{text[node.end_mark.index :]}")
    return str(node.value), new


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)
