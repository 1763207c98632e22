"""Models and their versions."""

from typing import Any

import pytest
from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client

from tests.emulator.conftest import RunningEmulator
from tests.emulator.refusals import refused
from tests.emulator.sdk import connect

Label = models.Label


def create(workspace: Client, **changes: object) -> str:
    settings = {"model_name": "resnet", "workspace_id": "1000", **changes}
    return str(workspace.create_model(models.CreateModelRequest(**settings)).body.model_id)


def get(workspace: Client, model_id: str) -> Any:
    return workspace.get_model(model_id, models.GetModelRequest()).body


def add_version(workspace: Client, model_id: str, **changes: object) -> str:
    settings = {"uri": "oss://models.oss-cn-hangzhou.aliyuncs.com/resnet/", **changes}
    request = models.CreateModelVersionRequest(**settings)
    return str(workspace.create_model_version(model_id, request).body.version_name)


def versions(workspace: Client, model_id: str, **filters: object) -> list[str]:
    answer = workspace.list_model_versions(model_id, models.ListModelVersionsRequest(**filters)).body
    return [version.version_name for version in answer.versions]


def test_a_model_is_kept_as_it_was_given(workspace: Client) -> None:
    labels = [Label(key="team", value="vision"), Label(key="a", value="b")]
    model_id = create(workspace, domain="cv", order_number=3, extra_info={"test": "15"}, labels=labels)

    model = get(workspace, model_id)

    assert (model.model_name, model.domain, model.order_number) == ("resnet", "cv", 3)
    assert (model.extra_info, model.workspace_id, model.accessibility) == ({"test": "15"}, "1000", "PRIVATE")
    assert [(label.key, label.value) for label in model.labels] == [("team", "vision"), ("a", "b")]


def test_a_model_without_a_workspace_is_in_the_default_one(workspace: Client) -> None:
    assert get(workspace, create(workspace, workspace_id=None)).workspace_id == "1000"


def test_an_update_changes_only_what_it_names(workspace: Client) -> None:
    model_id = create(workspace, domain="cv")

    workspace.update_model(model_id, models.UpdateModelRequest(model_name="resnet18", model_doc="README"))

    model = get(workspace, model_id)
    assert (model.model_name, model.model_doc, model.domain) == ("resnet18", "README", "cv")


def test_labels_are_added_replaced_and_removed(workspace: Client) -> None:
    model_id = create(workspace, labels=[Label(key="team", value="vision")])

    added = [Label(key="team", value="shop"), Label(key="stage", value="dev")]
    workspace.create_model_labels(model_id, models.CreateModelLabelsRequest(labels=added))
    workspace.delete_model_labels(model_id, models.DeleteModelLabelsRequest(label_keys="stage,nothing"))

    assert [(label.key, label.value) for label in get(workspace, model_id).labels] == [("team", "shop")]


def test_models_are_found_by_workspace_and_name_and_in_pages(workspace: Client) -> None:
    create(workspace)
    create(workspace, model_name="bert")

    def names(**filters: object) -> list[str]:
        return [model.model_name for model in workspace.list_models(models.ListModelsRequest(**filters)).body.models]

    assert names(workspace_id="1000") == ["resnet", "bert"]
    assert names(workspace_id="2000") == []
    assert names(model_name="ber") == ["bert"]
    assert names(page_number=2, page_size=1) == ["bert"]


def test_versions_count_up_from_the_highest_name(workspace: Client) -> None:
    model_id = create(workspace)

    assert add_version(workspace, model_id) == "0.1.0"
    assert add_version(workspace, model_id) == "0.2.0"
    assert add_version(workspace, model_id, version_name="2.10.1") == "2.10.1"
    assert add_version(workspace, model_id) == "2.11.0"
    assert versions(workspace, model_id) == ["0.1.0", "0.2.0", "2.10.1", "2.11.0"]
    assert get(workspace, model_id).latest_version.version_name == "2.11.0"


