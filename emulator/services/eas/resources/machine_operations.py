"""The machines of dedicated resource groups."""

import secrets
from datetime import timedelta
from typing import Literal

from pydantic import Field, Json

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.eas.config.parsing import invalid
from emulator.services.eas.product import eas
from emulator.services.eas.queries import CommaSeparated, Paged, ordered_page
from emulator.services.eas.records import ServiceKey
from emulator.services.eas.resources.machines import MACHINES
from emulator.services.eas.resources.placement import Room, capacity, instances_on, need_of, rooms
from emulator.services.eas.resources.records import ChargeType, ResourceGroup, ResourceMachine
from emulator.services.eas.state import EasState

INSTANCES = "/api/v2/resources/{cluster_id}/{resource_id}/instances"
SORTABLE = ("CreateTime", "ExpireTime", "InstanceId", "InstanceName", "InstanceStatus", "MemoryUsed", "CpuUsed")


class MachineParameters(Parameters):
    """`SystemDiskSize` in GiB. The API has no subscription length."""

    machine_type: str = Field(alias="EcsInstanceType")
    count: int = Field(ge=1, le=100, alias="EcsInstanceCount")
    charge_type: ChargeType = Field(alias="ChargeType")
    auto_renewal: bool = Field(False, alias="AutoRenewal")
    disk_gib: int = Field(200, ge=200, le=2000, alias="SystemDiskSize")
    zone: str = Field("", alias="Zone")
    labels: dict[str, str] = Field({}, alias="Labels")


class Purchase(Parameters):
    """`start_s` is in emulated time."""

    start_s: float = Field(ge=0, le=86_400)


class CreateResourceInstances(MachineParameters):
    user_data: str = Field("", alias="UserData")


@eas.operation("CreateResourceInstances", "POST", INSTANCES)
def create_resource_instances(
    state: EasState, call: Call, cluster_id: str, resource_id: str, body: CreateResourceInstances
) -> Answer:
    machines = add_machines(state, call, state.find_resource_group(cluster_id, resource_id), body)
    return {"InstanceIds": [machine.id for machine in machines], "Message": f"{len(machines)} instances are created"}


def add_machines(state: EasState, call: Call, group: ResourceGroup, wanted: MachineParameters) -> list[ResourceMachine]:
    """ApiError for an instance type that is not in the table."""
    if wanted.machine_type not in MACHINES:
        raise invalid(f"There is no instance type {wanted.machine_type!r}; DescribeMachineSpec lists what there is.")
    machines = [
        ResourceMachine(
            region=group.region,
            group=group.id,
            id=f"eas-i-{secrets.token_hex(9)}",
            type=wanted.machine_type,
            charge_type=wanted.charge_type,
            auto_renewal=wanted.auto_renewal,
            disk_gib=wanted.disk_gib,
            zone=wanted.zone or f"{group.region}-b",
            labels=wanted.labels,
            created_at=call.now,
            ready_at=call.now + timedelta(seconds=state.machine_start_s),
        )
        for _ in range(wanted.count)
    ]
    for machine in machines:
        _put(state, machine)
    return machines


class ListResourceInstances(Paged):
    sort: str = Field("CreateTime", alias="Sort")
    filter: str = Field("", alias="Filter")
    charge_type: ChargeType | None = Field(None, alias="ChargeType")
    instance_id: str | None = Field(None, alias="InstanceId")
    instance_name: str | None = Field(None, alias="InstanceName")
    instance_ip: str | None = Field(None, alias="InstanceIP")
    status: str | None = Field(None, alias="InstanceStatus")
    zone: str | None = Field(None, alias="Zone")
    label: Json[dict[str, str]] = Field({}, alias="Label")


@eas.operation("ListResourceInstances", "GET", INSTANCES)
def list_resource_instances(state: EasState, cluster_id: str, resource_id: str, query: ListResourceInstances) -> Answer:
    state.find_resource_group(cluster_id, resource_id)
    answers = [
        _described(room)
        for room in rooms(state, cluster_id, resource_id)
        if query.label.items() <= room.machine.labels.items()
    ]
    wanted = {
        "ChargeType": query.charge_type,
        "InstanceId": query.instance_id,
        "InstanceName": query.instance_name,
        "InstanceIp": query.instance_ip,
        "InstanceStatus": query.status,
        "Zone": query.zone,
    }
    matching = [
        answer
        for answer in answers
        if query.filter in answer["InstanceId"]
        and all(value is None or answer[name] == value for name, value in wanted.items())
    ]
    return ordered_page("Instances", matching, query, query.sort, SORTABLE)


