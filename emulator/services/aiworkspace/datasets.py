"""Datasets. Each has a first version, `v1`, from the day it is made."""

from typing import Literal

from pydantic import Field

from emulator.operations import Answer, Call, Parameters
from emulator.services.aiworkspace.dataset_versions import DatasetAttributes, add_version
from emulator.services.aiworkspace.records import Record, new_record
from emulator.services.aiworkspace.service import (
    Accessibility,
    InWorkspace,
    Label,
    LabelKeys,
    Options,
    aiworkspace,
)
from emulator.services.aiworkspace.state import WorkspaceState, check_unused, in_workspace, new_id

DATASETS = "/api/v1/datasets"
DATASET = f"{DATASETS}/{{dataset_id}}"
NAME = r"^[A-Za-z0-9\u4e00-\u9fff][\w\u4e00-\u9fff-]{0,126}$"


class CreateDataset(DatasetAttributes):
    name: str = Field(alias="Name", pattern=NAME)
    workspace_id: str = Field(alias="WorkspaceId")
    accessibility: Accessibility | None = Field(None, alias="Accessibility")
    data_type: Literal["COMMON", "PIC", "TEXT", "VIDEO", "AUDIO"] | None = Field(None, alias="DataType")
    user_id: str | None = Field(None, alias="UserId")


class UpdateDataset(Parameters):
    dataset_id: str | None = Field(None, alias="DatasetId")
    name: str | None = Field(None, alias="Name", pattern=NAME)
    description: str | None = Field(None, alias="Description")
    options: Options | None = Field(None, alias="Options")
    accessibility: Accessibility | None = Field(None, alias="Accessibility")


class ListDatasets(InWorkspace):
    name: str | None = Field(None, alias="Name")


class DatasetLabels(Parameters):
    dataset_id: str | None = Field(None, alias="DatasetId")
    labels: list[Label] = Field(alias="Labels", min_length=1)


@aiworkspace.operation("CreateDataset", "POST", DATASETS)
def create_dataset(state: WorkspaceState, call: Call, body: CreateDataset) -> Answer:
    workspace = state.workspace(body.workspace_id)
    check_unused(in_workspace(state.datasets, workspace.id), "Name", body.name)
    dataset = new_record(
        new_id("d"),
        call,
        body,
        workspace_id=workspace.id,
        labels=body.labels,
        defaults={"Accessibility": "PRIVATE", "DataType": "COMMON", "SourceType": "USER"},
        but=["workspace_id", "user_id", "data_size", "data_count"],
    )
    dataset.user_id = body.user_id or dataset.user_id
    add_version(state, call, dataset, body)
    return {"DatasetId": dataset.id}


@aiworkspace.operation("GetDataset", "GET", DATASET)
def get_dataset(state: WorkspaceState, call: Call, dataset_id: str) -> Answer:
    return _answer(state, call, state.dataset(dataset_id))


@aiworkspace.operation("ListDatasets", "GET", DATASETS)
def list_datasets(state: WorkspaceState, call: Call, query: ListDatasets) -> Answer:
    every = in_workspace(state.datasets, query.workspace_id)
    found = [dataset for dataset in every if (query.name or "") in dataset.fields["Name"]]
    return {"Datasets": [_answer(state, call, dataset) for dataset in query.cut(found)], "TotalCount": len(found)}


@aiworkspace.operation("UpdateDataset", "PUT", DATASET)
def update_dataset(state: WorkspaceState, call: Call, dataset_id: str, body: UpdateDataset) -> Answer:
    dataset = state.dataset(dataset_id)
    others = [each for each in in_workspace(state.datasets, dataset.workspace_id) if each.id != dataset.id]
    check_unused(others, "Name", body.name or "")
    dataset.change(body, call.now, but=["dataset_id"])
    state.datasets.put(dataset.id, dataset)
    return {}


@aiworkspace.operation("PublishDataset", "PUT", f"{DATASET}/publish")
def publish_dataset(state: WorkspaceState, call: Call, dataset_id: str) -> Answer:
    """Makes it visible to everybody in its workspace."""
    dataset = state.dataset(dataset_id)
    dataset.fields["Accessibility"], dataset.modified = "PUBLIC", call.now
    state.datasets.put(dataset.id, dataset)
    return {}


@aiworkspace.operation("DeleteDataset", "DELETE", DATASET)
def delete_dataset(state: WorkspaceState, dataset_id: str) -> Answer:
    """With all its versions; what it points to stays."""
    dataset = state.dataset(dataset_id)
    state.dataset_versions.delete_all(f"{dataset.id}/")
    state.datasets.delete(dataset.id)
    return {}


@aiworkspace.operation("CreateDatasetLabels", "POST", f"{DATASET}/labels")
def create_dataset_labels(state: WorkspaceState, call: Call, dataset_id: str, body: DatasetLabels) -> Answer:
    dataset = state.dataset(dataset_id)
    dataset.add_labels(body.labels, call.now)
    state.datasets.put(dataset.id, dataset)
    return {}


@aiworkspace.operation("DeleteDatasetLabels", "DELETE", f"{DATASET}/labels")
def delete_dataset_labels(state: WorkspaceState, call: Call, dataset_id: str, query: LabelKeys) -> Answer:
    dataset = state.dataset(dataset_id)
    dataset.remove_labels(query.keys.split(","), call.now)
    state.datasets.put(dataset.id, dataset)
    return {}


def _answer(state: WorkspaceState, call: Call, dataset: Record) -> Answer:
    answer = dataset.answer(DatasetId=dataset.id, **dataset.owned(call.account_id))
    versions = state.dataset_versions.values(f"{dataset.id}/")
    if not versions:
        return answer
    latest = max(versions, key=lambda version: int(version.id[1:]))
    return {**answer, "LatestVersion": latest.answer(VersionName=latest.id)}
