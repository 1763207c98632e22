"""Code sources: git repositories that jobs and notebooks mount."""

from pydantic import Field

from emulator.operations import Answer, Call, Parameters
from emulator.services.aiworkspace.records import Record, new_record
from emulator.services.aiworkspace.service import Accessibility, InWorkspace, aiworkspace
from emulator.services.aiworkspace.state import WorkspaceState, check_unused, in_workspace, new_id

CODE_SOURCES = "/api/v1/codesources"
CODE_SOURCE = f"{CODE_SOURCES}/{{code_source_id}}"


class CodeAttributes(Parameters):
    """The token is taken and forgotten: nothing here would use it, nor keep it secret."""

    description: str | None = Field(None, alias="Description")
    branch: str | None = Field(None, alias="CodeBranch")
    commit: str | None = Field(None, alias="CodeCommit")
    user_name: str | None = Field(None, alias="CodeRepoUserName")
    access_token: str | None = Field(None, alias="CodeRepoAccessToken", repr=False)


class CreateCodeSource(CodeAttributes):
    workspace_id: str = Field(alias="WorkspaceId")
    name: str = Field(alias="DisplayName", min_length=1)
    repository: str = Field(alias="CodeRepo", pattern=r"^(https?://|git@)\S+$")
    mount_path: str = Field(alias="MountPath", pattern=r"^/")
    accessibility: Accessibility | None = Field(None, alias="Accessibility")


class UpdateCodeSource(CodeAttributes):
    code_source_id: str | None = Field(None, alias="CodeSourceId")
    name: str | None = Field(None, alias="DisplayName", min_length=1)
    repository: str | None = Field(None, alias="CodeRepo", pattern=r"^(https?://|git@)\S+$")
    mount_path: str | None = Field(None, alias="MountPath", pattern=r"^/")


class ListCodeSources(InWorkspace):
    name: str | None = Field(None, alias="DisplayName")


@aiworkspace.operation("CreateCodeSource", "POST", CODE_SOURCES)
def create_code_source(state: WorkspaceState, call: Call, body: CreateCodeSource) -> Answer:
    workspace = state.workspace(body.workspace_id)
    check_unused(in_workspace(state.code_sources, workspace.id), "DisplayName", body.name)
    source = new_record(
        new_id("code"),
        call,
        body,
        workspace_id=workspace.id,
        defaults={"Accessibility": "PRIVATE"},
        but=["workspace_id", "access_token"],
    )
    state.code_sources.put(source.id, source)
    return {"CodeSourceId": source.id}


@aiworkspace.operation("GetCodeSource", "GET", CODE_SOURCE)
def get_code_source(state: WorkspaceState, code_source_id: str) -> Answer:
    return _answer(state.code_source(code_source_id))


@aiworkspace.operation("ListCodeSources", "GET", CODE_SOURCES)
def list_code_sources(state: WorkspaceState, query: ListCodeSources) -> Answer:
    every = in_workspace(state.code_sources, query.workspace_id)
    found = [source for source in every if (query.name or "") in source.fields["DisplayName"]]
    return {"CodeSources": [_answer(source) for source in query.cut(found)], "TotalCount": len(found)}


@aiworkspace.operation("UpdateCodeSource", "PUT", CODE_SOURCE)
def update_code_source(state: WorkspaceState, call: Call, code_source_id: str, body: UpdateCodeSource) -> Answer:
    source = state.code_source(code_source_id)
    source.change(body, call.now, but=["code_source_id", "access_token"])
    state.code_sources.put(source.id, source)
    return {"CodeSourceId": source.id}


@aiworkspace.operation("PublishCodeSource", "PUT", f"{CODE_SOURCE}/publish")
def publish_code_source(state: WorkspaceState, call: Call, code_source_id: str) -> Answer:
    """Makes it visible to everybody in its workspace."""
    source = state.code_source(code_source_id)
    source.fields["Accessibility"], source.modified = "PUBLIC", call.now
    state.code_sources.put(source.id, source)
    return {"CodeSourceId": source.id}


@aiworkspace.operation("DeleteCodeSource", "DELETE", CODE_SOURCE)
def delete_code_source(state: WorkspaceState, code_source_id: str) -> Answer:
    source = state.code_source(code_source_id)
    state.code_sources.delete(source.id)
    return {"CodeSourceId": source.id}


def _answer(source: Record) -> Answer:
    """Its times are called otherwise than elsewhere, and it has no labels."""
    answer = source.answer(CodeSourceId=source.id, WorkspaceId=source.workspace_id, UserId=source.user_id)
    answer["GmtModifyTime"] = answer.pop("GmtModifiedTime")
    del answer["Labels"]
    return answer
