"""Virtual resource groups: several kinds of machines under one id, by priority."""

import secrets
from typing import Self

from pydantic import Field, model_validator

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.eas.config.parsing import invalid
from emulator.services.eas.product import eas
from emulator.services.eas.queries import Paged, ordered_page
from emulator.services.eas.resources.groups import services_in
from emulator.services.eas.resources.machines import MACHINES
from emulator.services.eas.resources.records import VirtualGroup, VirtualSource
from emulator.services.eas.state import EasState

VIRTUAL_RESOURCES = "/api/v2/virtualresources"
VIRTUAL_RESOURCE = f"{VIRTUAL_RESOURCES}/{{cluster_id}}/{{virtual_resource_id}}"
SORTABLE = ("CreateTime", "UpdateTime", "VirtualResourceName", "VirtualResourceId", "ServiceCount")


class Source(Parameters):
    priority: int = Field(0, alias="Priority")
    instance_type: str | None = Field(None, alias="InstanceType")
    resource_id: str | None = Field(None, alias="ResourceId")
    quota_id: str | None = Field(None, alias="QuotaId")
    region: str | None = Field(None, alias="Region")
    spot_price_limit: float | None = Field(None, alias="SpotPriceLimit", gt=0)

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum(origin is not None for origin in (self.instance_type, self.resource_id, self.quota_id)) != 1:
            raise ValueError("give exactly one of InstanceType, ResourceId and QuotaId")
        if self.spot_price_limit is not None and self.instance_type is None:
            raise ValueError("SpotPriceLimit goes with InstanceType only")
        return self


class VirtualResourceParameters(Parameters):
    name: str = Field("", alias="VirtualResourceName", max_length=128)
    sources: list[Source] = Field(alias="Resources", min_length=1)
    disable_spot_protection_period: bool = Field(False, alias="DisableSpotProtectionPeriod")


@eas.operation("CreateVirtualResource", "POST", VIRTUAL_RESOURCES)
def create_virtual_resource(state: EasState, call: Call, body: VirtualResourceParameters) -> Answer:
    number = f"eas-vr-{secrets.token_hex(9)}"
    group = VirtualGroup(
        region=call.region,
        id=number,
        name=body.name or number,
        sources=_checked(state, call.region, body.sources),
        disable_spot_protection_period=body.disable_spot_protection_period,
        created_at=call.now,
        updated_at=call.now,
    )
    state.virtual_groups.put(f"{call.region}/{number}", group)
    return {"VirtualResourceId": number, "Message": f"Virtual resource [{number}] is created"}


@eas.operation("UpdateVirtualResource", "PUT", VIRTUAL_RESOURCE)
def update_virtual_resource(
    state: EasState, call: Call, cluster_id: str, virtual_resource_id: str, body: VirtualResourceParameters
) -> Answer:
    """The list of resources replaces the one before; instances that run stay where they are."""
    group = _find(state, cluster_id, virtual_resource_id)
    changes = {
        "name": body.name or group.name,
        "sources": _checked(state, cluster_id, body.sources),
        "disable_spot_protection_period": body.disable_spot_protection_period,
        "updated_at": call.now,
    }
    state.virtual_groups.put(f"{cluster_id}/{virtual_resource_id}", group.model_copy(update=changes))
    state.wake_all()
    return {"Message": f"Virtual resource [{virtual_resource_id}] is updated"}


@eas.operation("DescribeVirtualResource", "GET", VIRTUAL_RESOURCE)
def describe_virtual_resource(state: EasState, cluster_id: str, virtual_resource_id: str) -> Answer:
    group = _find(state, cluster_id, virtual_resource_id)
    return _described(state, group) | {
        "DisableSpotProtectionPeriod": group.disable_spot_protection_period,
        "Features": [],
        "Resources": [_described_source(source) for source in group.sources],
    }


class ListVirtualResource(Paged):
    sort: str = Field("CreateTime", alias="Sort")
    number: str | None = Field(None, alias="VirtualResourceId")
    name: str = Field("", alias="VirtualResourceName")


@eas.operation("ListVirtualResource", "GET", VIRTUAL_RESOURCES)
def list_virtual_resource(state: EasState, call: Call, query: ListVirtualResource) -> Answer:
    matching = [
        _described(state, group)
        for group in state.virtual_groups.values(f"{call.region}/")
        if query.number in (None, group.id) and query.name in group.name
    ]
    return ordered_page("VirtualResources", matching, query, query.sort, SORTABLE)


@eas.operation("DeleteVirtualResource", "DELETE", VIRTUAL_RESOURCE)
def delete_virtual_resource(state: EasState, cluster_id: str, virtual_resource_id: str) -> Answer:
    _find(state, cluster_id, virtual_resource_id)
    if services := services_in(state, cluster_id, virtual_resource_id):
        names = ", ".join(service.name for service in services)
        message = f"Virtual resource [{virtual_resource_id}] is still used by services: {names}."
        raise ApiError("InvalidVirtualResource.InUse", message, 409)
    state.virtual_groups.delete(f"{cluster_id}/{virtual_resource_id}")
    return {"Message": f"Virtual resource [{virtual_resource_id}] is deleted"}


def _checked(state: EasState, region: str, sources: list[Source]) -> list[VirtualSource]:
    for source in sources:
        if source.quota_id is not None:
            raise invalid("The emulator has no quotas; give InstanceType or ResourceId.")
        if source.resource_id is not None:
            state.find_resource_group(region, source.resource_id)
        elif source.instance_type not in MACHINES:
            raise invalid(f"There is no instance type {source.instance_type!r}; DescribeMachineSpec lists them.")
    return [VirtualSource(**source.model_dump(exclude={"quota_id"})) for source in sources]


def _find(state: EasState, region: str, number: str) -> VirtualGroup:
    group = state.virtual_groups.get(f"{region}/{number}")
    if group is None:
        raise ApiError("InvalidVirtualResource.NotFound", f"There is no virtual resource [{number}].", 404)
    return group


def _described(state: EasState, group: VirtualGroup) -> Answer:
    return {
        "VirtualResourceId": group.id,
        "VirtualResourceName": group.name,
        "ServiceCount": len(services_in(state, group.region, group.id)),
        "CreateTime": iso(group.created_at),
        "UpdateTime": iso(group.updated_at),
    }


def _described_source(source: VirtualSource) -> Answer:
    answer = {
        "InstanceType": source.instance_type,
        "ResourceId": source.resource_id,
        "Priority": source.priority,
        "Region": source.region,
        "SpotPriceLimit": source.spot_price_limit,
    }
    return {name: value for name, value in answer.items() if value is not None}
