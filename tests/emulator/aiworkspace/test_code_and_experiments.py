"""Code sources and experiments."""

import pytest
from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client

from tests.emulator.refusals import refused


def create_source(workspace: Client, **changes: object) -> str:
    settings = {
        "workspace_id": "1000",
        "display_name": "training",
        "code_repo": "https://example.com/shop/training.git",
        "mount_path": "/root/code",
        **changes,
    }
    return str(workspace.create_code_source(models.CreateCodeSourceRequest(**settings)).body.code_source_id)


def create_experiment(workspace: Client, **changes: object) -> str:
    settings = {"workspace_id": "1000", "name": "augmentation", "artifact_uri": "oss://shop/runs/", **changes}
    return str(workspace.create_experiment(models.CreateExperimentRequest(**settings)).body.experiment_id)


def test_a_code_source_is_kept_changed_and_published_without_its_token(workspace: Client) -> None:
    source_id = create_source(workspace, code_branch="main", code_repo_access_token="ghp_secret")

    workspace.update_code_source(source_id, models.UpdateCodeSourceRequest(code_commit="abc", mount_path="/mnt/code"))
    workspace.publish_code_source(source_id, models.PublishCodeSourceRequest())

    source = workspace.get_code_source(source_id, models.GetCodeSourceRequest()).body
    assert (source.code_branch, source.code_commit, source.mount_path) == ("main", "abc", "/mnt/code")
    assert (source.accessibility, source.code_repo_access_token) == ("PUBLIC", None)


def test_code_sources_are_listed_and_deleted(workspace: Client) -> None:
    source_id = create_source(workspace)
    create_source(workspace, display_name="serving")

    workspace.delete_code_source(source_id, models.DeleteCodeSourceRequest())

    listed = workspace.list_code_sources(models.ListCodeSourcesRequest(workspace_id="1000")).body
    assert [source.display_name for source in listed.code_sources] == ["serving"]
    with refused("201400002", 404):
        workspace.get_code_source(source_id, models.GetCodeSourceRequest())


def test_an_experiment_is_kept_renamed_listed_and_deleted(workspace: Client) -> None:
    experiment_id = create_experiment(workspace)

    workspace.update_experiment(experiment_id, models.UpdateExperimentRequest(name="cropping", accessibility="PUBLIC"))

    found = workspace.get_experiment(experiment_id, models.GetExperimentRequest()).body
    assert (found.name, found.accessibility, found.artifact_uri) == ("cropping", "PUBLIC", "oss://shop/runs/")
    listed = workspace.list_experiment(models.ListExperimentRequest(workspace_id="1000")).body
    assert [experiment.name for experiment in listed.experiments] == ["cropping"]
    workspace.delete_experiment(experiment_id, models.DeleteExperimentRequest())
    with refused("InvalidExperiment.NotFound", 404):
        workspace.get_experiment(experiment_id, models.GetExperimentRequest())


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"display_name": "taken"}, "EntityAlreadyExists", 409),
        ({"workspace_id": "7"}, "100400027", 404),
        ({"code_repo": "training"}, "InvalidParameter.CodeRepo", 400),
        ({"mount_path": "code"}, "InvalidParameter.MountPath", 400),
    ],
)
def test_a_wrong_code_source_is_refused(workspace: Client, changes: dict[str, object], code: str, status: int) -> None:
    create_source(workspace, display_name="taken")

    with refused(code, status):
        create_source(workspace, **changes)


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"name": "taken"}, "EntityAlreadyExists", 409),
        ({"name": "1st"}, "InvalidParameter.Name", 400),
        ({"artifact_uri": "/runs"}, "InvalidParameter.ArtifactUri", 400),
    ],
)
def test_a_wrong_experiment_is_refused(workspace: Client, changes: dict[str, object], code: str, status: int) -> None:
    create_experiment(workspace, name="taken")

    with refused(code, status):
        create_experiment(workspace, **changes)
