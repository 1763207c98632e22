"""Dedicated resource groups."""

import json
import secrets
from typing import Any, Literal

from pydantic import Field

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.eas.config.parsing import invalid
from emulator.services.eas.product import eas
from emulator.services.eas.queries import Paged, ordered_page, page
from emulator.services.eas.records import Service
from emulator.services.eas.resources.machine_operations import MachineParameters, add_machines
from emulator.services.eas.resources.placement import Need, capacity, rooms
from emulator.services.eas.resources.records import ResourceGroup
from emulator.services.eas.services import described
from emulator.services.eas.state import EasState

RESOURCES = "/api/v2/resources"
RESOURCE = f"{RESOURCES}/{{cluster_id}}/{{resource_id}}"
SORTABLE = ("CreateTime", "UpdateTime", "ResourceName", "ResourceId", "Status", "InstanceCount", "CpuCount", "Memory")


class CreateResource(MachineParameters):
    name: str = Field("", alias="ResourceName", max_length=27)
    kind: Literal["Dedicated", "SelfManaged"] = Field("Dedicated", alias="ResourceType")
    usage_mode: str = Field("", alias="UsageMode")
    self_managed: dict[str, Any] | None = Field(None, alias="SelfManagedResourceOptions")


@eas.operation("CreateResource", "POST", RESOURCES)
def create_resource(state: EasState, call: Call, body: CreateResource) -> Answer:
    """The cloud takes minutes to start machines; here they are ready at once, or after `Purchase.start_s`.

    `EcsInstanceType`, `EcsInstanceCount` and `ChargeType` are "required when `ResourceType` is set to `Dedicated`" (the
    SDK's CreateResourceRequest).
    """
    if body.kind != "Dedicated" or body.self_managed is not None:
        raise invalid("The emulator has dedicated resource groups only, no self-managed ones.")
    number = f"eas-r-{secrets.token_hex(9)}"
    group = ResourceGroup(
        region=call.region,
        id=number,
        name=body.name or number,
        usage_mode=body.usage_mode,
        created_at=call.now,
        updated_at=call.now,
    )
    state.resource_groups.put(f"{group.region}/{group.id}", group)
    machines = add_machines(state, call, group, body)
    return {
        "ResourceId": group.id,
        "ResourceName": group.name,
        "ClusterId": group.region,
        "OwnerUid": call.account_id,
        "InstanceIds": [machine.id for machine in machines],
    }


@eas.operation("DescribeResource", "GET", RESOURCE)
def describe_resource(state: EasState, cluster_id: str, resource_id: str) -> Answer:
    group = state.find_resource_group(cluster_id, resource_id)
    answer = _described(state, group)
    return answer | {
        "OwnerUid": state.account_id,
        "ServiceCount": str(answer["ServiceCount"]),
        "ExtraData": json.dumps(answer["ExtraData"]),
    }


class ListResources(Paged):
    sort: str = Field("CreateTime", alias="Sort")
    resource_id: str | None = Field(None, alias="ResourceId")
    name: str = Field("", alias="ResourceName")
    status: str | None = Field(None, alias="ResourceStatus")
    kind: str | None = Field(None, alias="ResourceType")
    usage_mode: str | None = Field(None, alias="UsageMode")


@eas.operation("ListResources", "GET", RESOURCES)
def list_resources(state: EasState, call: Call, query: ListResources) -> Answer:
    matching = [
        answer
        for group in state.resource_groups.values(f"{call.region}/")
        if query.name in group.name
        and query.resource_id in (None, group.id)
        and query.status in (None, "ResourceReady")
        and query.kind in (None, "Dedicated")
        and query.usage_mode in (None, group.usage_mode)
        and (answer := _described(state, group))
    ]
    return ordered_page("Resources", matching, query, query.sort, SORTABLE)


class UpdateResource(Parameters):
    name: str = Field(alias="ResourceName", min_length=1, max_length=27)


@eas.operation("UpdateResource", "PUT", RESOURCE)
def update_resource(state: EasState, call: Call, cluster_id: str, resource_id: str, body: UpdateResource) -> Answer:
    group = state.find_resource_group(cluster_id, resource_id)
    renamed = group.model_copy(update={"name": body.name, "updated_at": call.now})
    state.resource_groups.put(f"{cluster_id}/{resource_id}", renamed)
    return {"ResourceId": group.id, "ResourceName": body.name}


@eas.operation("DeleteResource", "DELETE", RESOURCE)
def delete_resource(state: EasState, cluster_id: str, resource_id: str) -> Answer:
    """Only without machines and without services."""
    state.find_resource_group(cluster_id, resource_id)
    if machines := state.machines.values(f"{cluster_id}/{resource_id}/"):
        raise ApiError(
            "InvalidResource.NotEmpty", f"Resource group [{resource_id}] still has {len(machines)} machines.", 409
        )
    if services := services_in(state, cluster_id, resource_id):
        names = ", ".join(service.name for service in services)
        message = f"Resource group [{resource_id}] is still used by services: {names}."
        raise ApiError("InvalidResource.InUse", message, 409)
    state.resource_groups.delete(f"{cluster_id}/{resource_id}")
    return {"Message": f"Succeed to delete resource group [{resource_id}] in region [{cluster_id}]"}


