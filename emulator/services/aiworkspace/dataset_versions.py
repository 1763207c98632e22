"""Versions of a dataset: `v1`, `v2` and so on; no number is given twice."""

from typing import Literal

from pydantic import Field

from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.aiworkspace.records import Record, new_record
from emulator.services.aiworkspace.service import Label, Options, Page, Uri, aiworkspace
from emulator.services.aiworkspace.state import WorkspaceState

VERSIONS = "/api/v1/datasets/{dataset_id}/versions"
VERSION = f"{VERSIONS}/{{version_name}}"
_OF_A_VERSION = {
    "Uri", "Property", "DataSourceType", "SourceType", "SourceId", "Options", "Description", "DataSize", "DataCount",
}  # fmt: skip


class DatasetAttributes(Parameters):
    """What a dataset and each of its versions say of their data."""

    uri: Uri = Field(alias="Uri")
    property: Literal["FILE", "DIRECTORY"] = Field(alias="Property")
    data_source_type: Literal["OSS", "NAS", "EXTREMENAS", "CPFS", "BMCPFS", "MAXCOMPUTE", "URL"] = Field(
        alias="DataSourceType"
    )
    source_type: Literal["USER", "ITAG", "PAI-PUBLIC-DATASET", "PAI_PUBLIC_DATASET"] | None = Field(
        None, alias="SourceType"
    )
    source_id: str | None = Field(None, alias="SourceId")
    options: Options | None = Field(None, alias="Options")
    description: str | None = Field(None, alias="Description")
    data_size: int | None = Field(None, alias="DataSize", ge=0)
    data_count: int | None = Field(None, alias="DataCount", ge=0)
    labels: list[Label] = Field([], alias="Labels")


class UpdateDatasetVersion(Parameters):
    options: Options | None = Field(None, alias="Options")
    description: str | None = Field(None, alias="Description")
    data_size: int | None = Field(None, alias="DataSize", ge=0)
    data_count: int | None = Field(None, alias="DataCount", ge=0)


class VersionLabels(Parameters):
    labels: list[Label] = Field(alias="Labels", min_length=1)


class Keys(Parameters):
    keys: str = Field(alias="Keys", min_length=1)


@aiworkspace.operation("CreateDatasetVersion", "POST", VERSIONS)
def create_dataset_version(state: WorkspaceState, call: Call, dataset_id: str, body: DatasetAttributes) -> Answer:
    dataset = state.dataset(dataset_id)
    if body.data_source_type != dataset.fields["DataSourceType"]:
        message = (
            f"DataSourceType must be the dataset's, {dataset.fields['DataSourceType']}, not {body.data_source_type}."
        )
        raise ApiError("InvalidParameter.DataSourceType", message)
    return {"VersionName": add_version(state, call, dataset, body).id}


@aiworkspace.operation("GetDatasetVersion", "GET", VERSION)
def get_dataset_version(state: WorkspaceState, dataset_id: str, version_name: str) -> Answer:
    version = state.dataset_version(dataset_id, version_name)
    return version.answer(DatasetId=dataset_id, VersionName=version.id)


@aiworkspace.operation("ListDatasetVersions", "GET", VERSIONS)
def list_dataset_versions(state: WorkspaceState, dataset_id: str, query: Page) -> Answer:
    every = state.dataset_versions.values(f"{state.dataset(dataset_id).id}/")
    every.sort(key=lambda version: int(version.id[1:]))
    listed = [version.answer(VersionName=version.id) for version in query.cut(every)]
    return {
        "DatasetVersions": listed,
        "PageNumber": query.page,
        "PageSize": query.page_size,
        "TotalCount": len(every),
    }


@aiworkspace.operation("UpdateDatasetVersion", "PUT", VERSION)
def update_dataset_version(
    state: WorkspaceState, call: Call, dataset_id: str, version_name: str, body: UpdateDatasetVersion
) -> Answer:
    version = state.dataset_version(dataset_id, version_name)
    version.change(body, call.now)
    _put(state, dataset_id, version)
    return {}


@aiworkspace.operation("DeleteDatasetVersion", "DELETE", VERSION)
def delete_dataset_version(state: WorkspaceState, dataset_id: str, version_name: str) -> Answer:
    version = state.dataset_version(dataset_id, version_name)
    state.dataset_versions.delete(f"{dataset_id}/{version.id}")
    return {}


@aiworkspace.operation("CreateDatasetVersionLabels", "PUT", f"{VERSION}/labels")
def create_dataset_version_labels(
    state: WorkspaceState, call: Call, dataset_id: str, version_name: str, body: VersionLabels
) -> Answer:
    version = state.dataset_version(dataset_id, version_name)
    version.add_labels(body.labels, call.now)
    _put(state, dataset_id, version)
    return {}


@aiworkspace.operation("DeleteDatasetVersionLabels", "DELETE", f"{VERSION}/labels")
def delete_dataset_version_labels(
    state: WorkspaceState, call: Call, dataset_id: str, version_name: str, query: Keys
) -> Answer:
    version = state.dataset_version(dataset_id, version_name)
    version.remove_labels(query.keys.split(","), call.now)
    _put(state, dataset_id, version)
    return {}


def add_version(state: WorkspaceState, call: Call, dataset: Record, attributes: DatasetAttributes) -> Record:
    """The next version of `dataset`, which is stored with it."""
    dataset.versions += 1
    version = new_record(
        f"v{dataset.versions}", call, attributes, labels=attributes.labels, defaults={"SourceType": "USER"}
    )
    version.fields = {name: value for name, value in version.fields.items() if name in _OF_A_VERSION}
    state.datasets.put(dataset.id, dataset)
    _put(state, dataset.id, version)
    return version


def _put(state: WorkspaceState, dataset_id: str, version: Record) -> None:
    state.dataset_versions.put(f"{dataset_id}/{version.id}", version)
