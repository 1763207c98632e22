"""Datasets and their versions."""

from typing import Any

import pytest
from alibabacloud_aiworkspace20210204 import models
from alibabacloud_aiworkspace20210204.client import Client

from tests.emulator.refusals import refused

DATA = {"data_source_type": "OSS", "property": "DIRECTORY", "uri": "oss://shop.oss-cn-hangzhou.aliyuncs.com/images/"}


def create(workspace: Client, **changes: object) -> str:
    settings = {"name": "products", "workspace_id": "1000", **DATA, **changes}
    return str(workspace.create_dataset(models.CreateDatasetRequest(**settings)).body.dataset_id)


def get(workspace: Client, dataset_id: str) -> Any:
    return workspace.get_dataset(dataset_id, models.GetDatasetRequest()).body


def add_version(workspace: Client, dataset_id: str, **changes: object) -> str:
    request = models.CreateDatasetVersionRequest(**{**DATA, **changes})
    return str(workspace.create_dataset_version(dataset_id, request).body.version_name)


def test_a_dataset_is_kept_as_it_was_given_and_has_a_first_version(workspace: Client) -> None:
    given = {"data_type": "PIC", "options": '{"mountPath": "/data"}', "description": "photographs"}
    dataset = get(workspace, create(workspace, labels=[models.Label(key="team", value="vision")], **given))

    assert (dataset.data_type, dataset.options, dataset.description) == tuple(given.values())
    assert (dataset.uri, dataset.source_type, dataset.accessibility) == (DATA["uri"], "USER", "PRIVATE")
    assert [(label.key, label.value) for label in dataset.labels] == [("team", "vision")]
    assert (dataset.latest_version.version_name, dataset.latest_version.uri) == ("v1", DATA["uri"])


def test_a_dataset_can_be_renamed_and_published(workspace: Client) -> None:
    dataset_id = create(workspace)

    workspace.update_dataset(dataset_id, models.UpdateDatasetRequest(name="goods", description="new"))
    workspace.publish_dataset(dataset_id, models.PublishDatasetRequest())

    dataset = get(workspace, dataset_id)
    assert (dataset.name, dataset.description, dataset.accessibility) == ("goods", "new", "PUBLIC")


def test_labels_are_added_and_removed(workspace: Client) -> None:
    dataset_id = create(workspace)
    added = [models.Label(key="a", value="1"), models.Label(key="b", value="2")]

    workspace.create_dataset_labels(dataset_id, models.CreateDatasetLabelsRequest(labels=added))
    workspace.delete_dataset_labels(dataset_id, models.DeleteDatasetLabelsRequest(label_keys="a"))

    assert [label.key for label in get(workspace, dataset_id).labels] == ["b"]


def test_versions_are_numbered_and_no_number_is_given_twice(workspace: Client) -> None:
    dataset_id = create(workspace)
    assert add_version(workspace, dataset_id, data_count=10, uri="oss://shop/more/") == "v2"

    workspace.delete_dataset_version(dataset_id, "v2", models.DeleteDatasetVersionRequest())

    assert add_version(workspace, dataset_id) == "v3"
    listed = workspace.list_dataset_versions(dataset_id, models.ListDatasetVersionsRequest()).body
    assert [version.version_name for version in listed.dataset_versions] == ["v1", "v3"]
    with refused("201300003", 404):
        workspace.get_dataset_version(dataset_id, "v2", models.GetDatasetVersionRequest())


def test_a_version_can_be_described_and_labelled(workspace: Client) -> None:
    dataset_id = create(workspace)
    name = add_version(workspace, dataset_id, data_size=1 << 40)

    change = models.UpdateDatasetVersionRequest(description="cleaned", data_count=60_000)
    workspace.update_dataset_version(dataset_id, name, change)
    labels = [models.Label(key="a", value="1"), models.Label(key="b", value="2")]
    workspace.create_dataset_version_labels(dataset_id, name, models.CreateDatasetVersionLabelsRequest(labels=labels))
    workspace.delete_dataset_version_labels(dataset_id, name, models.DeleteDatasetVersionLabelsRequest(keys="a"))

    version = workspace.get_dataset_version(dataset_id, name, models.GetDatasetVersionRequest()).body
    assert (version.description, version.data_count, version.data_size) == ("cleaned", 60_000, 1 << 40)
    assert [label.key for label in version.labels] == ["b"]


def test_datasets_are_found_by_workspace_and_name(workspace: Client) -> None:
    create(workspace)
    create(workspace, name="reviews")

    def names(**filters: object) -> list[str]:
        return [each.name for each in workspace.list_datasets(models.ListDatasetsRequest(**filters)).body.datasets]

    assert names(workspace_id="1000") == ["products", "reviews"]
    assert names(name="view") == ["reviews"]
    assert names(workspace_id="7") == []


def test_a_deleted_dataset_is_gone_with_its_versions(workspace: Client) -> None:
    dataset_id = create(workspace)

    workspace.delete_dataset(dataset_id, models.DeleteDatasetRequest())

    with refused("201300003", 404):
        get(workspace, dataset_id)
    with refused("201300003", 404):
        workspace.get_dataset_version(dataset_id, "v1", models.GetDatasetVersionRequest())


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"name": "-x"}, "InvalidParameter.Name", 400),
        ({"name": "taken"}, "EntityAlreadyExists", 409),
        ({"workspace_id": None}, "MissingParameter", 400),
        ({"workspace_id": "7"}, "100400027", 404),
        ({"property": "FOLDER"}, "InvalidParameter.Property", 400),
        ({"data_source_type": "S3"}, "InvalidParameter.DataSourceType", 400),
        ({"uri": "/data"}, "InvalidParameter.Uri", 400),
        ({"data_count": -1}, "InvalidParameter.DataCount", 400),
    ],
)
def test_a_wrong_dataset_is_refused(workspace: Client, changes: dict[str, object], code: str, status: int) -> None:
    create(workspace, name="taken")

    with refused(code, status):
        create(workspace, **changes)


def test_a_version_from_another_kind_of_source_is_refused(workspace: Client) -> None:
    dataset_id = create(workspace)

    with refused("InvalidParameter.DataSourceType", 400, "must be the dataset's, OSS, not NAS"):
        add_version(workspace, dataset_id, data_source_type="NAS", uri="nas://fs.cn-hangzhou/data/")