class ListResourceServices(Parameters):
    page_number: int = Field(1, ge=1, alias="PageNumber")
    page_size: int = Field(100, ge=1, le=1000, alias="PageSize")


@eas.operation("ListResourceServices", "GET", f"{RESOURCE}/services")
def list_resource_services(state: EasState, cluster_id: str, resource_id: str, query: ListResourceServices) -> Answer:
    state.find_resource_group(cluster_id, resource_id)
    services = services_in(state, cluster_id, resource_id)
    found = page(services, query.page_number, query.page_size)
    return {
        "Services": [described(state, service) for service in found],
        "TotalCount": len(services),
        "PageNumber": query.page_number,
        "PageSize": query.page_size,
    }


class UpdateResourceDLink(Parameters):
    vswitch_id: str = Field(alias="VSwitchId", min_length=1)
    security_group_id: str = Field(alias="SecurityGroupId", min_length=1)
    vswitch_ids: list[str] = Field([], alias="VSwitchIdList")
    destination_cidrs: str = Field("", alias="DestinationCIDRs")


@eas.operation("UpdateResourceDLink", "PUT", f"{RESOURCE}/dlink")
def update_resource_dlink(
    state: EasState, call: Call, cluster_id: str, resource_id: str, body: UpdateResourceDLink
) -> Answer:
    """Makes or changes the connection to a VPC. It is stored; processes on this machine have no such network."""
    group = state.find_resource_group(cluster_id, resource_id)
    dlink = body.model_dump(by_alias=True)
    state.resource_groups.put(
        f"{cluster_id}/{resource_id}", group.model_copy(update={"dlink": dlink, "updated_at": call.now})
    )
    return {"Message": f"Succeed to update dlink of resource group [{resource_id}]"}


@eas.operation("DescribeResourceDLink", "GET", f"{RESOURCE}/dlink")
def describe_resource_dlink(state: EasState, cluster_id: str, resource_id: str) -> Answer:
    dlink = state.find_resource_group(cluster_id, resource_id).dlink
    answer = {name: value for name, value in dlink.items() if name != "VSwitchIdList"}
    return {**answer, "AuxVSwitchList": dlink.get("VSwitchIdList", [])}


@eas.operation("DeleteResourceDLink", "DELETE", f"{RESOURCE}/dlink")
def delete_resource_dlink(state: EasState, cluster_id: str, resource_id: str) -> Answer:
    group = state.find_resource_group(cluster_id, resource_id)
    state.resource_groups.put(f"{cluster_id}/{resource_id}", group.model_copy(update={"dlink": {}}))
    return {"Message": f"Succeed to delete dlink of resource group [{resource_id}]"}


def services_in(state: EasState, region: str, resource: str) -> list[Service]:
    services = state.services.values(f"{region}/")
    return [service for service in services if service.config["metadata"].get("resource") == resource]


def _described(state: EasState, group: ResourceGroup) -> Answer:
    places = rooms(state, group.region, group.id)
    total = [capacity(room.machine.type) for room in places]
    used = [all_of - room.left for all_of, room in zip(total, places, strict=True)]
    largest = max(total, default=Need(0, 0, 0))
    subscribed = sum(room.machine.charge_type == "PrePaid" for room in places)
    return {
        "ResourceId": group.id,
        "ResourceName": group.name,
        "ResourceType": "Dedicated",
        "ClusterId": group.region,
        "Status": "ResourceReady",
        "Message": "Resource is ready",
        "InstanceCount": len(places),
        "PrePaidInstanceCount": subscribed,
        "PostPaidInstanceCount": len(places) - subscribed,
        "CpuCount": int(sum(each.cpu for each in total)),
        "CpuUsed": int(sum(each.cpu for each in used)),
        "GpuCount": int(sum(each.gpus for each in total)),
        "GpuUsed": sum(each.gpus for each in used),
        "Memory": int(sum(each.memory_mib for each in total)),
        "MemoryUsed": int(sum(each.memory_mib for each in used)),
        "InstanceMaxAllocatableCPU": int(largest.cpu),
        "InstanceMaxAllocatableGPU": largest.gpus,
        "InstanceMaxAllocatableMemory": int(largest.memory_mib),
        "Features": [],
        "UsageMode": group.usage_mode,
        "ServiceCount": len(services_in(state, group.region, group.id)),
        "ExtraData": {},
        "CreateTime": iso(group.created_at),
        "UpdateTime": iso(group.updated_at),
    }