class ListResourceInstanceWorker(Paged):
    sort: str = Field("StartTime", alias="Sort")
    ready: bool | None = Field(None, alias="Ready")
    service_name: str | None = Field(None, alias="ServiceName")
    status: str | None = Field(None, alias="Status")
    worker_name: str | None = Field(None, alias="WorkerName")


@eas.operation(
    "ListResourceInstanceWorker", "GET", "/api/v2/resources/{cluster_id}/{resource_id}/instance/{instance_name}/workers"
)
def list_resource_instance_worker(
    state: EasState, cluster_id: str, resource_id: str, instance_name: str, query: ListResourceInstanceWorker
) -> Answer:
    """The service instances on a machine. `MemoryRquest` is the SDK's own spelling."""
    machine = _find(state, cluster_id, resource_id, instance_name)
    pods = []
    for key, instance in instances_on(state, cluster_id, machine.id):
        service_name = key.split("/")[1]
        need = need_of(state.config_of(ServiceKey(cluster_id, service_name)))
        pods.append(
            {
                "Name": instance.name,
                "ServiceName": service_name,
                "Status": instance.status,
                "Ready": instance.ready,
                "RestartCount": instance.restart_count,
                "StartTime": iso(instance.started_at or instance.created_at),
                "CpuRequest": int(need.cpu),
                "CpuLimit": int(need.cpu),
                "MemoryRquest": int(need.memory_mib),
                "MemoryLimit": int(need.memory_mib),
                "GpuRequest": int(need.gpus),
                "GpuLimit": int(need.gpus),
            }
        )
    wanted = {
        "Ready": query.ready,
        "ServiceName": query.service_name,
        "Status": query.status,
        "Name": query.worker_name,
    }
    matching = [pod for pod in pods if all(value is None or pod[name] == value for name, value in wanted.items())]
    return ordered_page("Pods", matching, query, query.sort, ("StartTime", "Name", "RestartCount", "Status"))


class UpdateResourceInstance(Parameters):
    action: Literal["Uncordon", "Cordon", "Drain"] = Field(alias="Action")
    reason: str = Field("", alias="Reason")


@eas.operation("UpdateResourceInstance", "PUT", f"{INSTANCES}/{{instance_id}}")
def update_resource_instance(
    state: EasState, cluster_id: str, resource_id: str, instance_id: str, body: UpdateResourceInstance
) -> Answer:
    """`Cordon` lets no further instance on the machine, `Drain` also has those on it replaced elsewhere."""
    machine = _find(state, cluster_id, resource_id, instance_id)
    cordoned = body.action != "Uncordon"
    _put(state, machine.model_copy(update={"cordoned": cordoned, "cordon_reason": body.reason if cordoned else ""}))
    if body.action == "Drain":
        for key, instance in instances_on(state, cluster_id, instance_id):
            region, service, _ = key.split("/")
            state.have_leave(ServiceKey(region, service), instance.name, None)
    return {"ResourceId": resource_id, "InstanceId": instance_id}


class DeleteResourceInstances(Parameters):
    instance_list: str = Field("", alias="InstanceList")
    all_failed: bool = Field(False, alias="AllFailed")


@eas.operation("DeleteResourceInstances", "DELETE", INSTANCES)
def delete_resource_instances(
    state: EasState, cluster_id: str, resource_id: str, query: DeleteResourceInstances
) -> Answer:
    """Pay-as-you-go machines only. What runs on them ends, and starts elsewhere where there is room; `Drain` first
    keeps it in traffic meanwhile. No machine fails here, so `AllFailed` finds none."""
    names = [name.strip() for name in query.instance_list.split(",") if name.strip()]
    if not names and not query.all_failed:
        raise ApiError("MissingParameter", "DeleteResourceInstances needs InstanceList or AllFailed.")
    machines = [_find(state, cluster_id, resource_id, name) for name in names]
    if subscribed := [machine.id for machine in machines if machine.charge_type == "PrePaid"]:
        raise invalid(f"Only pay-as-you-go instances can be deleted; {subscribed[0]} is subscribed.")
    for machine in machines:
        state.machines.delete(f"{cluster_id}/{resource_id}/{machine.id}")
        for key, instance in instances_on(state, cluster_id, machine.id):
            region, service, _ = key.split("/")
            state.end_instance(ServiceKey(region, service), instance.name)
    return {"Message": f"Instances [{','.join(names)}] of resource group [{resource_id}] are deleted"}


