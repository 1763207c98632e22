"""Versions of a model: where its files are, how it was made and measured."""

import json
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.aiworkspace.models import MODEL
from emulator.services.aiworkspace.records import Record, new_record
from emulator.services.aiworkspace.service import Label, LabelKeys, Options, Page, Uri, aiworkspace
from emulator.services.aiworkspace.state import WorkspaceState

VERSIONS = f"{MODEL}/versions"
VERSION = f"{VERSIONS}/{{version_name}}"


def _at_most_8_kib(value: dict[str, Any]) -> dict[str, Any]:
    if len(json.dumps(value).encode()) > 8192:
        raise ValueError("has more than 8192 bytes as JSON")
    return value


class VersionAttributes(Parameters):
    approval: Literal["Pending", "Approved", "Rejected"] | None = Field(None, alias="ApprovalStatus")
    description: str | None = Field(None, alias="VersionDescription")
    extra_info: dict[str, Any] | None = Field(None, alias="ExtraInfo")
    inference_spec: dict[str, Any] | None = Field(None, alias="InferenceSpec")
    training_spec: dict[str, Any] | None = Field(None, alias="TrainingSpec")
    metrics: Annotated[dict[str, Any], AfterValidator(_at_most_8_kib)] | None = Field(None, alias="Metrics")
    options: Options | None = Field(None, alias="Options")
    source_id: str | None = Field(None, alias="SourceId")
    source_type: Literal["Custom", "PAIFlow", "TrainingService"] | None = Field(None, alias="SourceType")


class CreateModelVersion(VersionAttributes):
    name: str | None = Field(None, alias="VersionName", pattern=r"^\d+\.\d+\.\d[\w-]*$", max_length=63)
    uri: Uri = Field(alias="Uri")
    format: (
        Literal[
            "OfflineModel", "SavedModel", "Keras H5", "Frozen Pb", "Caffe Prototxt", "TorchScript", "XGBoost", "PMML",
            "AlinkModel", "ONNX",
        ]
        | None
    ) = Field(None, alias="FormatType")  # fmt: skip
    framework: Literal["Pytorch", "XGBoost", "Keras", "Caffe", "Alink", "Xflow", "TensorFlow"] | None = Field(
        None, alias="FrameworkType"
    )
    labels: list[Label] = Field([], alias="Labels")


class ListModelVersions(Page):
    name: str | None = Field(None, alias="VersionName")
    approval: str | None = Field(None, alias="ApprovalStatus")


class Labels(Parameters):
    labels: list[Label] = Field(alias="Labels", min_length=1)


@aiworkspace.operation("CreateModelVersion", "POST", VERSIONS)
def create_model_version(state: WorkspaceState, call: Call, model_id: str, body: CreateModelVersion) -> Answer:
    model = state.model(model_id)
    name = body.name or _next_name(state.model_versions.values(f"{model.id}/"))
    if state.model_versions.get(f"{model.id}/{name}"):
        raise ApiError("EntityAlreadyExists", f"VersionName is in use for this model: {name}.", 409)
    version = new_record(
        name,
        call,
        body,
        labels=body.labels,
        defaults={"SourceType": "Custom", "ApprovalStatus": "Pending"},
        but=["name"],
    )
    _put(state, model.id, version)
    return {"VersionName": version.id}


@aiworkspace.operation("GetModelVersion", "GET", VERSION)
def get_model_version(state: WorkspaceState, call: Call, model_id: str, version_name: str) -> Answer:
    version = state.model_version(model_id, version_name)
    return version.answer(VersionName=version.id, UserId=version.user_id, OwnerId=call.account_id)


@aiworkspace.operation("ListModelVersions", "GET", VERSIONS)
def list_model_versions(state: WorkspaceState, model_id: str, query: ListModelVersions) -> Answer:
    """The oldest first."""
    every = state.model_versions.values(f"{state.model(model_id).id}/")
    found = [
        version
        for version in sorted(every, key=lambda version: version.created)
        if query.name in (None, version.id) and query.approval in (None, version.fields["ApprovalStatus"])
    ]
    listed = [version.answer(VersionName=version.id) for version in query.cut(found)]
    return {"Versions": listed, "TotalCount": len(found)}


@aiworkspace.operation("UpdateModelVersion", "PUT", VERSION)
def update_model_version(
    state: WorkspaceState, call: Call, model_id: str, version_name: str, body: VersionAttributes
) -> Answer:
    version = state.model_version(model_id, version_name)
    version.change(body, call.now)
    _put(state, model_id, version)
    return {}


@aiworkspace.operation("DeleteModelVersion", "DELETE", VERSION)
def delete_model_version(state: WorkspaceState, model_id: str, version_name: str) -> Answer:
    version = state.model_version(model_id, version_name)
    state.model_versions.delete(f"{model_id}/{version.id}")
    return {}


@aiworkspace.operation("CreateModelVersionLabels", "POST", f"{VERSION}/labels")
def create_model_version_labels(
    state: WorkspaceState, call: Call, model_id: str, version_name: str, body: Labels
) -> Answer:
    version = state.model_version(model_id, version_name)
    version.add_labels(body.labels, call.now)
    _put(state, model_id, version)
    return {}


@aiworkspace.operation("DeleteModelVersionLabels", "DELETE", f"{VERSION}/labels")
def delete_model_version_labels(
    state: WorkspaceState, call: Call, model_id: str, version_name: str, query: LabelKeys
) -> Answer:
    version = state.model_version(model_id, version_name)
    version.remove_labels(query.keys.split(","), call.now)
    _put(state, model_id, version)
    return {}


def _put(state: WorkspaceState, model_id: str, version: Record) -> None:
    state.model_versions.put(f"{model_id}/{version.id}", version)


def _next_name(versions: list[Record]) -> str:
    """0.1.0 first, then the highest version with its middle number one higher."""
    numbers = [tuple(int(part) for part in re.findall(r"\d+", version.id)[:2]) for version in versions]
    major, minor = max(numbers, default=(0, 0))
    return f"{major}.{minor + 1}.0"
