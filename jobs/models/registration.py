"""A model version comes into PAI's registry: as a setting of the stack, which `pulumi up` carries out."""

import subprocess
from pathlib import Path

from cloud.aiworkspace import aiworkspace_client
from engine.environment import ROOT
from jobs.console import say
from jobs.models import artefact
from jobs.models.registry import COMMIT, DATASET, DATASET_SHA256, Registry, Version
from jobs.models.stack_file import NewVersion, add_version
from jobs.problem import JobError
from jobs.stacks import OpenStack
from jobs.update import run as pulumi


def registry_of(stack: OpenStack, workspace_id: str) -> Registry:
    """The models of a workspace."""
    return Registry(aiworkspace_client(stack.target, stack.credentials()), workspace_id)


def register(stack: OpenStack, model: str, workspace_id: str, folder: Path, made_by: str | None) -> Version:
    """Register the version in the folder, whose files lie in the stack's bucket; `made_by` is the commit of its code.

    What is registered already stays as it is. Raises JobError.
    """
    name = add_version(stack.pulumi.settings, model, workspace_id, new_version(folder, made_by))
    stack.pulumi.read_settings()
    say(f"Registering {model} {name}: pulumi up --stack {stack.pulumi.name}")
    if status := pulumi("up", stack, ["--skip-preview"]):
        raise JobError(
            f"`pulumi up` ended with status {status}; {name} stands under models.{model}.versions of "
            f"{stack.pulumi.settings.name}, and the next `paistack up` will register it"
        )
    return next(each for each in registry_of(stack, workspace_id).versions(model) if each.name == name)


def new_version(folder: Path, made_by: str | None) -> NewVersion:
    """What is registered of the version in the folder. Raises JobError."""
    manifest, metrics = artefact.read(folder)
    labels = {DATASET: manifest.data.version, DATASET_SHA256: manifest.data.fingerprint[:12], COMMIT: made_by}
    return NewVersion(
        content=manifest.version,
        metrics={name: round(getattr(metrics, name), 6) for name in ("accuracy", "recall", "f1")},
        labels={key: value for key, value in labels.items() if value},
    )


def commit() -> str | None:
    """Of this checkout, marked where it has changes; None outside of one."""
    asked = ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    found = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603
    return found.stdout.strip() or None
