"""Settings of what stands in PAI's registry of models."""

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from components.settings import Settings

# PAI's own form: 0.1.0, 1.2.3-gpu.
VersionName = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+\.\d[\w-]*$", max_length=63)]


class ModelVersionSettings(Settings):
    """What is told of one version. `paistack train` and `paistack models register` write it."""

    content: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")] = Field(
        description="The version by its content; its files lie in models/MODEL/CONTENT/ of the stack's bucket."
    )
    approved: bool = Field(default=False, description="Whether it may be served; `paistack models promote` sets it.")
    metrics: dict[str, float] = Field(default_factory=dict, description="Such as accuracy, recall and f1, from 0 to 1.")
    labels: dict[str, str] = Field(
        default_factory=dict, description="What it was made from, such as dataset-version and commit."
    )


class RegisteredModelSettings(Settings):
    """A model in the registry of a workspace of PAI, with its versions."""

    workspace_id: Annotated[str, StringConstraints(pattern=r"^[0-9]+$")] = Field(description="It must exist.")
    versions: dict[VersionName, ModelVersionSettings] = Field(
        default_factory=dict, description="By PAI's names of them: 0.1.0, 0.2.0."
    )


def version_inputs(settings: ModelVersionSettings, mark: dict[str, str]) -> dict[str, Any]:
    """Of alicloud's WorkspaceModelVersion, but for where it is; by the labels `mark` the stack knows its own again."""
    labels = {"paistack-version": settings.content, **settings.labels, **mark}
    return {
        "version_description": f"content {settings.content}",
        "format_type": "TorchScript",
        "framework_type": "Pytorch",
        "source_type": "Custom",
        "approval_status": "Approved" if settings.approved else "Pending",
        "metrics": {name: f"{value:.6g}" for name, value in settings.metrics.items()},
        "labels": [{"key": key, "value": value} for key, value in labels.items()],
    }
