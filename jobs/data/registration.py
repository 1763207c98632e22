"""A dataset in PAI: registered once, with a version for each content."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alibabacloud_aiworkspace20210204.client import Client
    from alibabacloud_aiworkspace20210204.models import Dataset

CONTENT = "paistack-version"
"""The label that holds our version of the content."""


@dataclass(frozen=True)
class Registered:
    """PAI's id of the dataset and its name of the version; `is_new` when this call made it."""

    dataset_id: str
    version: str
    is_new: bool


def register(
    client: "Client", *, workspace_id: str, name: str, content: str, uri: str, files: int, size: int
) -> Registered:
    """The version of the dataset `name` that lies at `uri`, made where it is not there. Raises Tea's errors.

    `uri` is a directory in OSS that has the version of its content in its path; `size` is in bytes.
    """
    from alibabacloud_aiworkspace20210204 import models

    data = {
        "uri": uri,
        "property": "DIRECTORY",
        "data_source_type": "OSS",
        "data_count": files,
        "data_size": size,
        "description": f"content {content}",
    }
    labels = [models.Label(key=CONTENT, value=content)]
    dataset = _find(client, workspace_id, name)
    if dataset is None:
        made = client.create_dataset(
            models.CreateDatasetRequest(name=name, workspace_id=workspace_id, data_type="PIC", labels=labels, **data)
        )
        return Registered(made.body.dataset_id, "v1", is_new=True)
    if there := _version(client, dataset.dataset_id, uri):
        return Registered(dataset.dataset_id, there, is_new=False)
    request = models.CreateDatasetVersionRequest(labels=labels, **data)
    version = client.create_dataset_version(dataset.dataset_id, request).body.version_name
    return Registered(dataset.dataset_id, version, is_new=True)


def _find(client: "Client", workspace_id: str, name: str) -> "Dataset | None":
    from alibabacloud_aiworkspace20210204 import models

    page = 1
    while True:
        request = models.ListDatasetsRequest(workspace_id=workspace_id, name=name, page_number=page, page_size=100)
        body = client.list_datasets(request).body
        if found := next((each for each in body.datasets or [] if each.name == name), None):
            return found
        if page * 100 >= (body.total_count or 0):
            return None
        page += 1


def _version(client: "Client", dataset_id: str, uri: str) -> str | None:
    """The name of the version that lies there."""
    from alibabacloud_aiworkspace20210204 import models

    page = 1
    while True:
        request = models.ListDatasetVersionsRequest(page_number=page, page_size=100)
        body = client.list_dataset_versions(dataset_id, request).body
        for each in body.dataset_versions or []:
            if each.uri == uri:
                return str(each.version_name)
        if page * 100 >= (body.total_count or 0):
            return None
        page += 1
