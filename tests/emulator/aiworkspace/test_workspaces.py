"""Workspaces: one is always there."""

from typing import Any

import pytest
from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client

from tests.emulator.aiworkspace import test_datasets, test_models
from tests.emulator.refusals import refused


def create(workspace: Client, **changes: object) -> str:
    settings = {"workspace_name": "vision", "description": "images of the shop", "env_types": ["prod"], **changes}
    return str(workspace.create_workspace(models.CreateWorkspaceRequest(**settings)).body.workspace_id)


def get(workspace: Client, workspace_id: str) -> Any:
    return workspace.get_workspace(workspace_id, models.GetWorkspaceRequest(verbose=True)).body


def names(workspace: Client, **filters: object) -> list[str]:
    answer = workspace.list_workspaces(models.ListWorkspacesRequest(**filters)).body
    return [each.workspace_name for each in answer.workspaces]


def test_every_account_has_the_workspace_1000(workspace: Client) -> None:
    default = get(workspace, "1000")

    assert (default.workspace_name, default.status, default.is_default) == ("default", "ENABLED", True)
    assert names(workspace) == ["default"]


def test_a_new_workspace_is_ready_at_once(workspace: Client) -> None:
    made = get(workspace, create(workspace, env_types=["dev", "prod"]))

    assert (made.status, made.workspace_name, made.display_name) == ("ENABLED", "vision", "vision")
    assert (made.env_types, made.is_default) == (["dev", "prod"], False)


@pytest.mark.parametrize("make", [create, lambda _workspace: "1000"])
def test_a_workspace_can_be_described_anew(workspace: Client, make: object) -> None:
    assert callable(make)
    workspace_id = make(workspace)

    workspace.update_workspace(workspace_id, models.UpdateWorkspaceRequest(description="new", display_name="Vision"))

    changed = get(workspace, workspace_id)
    assert (changed.description, changed.display_name) == ("new", "Vision")


def test_workspaces_are_found_by_name_and_id_and_in_pages(workspace: Client) -> None:
    vision, speech = create(workspace), create(workspace, workspace_name="speech")

    assert names(workspace, workspace_name="spee") == ["speech"]
    assert names(workspace, workspace_ids=f"{vision},{speech}") == ["vision", "speech"]
    assert names(workspace, page_number=2, page_size=2) == ["speech"]


def test_a_deleted_workspace_is_gone_with_all_that_was_in_it(workspace: Client) -> None:
    workspace_id = create(workspace)
    model_id = test_models.create(workspace, workspace_id=workspace_id)
    test_models.add_version(workspace, model_id)
    dataset_id = test_datasets.create(workspace, workspace_id=workspace_id)

    workspace.delete_workspace(workspace_id, models.DeleteWorkspaceRequest())

    with refused("100400027", 404):
        get(workspace, workspace_id)
    with refused("201900002", 404):
        test_models.get(workspace, model_id)
    with refused("201300003", 404):
        test_datasets.get(workspace, dataset_id)


def test_the_default_workspace_stays(workspace: Client) -> None:
    with refused("InvalidParameter", 400, "default workspace"):
        workspace.delete_workspace("1000", models.DeleteWorkspaceRequest())


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"workspace_name": "1st"}, "InvalidParameter.WorkspaceName", 400),
        ({"workspace_name": "ab"}, "InvalidParameter.WorkspaceName", 400),
        ({"workspace_name": "default"}, "EntityAlreadyExists", 409),
        ({"description": "x" * 81}, "InvalidParameter.Description", 400),
        ({"env_types": ["test"]}, "InvalidParameter.EnvTypes.0", 400),
        ({"env_types": None}, "MissingParameter", 400),
    ],
)
def test_a_wrong_workspace_is_refused(workspace: Client, changes: dict[str, object], code: str, status: int) -> None:
    with refused(code, status):
        create(workspace, **changes)
