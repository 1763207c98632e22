"""Registered models."""

from typing import Any

from pydantic import Field

from emulator.operations import Answer, Call, Parameters
from emulator.services.aiworkspace.records import Record, new_record
from emulator.services.aiworkspace.service import Accessibility, InWorkspace, Label, LabelKeys, aiworkspace
from emulator.services.aiworkspace.state import DEFAULT_WORKSPACE, WorkspaceState, check_unused, in_workspace, new_id

MODELS = "/api/v1/models"
MODEL = f"{MODELS}/{{model_id}}"


class ModelAttributes(Parameters):
    accessibility: Accessibility | None = Field(None, alias="Accessibility")
    description: str | None = Field(None, alias="ModelDescription")
    documentation: str | None = Field(None, alias="ModelDoc")
    type: str | None = Field(None, alias="ModelType")
    domain: str | None = Field(None, alias="Domain")
    task: str | None = Field(None, alias="Task")
    origin: str | None = Field(None, alias="Origin")
    order_number: int | None = Field(None, alias="OrderNumber")
    parameter_size: int | None = Field(None, alias="ParameterSize", ge=0)
    extra_info: dict[str, Any] | None = Field(None, alias="ExtraInfo")


class CreateModel(ModelAttributes):
    name: str = Field(alias="ModelName", min_length=1, max_length=127)
    workspace_id: str = Field(DEFAULT_WORKSPACE, alias="WorkspaceId")
    labels: list[Label] = Field([], alias="Labels")


class UpdateModel(ModelAttributes):
    model_id: str | None = Field(None, alias="ModelId")
    name: str | None = Field(None, alias="ModelName", min_length=1, max_length=127)


class ListModels(InWorkspace):
    name: str | None = Field(None, alias="ModelName")


class CreateModelLabels(Parameters):
    model_id: str | None = Field(None, alias="ModelId")
    labels: list[Label] = Field(alias="Labels", min_length=1)


@aiworkspace.operation("CreateModel", "POST", MODELS)
def create_model(state: WorkspaceState, call: Call, body: CreateModel) -> Answer:
    workspace = state.workspace(body.workspace_id)
    check_unused(in_workspace(state.models, workspace.id), "ModelName", body.name)
    model = new_record(
        new_id("model"),
        call,
        body,
        workspace_id=workspace.id,
        labels=body.labels,
        defaults={"Accessibility": "PRIVATE"},
        but=["workspace_id"],
    )
    state.models.put(model.id, model)
    return {"ModelId": model.id}


@aiworkspace.operation("GetModel", "GET", MODEL)
def get_model(state: WorkspaceState, call: Call, model_id: str) -> Answer:
    return _answer(state, call, state.model(model_id))


@aiworkspace.operation("ListModels", "GET", MODELS)
def list_models(state: WorkspaceState, call: Call, query: ListModels) -> Answer:
    every = in_workspace(state.models, query.workspace_id)
    found = [model for model in every if (query.name or "") in model.fields["ModelName"]]
    return {"Models": [_answer(state, call, model) for model in query.cut(found)], "TotalCount": len(found)}


@aiworkspace.operation("UpdateModel", "PUT", MODEL)
def update_model(state: WorkspaceState, call: Call, model_id: str, body: UpdateModel) -> Answer:
    model = state.model(model_id)
    others = [each for each in in_workspace(state.models, model.workspace_id) if each.id != model.id]
    check_unused(others, "ModelName", body.name or "")
    model.change(body, call.now, but=["model_id"])
    state.models.put(model.id, model)
    return {}


@aiworkspace.operation("DeleteModel", "DELETE", MODEL)
def delete_model(state: WorkspaceState, model_id: str) -> Answer:
    """With all its versions."""
    model = state.model(model_id)
    state.model_versions.delete_all(f"{model.id}/")
    state.models.delete(model.id)
    return {}


@aiworkspace.operation("CreateModelLabels", "POST", f"{MODEL}/labels")
def create_model_labels(state: WorkspaceState, call: Call, model_id: str, body: CreateModelLabels) -> Answer:
    model = state.model(model_id)
    model.add_labels(body.labels, call.now)
    state.models.put(model.id, model)
    return {}


@aiworkspace.operation("DeleteModelLabels", "DELETE", f"{MODEL}/labels")
def delete_model_labels(state: WorkspaceState, call: Call, model_id: str, query: LabelKeys) -> Answer:
    model = state.model(model_id)
    model.remove_labels(query.keys.split(","), call.now)
    state.models.put(model.id, model)
    return {}


def _answer(state: WorkspaceState, call: Call, model: Record) -> Answer:
    answer = model.answer(ModelId=model.id, Provider="pai", **model.owned(call.account_id))
    versions = state.model_versions.values(f"{model.id}/")
    if not versions:
        return answer
    latest = max(versions, key=lambda version: version.created)
    return {**answer, "LatestVersion": latest.answer(VersionName=latest.id)}