def test_a_version_is_kept_as_it_was_given_and_can_be_approved(workspace: Client) -> None:
    model_id = create(workspace)
    given = {"format_type": "TorchScript", "framework_type": "Pytorch", "metrics": {"accuracy": 0.91}}
    name = add_version(workspace, model_id, labels=[models.Label(key="data", value="v1")], **given)

    workspace.update_model_version(model_id, name, models.UpdateModelVersionRequest(approval_status="Approved"))

    version = workspace.get_model_version(model_id, name, models.GetModelVersionRequest()).body
    assert (version.format_type, version.framework_type, version.metrics) == tuple(given.values())
    assert (version.approval_status, version.source_type) == ("Approved", "Custom")
    assert [(label.key, label.value) for label in version.labels] == [("data", "v1")]
    assert versions(workspace, model_id, approval_status="Pending") == []


def test_labels_of_a_version_are_its_own(workspace: Client) -> None:
    model_id = create(workspace)
    name = add_version(workspace, model_id)

    added = [models.Label(key="data", value="v2"), models.Label(key="x", value="y")]
    workspace.create_model_version_labels(model_id, name, models.CreateModelVersionLabelsRequest(labels=added))
    workspace.delete_model_version_labels(model_id, name, models.DeleteModelVersionLabelsRequest(label_keys="x"))

    labels = workspace.get_model_version(model_id, name, models.GetModelVersionRequest()).body.labels
    assert [(label.key, label.value) for label in labels] == [("data", "v2")]
    assert get(workspace, model_id).labels == []


def test_what_is_deleted_is_gone_and_a_model_takes_its_versions_along(workspace: Client) -> None:
    model_id = create(workspace)
    first, second = add_version(workspace, model_id), add_version(workspace, model_id)

    workspace.delete_model_version(model_id, first, models.DeleteModelVersionRequest())
    with refused("201900003", 404):
        workspace.get_model_version(model_id, first, models.GetModelVersionRequest())
    workspace.delete_model(model_id, models.DeleteModelRequest())
    with refused("201900002", 404):
        get(workspace, model_id)
    with refused("201900002", 404):
        workspace.get_model_version(model_id, second, models.GetModelVersionRequest())


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"model_name": ""}, "InvalidParameter.ModelName", 400),
        ({"model_name": "x" * 128}, "InvalidParameter.ModelName", 400),
        ({"model_name": "taken"}, "EntityAlreadyExists", 409),
        ({"workspace_id": "77"}, "100400027", 404),
        ({"accessibility": "SECRET"}, "InvalidParameter.Accessibility", 400),
        ({"tag": [Label(key="a", value="b")]}, "InvalidParameter", 400),
    ],
)
def test_a_wrong_model_is_refused(workspace: Client, changes: dict[str, object], code: str, status: int) -> None:
    create(workspace, model_name="taken")

    with refused(code, status):
        create(workspace, **changes)


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"uri": "models/resnet"}, "InvalidParameter.Uri", 400),
        ({"version_name": "latest"}, "InvalidParameter.VersionName", 400),
        ({"version_name": "0.1.0"}, "EntityAlreadyExists", 409),
        ({"format_type": "Pickle"}, "InvalidParameter.FormatType", 400),
        ({"framework_type": "PyTorch"}, "InvalidParameter.FrameworkType", 400),
        ({"approval_status": "Maybe"}, "InvalidParameter.ApprovalStatus", 400),
        ({"options": "{"}, "InvalidParameter.Options", 400),
        ({"options": "[]"}, "InvalidParameter.Options", 400),
        ({"metrics": {"curve": "x" * 8192}}, "InvalidParameter.Metrics", 400),
    ],
)
def test_a_wrong_version_is_refused(workspace: Client, changes: dict[str, object], code: str, status: int) -> None:
    model_id = create(workspace)
    add_version(workspace, model_id)

    with refused(code, status):
        add_version(workspace, model_id, **changes)


@pytest.mark.parametrize("algorithm", [None, "v2"])
def test_paths_queries_and_bodies_are_signed_under_the_current_and_the_old_scheme(
    emulator: RunningEmulator, algorithm: str | None
) -> None:
    workspace = connect(Client, emulator, signature_algorithm=algorithm)
    model_id = create(workspace, model_name="Produktbilder: Übersicht & ~*+ 商品")

    listed = workspace.list_models(models.ListModelsRequest(model_name="Übersicht & ~*+ 商")).body.models

    assert [model.model_id for model in listed] == [model_id]
    with refused("201900002", 404, "a b~ä"):
        workspace.get_model("a b~ä", models.GetModelRequest())
