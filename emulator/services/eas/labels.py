"""Labels of services: EAS's own operations, and the tag operations that the Go provider calls for the same labels."""

from typing import Any, Literal

from pydantic import Field, Json

from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.eas.product import SERVICE, eas, eas_tags
from emulator.services.eas.records import Service
from emulator.services.eas.state import EasState


class UpdateServiceLabel(Parameters):
    labels: dict[str, str] = Field(alias="Labels")


@eas.operation("UpdateServiceLabel", "PUT", f"{SERVICE}/label")
def update_service_label(state: EasState, cluster_id: str, service_name: str, body: UpdateServiceLabel) -> Answer:
    """Adds labels, or changes their values; the others stay."""
    service = state.find(cluster_id, service_name)
    _relabel(state, service, service.labels | body.labels)
    return {"Message": f"Succeed to update labels of service [{service_name}] in region [{cluster_id}]"}


class DeleteServiceLabel(Parameters):
    """`Keys` is the older form, separated by commas."""

    keys: str = Field("", alias="Keys")
    label_keys: Json[list[str]] = Field([], alias="LabelKeys")


@eas.operation("DeleteServiceLabel", "DELETE", f"{SERVICE}/label")
def delete_service_label(state: EasState, cluster_id: str, service_name: str, query: DeleteServiceLabel) -> Answer:
    service = state.find(cluster_id, service_name)
    gone = {*query.label_keys, *filter(None, query.keys.split(","))}
    _relabel(state, service, {key: value for key, value in service.labels.items() if key not in gone})
    return {"Message": f"Succeed to delete labels of service [{service_name}] in region [{cluster_id}]"}


class Tag(Parameters):
    key: str = Field(alias="Key")
    value: str = Field("", alias="Value")


class TagResources(Parameters):
    resource_type: Literal["service"] = Field(alias="ResourceType")
    resource_id: list[str] = Field(alias="ResourceId", min_length=1)
    tag: list[Tag] = Field(alias="Tag", min_length=1)


@eas_tags.operation("TagResources")
def tag_resources(state: EasState, call: Call, query: TagResources) -> Answer:
    for service in _by_uid(state, call, query.resource_id):
        _relabel(state, service, service.labels | {tag.key: tag.value for tag in query.tag})
    return {}


class UntagResources(Parameters):
    resource_type: Literal["service"] = Field(alias="ResourceType")
    resource_id: list[str] = Field(alias="ResourceId", min_length=1)
    tag_key: list[str] = Field(alias="TagKey", min_length=1)


@eas_tags.operation("UntagResources")
def untag_resources(state: EasState, call: Call, query: UntagResources) -> Answer:
    for service in _by_uid(state, call, query.resource_id):
        _relabel(state, service, {key: value for key, value in service.labels.items() if key not in query.tag_key})
    return {}


def _relabel(state: EasState, service: Service, labels: dict[str, str]) -> None:
    changes: dict[str, Any] = {"labels": labels, "updated_at": state.now()}
    state.put(service.model_copy(update=changes))


def _by_uid(state: EasState, call: Call, uids: list[str]) -> list[Service]:
    by_uid = {service.id: service for service in state.services.values(f"{call.region}/")}
    if missing := [uid for uid in uids if uid not in by_uid]:
        raise ApiError("InvalidResourceId.NotFound", f"There is no service {missing[0]} in {call.region}.", 404)
    return [by_uid[uid] for uid in uids]