class InstanceChoice(Parameters):
    all_instances: bool = Field(False, alias="AllInstances")
    instance_ids: CommaSeparated = Field([], alias="InstanceIds")


class LabelsToSet(Parameters):
    labels: dict[str, str] = Field(alias="Labels")


@eas.operation("UpdateResourceInstanceLabel", "PUT", "/api/v2/resources/{cluster_id}/{resource_id}/label")
def update_resource_instance_label(
    state: EasState, cluster_id: str, resource_id: str, query: InstanceChoice, body: LabelsToSet
) -> Answer:
    for machine in _chosen(state, cluster_id, resource_id, query):
        _put(state, machine.model_copy(update={"labels": machine.labels | body.labels}))
    return {"Message": f"Succeed to update labels of instances of resource group [{resource_id}]"}


class LabelsToRemove(InstanceChoice):
    keys: CommaSeparated = Field([], alias="Keys")
    label_keys: Json[list[str]] = Field([], alias="LabelKeys")


@eas.operation("DeleteResourceInstanceLabel", "DELETE", "/api/v2/resources/{cluster_id}/{resource_id}/label")
def delete_resource_instance_label(state: EasState, cluster_id: str, resource_id: str, query: LabelsToRemove) -> Answer:
    gone = {*query.keys, *query.label_keys}
    for machine in _chosen(state, cluster_id, resource_id, query):
        _put(state, machine.model_copy(update={"labels": {k: v for k, v in machine.labels.items() if k not in gone}}))
    return {"Message": f"Succeed to delete labels of instances of resource group [{resource_id}]"}


def _chosen(state: EasState, region: str, group: str, query: InstanceChoice) -> list[ResourceMachine]:
    state.find_resource_group(region, group)
    if query.all_instances:
        return state.machines.values(f"{region}/{group}/")
    if not query.instance_ids:
        raise ApiError("MissingParameter", "InstanceIds or AllInstances is needed.")
    return [_find(state, region, group, name) for name in query.instance_ids]


def _put(state: EasState, machine: ResourceMachine) -> None:
    state.machines.put(f"{machine.region}/{machine.group}/{machine.id}", machine)
    state.wake_all()


def _find(state: EasState, region: str, group: str, name: str) -> ResourceMachine:
    state.find_resource_group(region, group)
    machine = state.machines.get(f"{region}/{group}/{name}")
    if machine is None:
        message = f"Resource group [{group}] has no instance [{name}]."
        raise ApiError("InvalidResourceInstance.NotFound", message, 404)
    return machine


def _described(room: Room) -> Answer:
    """The SDK's examples have the status `Ready-SchedulingEnabled`, which is Kubernetes' of a node."""
    machine, shape, total = room.machine, MACHINES[room.machine.type], capacity(room.machine.type)
    ready = "Ready" if room.ready else "NotReady"
    return {
        "InstanceId": machine.id,
        "InstanceName": machine.id,
        "InstanceIp": "127.0.0.1",
        "InstanceType": machine.type,
        "InstanceStatus": f"{ready}-Scheduling{'Disabled' if machine.cordoned else 'Enabled'}",
        "ResourceId": machine.group,
        "Region": machine.region,
        "Zone": machine.zone,
        "Arch": "amd64",
        "ChargeType": machine.charge_type,
        "AutoRenewal": machine.auto_renewal,
        "CreateTime": iso(machine.created_at),
        "InstanceCpuCount": shape.cpu,
        "InstanceGpuCount": shape.gpus,
        "InstanceGpuMemory": f"{shape.gpu_memory_gib * shape.gpus}Gi",
        "InstanceMemory": f"{total.memory_mib:.0f}Mi",
        "InstanceSystemDiskSize": machine.disk_gib,
        "InstanceUsedCpu": total.cpu - room.left.cpu,
        "InstanceUsedGpu": total.gpus - room.left.gpus,
        "InstanceUsedMemory": f"{total.memory_mib - room.left.memory_mib:.0f}Mi",
        "LastCordonReason": machine.cordon_reason,
        "Labels": [{"LabelKey": key, "LabelValue": value} for key, value in sorted(machine.labels.items())],
    }
