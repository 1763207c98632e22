"""Workspaces. They are ready as soon as they are made."""

from typing import Annotated, Literal

from pydantic import Field

from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.aiworkspace.records import Record, new_record
from emulator.services.aiworkspace.service import Page, aiworkspace
from emulator.services.aiworkspace.state import DEFAULT_WORKSPACE, WorkspaceState, check_unused, in_workspace

WORKSPACES = "/api/v1/workspaces"
WORKSPACE = f"{WORKSPACES}/{{workspace_id}}"
Description = Annotated[str, Field(max_length=80)]


class CreateWorkspace(Parameters):
    name: str = Field(alias="WorkspaceName", pattern=r"^[A-Za-z][A-Za-z0-9_]{2,22}$")
    description: Description = Field(alias="Description")
    display_name: str | None = Field(None, alias="DisplayName")
    env_types: list[Literal["dev", "prod"]] = Field(alias="EnvTypes", min_length=1, max_length=2)
    resource_group_id: str | None = Field(None, alias="ResourceGroupId")


class UpdateWorkspace(Parameters):
    workspace_id: str | None = Field(None, alias="WorkspaceId")
    description: Description | None = Field(None, alias="Description")
    display_name: str | None = Field(None, alias="DisplayName")


class GetWorkspace(Parameters):
    verbose: bool = Field(False, alias="Verbose")


class ListWorkspaces(Page):
    name: str | None = Field(None, alias="WorkspaceName")
    ids: str | None = Field(None, alias="WorkspaceIds")
    status: str | None = Field(None, alias="Status")


@aiworkspace.operation("CreateWorkspace", "POST", WORKSPACES)
def create_workspace(state: WorkspaceState, call: Call, body: CreateWorkspace) -> Answer:
    check_unused(state.all_workspaces(), "WorkspaceName", body.name)
    defaults = {"DisplayName": body.name, "ResourceGroupId": "default"}
    workspace = new_record(state.new_workspace_id(), call, body, defaults=defaults)
    state.workspaces.put(workspace.id, workspace)
    return {"WorkspaceId": workspace.id}


@aiworkspace.operation("GetWorkspace", "GET", WORKSPACE)
def get_workspace(state: WorkspaceState, workspace_id: str, query: GetWorkspace) -> Answer:  # noqa: ARG001
    return _answer(state.workspace(workspace_id))


@aiworkspace.operation("ListWorkspaces", "GET", WORKSPACES)
def list_workspaces(state: WorkspaceState, query: ListWorkspaces) -> Answer:
    found = [
        workspace
        for workspace in state.all_workspaces()
        if (query.name or "") in workspace.fields["WorkspaceName"]
        and (query.ids is None or workspace.id in query.ids.split(","))
        and query.status in (None, "ENABLED")
    ]
    listed = [_answer(workspace) for workspace in query.cut(found)]
    for answer in listed:
        answer.pop("ResourceGroupId", None)  # the list has it under another name
    return {"Workspaces": listed, "TotalCount": len(found)}


@aiworkspace.operation("UpdateWorkspace", "PUT", WORKSPACE)
def update_workspace(state: WorkspaceState, call: Call, workspace_id: str, body: UpdateWorkspace) -> Answer:
    workspace = state.workspace(workspace_id)
    workspace.change(body, call.now, but=["workspace_id"])
    state.workspaces.put(workspace.id, workspace)
    return {}


@aiworkspace.operation("DeleteWorkspace", "DELETE", WORKSPACE)
def delete_workspace(state: WorkspaceState, workspace_id: str) -> Answer:
    """With all that is in it. The default workspace stays."""
    workspace = state.workspace(workspace_id)
    if workspace.id == DEFAULT_WORKSPACE:
        raise ApiError("InvalidParameter", "The default workspace cannot be deleted.")
    owners = [(state.models, state.model_versions), (state.datasets, state.dataset_versions)]
    for records, versions in owners:
        for record in in_workspace(records, workspace.id):
            versions.delete_all(f"{record.id}/")
    for records in (state.models, state.datasets, state.code_sources, state.experiments):
        for record in in_workspace(records, workspace.id):
            records.delete(record.id)
    state.workspaces.delete(workspace.id)
    return {}


def _answer(workspace: Record) -> Answer:
    answer = workspace.answer(
        WorkspaceId=workspace.id,
        Status="ENABLED",
        Creator=workspace.user_id,
        AdminNames=[workspace.user_id],
        IsDefault=workspace.id == DEFAULT_WORKSPACE,
    )
    del answer["Labels"]
    return answer
