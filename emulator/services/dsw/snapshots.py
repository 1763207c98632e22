"""Snapshots: images made of instances."""

from typing import Literal

from pydantic import Field

from emulator.clock import iso
from emulator.operations import Answer, Call, Parameters
from emulator.services.dsw.parameters import Pair
from emulator.services.dsw.product import INSTANCE, dsw, refusal, succeeded
from emulator.services.dsw.records import Snapshot
from emulator.services.dsw.runtime.saving import new_snapshot, save_running
from emulator.services.dsw.specs import check_order
from emulator.services.dsw.state import DswState

SNAPSHOTS = f"{INSTANCE}/snapshots"
SNAPSHOT = f"{SNAPSHOTS}/{{snapshot_id}}"


class CreateInstanceSnapshot(Parameters):
    snapshot_name: str = Field(alias="SnapshotName", pattern=r"^[A-Za-z0-9_.-]{1,128}$")
    image_url: str = Field(alias="ImageUrl", pattern=r"^\S+:[\w.-]+$")
    snapshot_description: str = Field("", alias="SnapshotDescription")
    labels: list[Pair] = Field([], alias="Labels")
    exclude_paths: list[str] = Field([], alias="ExcludePaths")
    overwrite: bool = Field(False, alias="Overwrite")


@dsw.operation("CreateInstanceSnapshot", "POST", SNAPSHOTS)
def create_instance_snapshot(state: DswState, call: Call, instance_id: str, body: CreateInstanceSnapshot) -> Answer:
    """Of a running instance, whose status it is `Saving` meanwhile."""
    instance = state.find(call.region, instance_id)
    if instance.status != "Running":
        raise refusal(f"A snapshot can be made of a Running instance; it is {instance.status}.")
    if state.images.has(body.image_url) and not body.overwrite:
        raise refusal(f"There is an image {body.image_url} already; Overwrite is not set.")
    snapshot = new_snapshot(
        state,
        instance,
        name=body.snapshot_name,
        image_url=body.image_url,
        description=body.snapshot_description,
        labels={label.key: label.value for label in body.labels},
        exclude_paths=body.exclude_paths,
    )
    state.set_status(instance.id, "Saving")
    state.background(save_running(state, snapshot))
    return succeeded(InstanceId=instance.id, SnapshotId=snapshot.id)


@dsw.operation("GetInstanceSnapshot", "GET", SNAPSHOT)
def get_instance_snapshot(state: DswState, call: Call, instance_id: str, snapshot_id: str) -> Answer:
    return succeeded(**_described(_find(state, call, instance_id, snapshot_id)))


class ListInstanceSnapshot(Parameters):
    order: Literal["ASC", "DESC"] | None = Field(None, alias="Order")
    sort_by: Literal["GmtCreateTime", "GmtCreate"] | None = Field(None, alias="SortBy")
    page_number: int = Field(1, ge=1, alias="PageNumber")
    page_size: int = Field(10, ge=1, le=1000, alias="PageSize")


@dsw.operation("ListInstanceSnapshot", "GET", SNAPSHOTS)
def list_instance_snapshot(state: DswState, call: Call, instance_id: str, query: ListInstanceSnapshot) -> Answer:
    """The newest first, unless `Order` says otherwise."""
    check_order(query.sort_by, query.order)
    instance = state.find(call.region, instance_id)
    every = sorted(state.snapshots.values(f"{instance.id}/"), key=lambda snapshot: snapshot.created_at)
    if query.order != "ASC":
        every.reverse()
    page = every[(query.page_number - 1) * query.page_size :][: query.page_size]
    return succeeded(Snapshots=[_described(snapshot) for snapshot in page], TotalCount=len(every))


@dsw.operation("DeleteInstanceSnapshot", "DELETE", SNAPSHOT)
def delete_instance_snapshot(state: DswState, call: Call, instance_id: str, snapshot_id: str) -> Answer:
    """The image itself stays in its registry."""
    snapshot = _find(state, call, instance_id, snapshot_id)
    state.snapshots.delete(f"{snapshot.instance_id}/{snapshot.id}")
    return succeeded(InstanceId=instance_id, SnapshotId=snapshot_id)


def _find(state: DswState, call: Call, instance_id: str, snapshot_id: str) -> Snapshot:
    instance = state.find(call.region, instance_id)
    snapshot = state.snapshots.get(f"{instance.id}/{snapshot_id}")
    if snapshot is None:
        raise refusal(f"The instance {instance_id} has no snapshot {snapshot_id}.", 404)
    return snapshot


def _described(snapshot: Snapshot) -> Answer:
    return {
        "InstanceId": snapshot.instance_id,
        "SnapshotId": snapshot.id,
        "SnapshotName": snapshot.name,
        "ImageUrl": snapshot.image_url,
        "ImageId": snapshot.image_id,
        "Labels": [{"Key": key, "Value": value} for key, value in sorted(snapshot.labels.items())],
        "ExcludePaths": snapshot.exclude_paths,
        "GmtCreateTime": iso(snapshot.created_at),
        "GmtModifiedTime": iso(snapshot.modified_at),
        "Status": snapshot.status,
        "ReasonCode": snapshot.reason_code,
        "ReasonMessage": snapshot.reason_message,
    }
