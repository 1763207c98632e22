"""The instances of a service."""

from typing import Any

from pydantic import Field

from emulator.clock import iso
from emulator.operations import Answer, Parameters
from emulator.services.eas.config.parsing import parse_config
from emulator.services.eas.guards import refuse_when_going, refuse_when_locked
from emulator.services.eas.product import SERVICE, eas
from emulator.services.eas.queries import Paged, ordered_page
from emulator.services.eas.records import Instance, LastState, Service
from emulator.services.eas.state import EasState

LOOPBACK = "127.0.0.1"
SORTABLE = ("CreateTime", "InstanceName", "RestartCount", "StartTime", "Status")


class ListServiceInstances(Paged):
    sort: str = Field("CreateTime", alias="Sort")
    filter: str = Field("", alias="Filter")
    instance_name: str | None = Field(None, alias="InstanceName")
    instance_status: str | None = Field(None, alias="InstanceStatus")
    instance_type: str | None = Field(None, alias="InstanceType")
    instance_ip: str | None = Field(None, alias="InstanceIP")
    host_ip: str | None = Field(None, alias="HostIP")
    is_spot: bool | None = Field(None, alias="IsSpot")
    resource_type: str | None = Field(None, alias="ResourceType")
    role: str | None = Field(None, alias="Role")


@eas.operation("ListServiceInstances", "GET", f"{SERVICE}/instances")
def list_service_instances(state: EasState, cluster_id: str, service_name: str, query: ListServiceInstances) -> Answer:
    """Every instance that has a process or waits for one, also those on their way out."""
    service = state.find(cluster_id, service_name)
    instances = [_described(service, instance) for instance in state.instances.values(f"{service.key}/")]
    matching = [answer for answer in instances if _matches(answer, query)]
    return ordered_page("Instances", matching, query, query.sort, SORTABLE)


class DeleteServiceInstances(Parameters):
    instance_list: str = Field(alias="InstanceList", min_length=1)
    soft_restart: bool = Field(False, alias="SoftRestart")
    container: str = Field("", alias="Container")


@eas.operation("DeleteServiceInstances", "DELETE", f"{SERVICE}/instances")
def delete_service_instances(
    state: EasState, cluster_id: str, service_name: str, query: DeleteServiceInstances
) -> Answer:
    """Restarts instances: by building them anew, or with `SoftRestart` only their container's process."""
    service = state.find(cluster_id, service_name)
    refuse_when_going(service)
    refuse_when_locked(service)
    names = [state.find_instance(service, name.strip()).name for name in query.instance_list.split(",")]
    for name in names:
        replica = state.deployments[service.key].replicas.get(name)
        if replica is not None and query.soft_restart:
            replica.restart_container()
        else:
            state.end_instance(service.key, name)
    state.record_service_event(service, "Restarting", f"Restart of {', '.join(names)}")
    return {"Message": f"Instances [{','.join(names)}] of service [{service_name}] will be restarted"}


def _described(service: Service, instance: Instance) -> Answer:
    config = parse_config(service.config)
    answer: Answer = {
        "InstanceName": instance.name,
        "InstanceType": instance.machine_type or config.instance_type,
        "Status": instance.status,
        "Reason": instance.reason,
        "Role": "Standard",
        "ResourceType": "PrivateResource" if instance.resource else "PublicResource",
        "Namespace": service.name,
        "CreateTime": iso(instance.created_at),
        "HostIP": LOOPBACK,
        "HostName": "localhost",
        "InnerIP": LOOPBACK,
        "TotalProcesses": 1,
        "ReadyProcesses": int(instance.ready),
        "RestartCount": instance.restart_count,
        "IsLatest": instance.revision == service.revision,
        "IsReplica": False,
        "IsSpot": instance.spot,
        "Isolated": False,
        "Detached": False,
        "LastState": [_last_state(instance.last_state)] if instance.last_state else [],
    }
    if instance.started_at is not None:
        answer |= {"StartTime": iso(instance.started_at), "InstancePort": instance.port}
    return answer


def _last_state(state: LastState) -> dict[str, Any]:
    """How the container ended the last time. The API leaves the form open; the words are Kubernetes'."""
    answer = {"Reason": state.reason, "Message": state.message, "FinishedAt": iso(state.finished_at)}
    if state.started_at is not None:
        answer["StartedAt"] = iso(state.started_at)
    return answer if state.exit_code is None else {**answer, "ExitCode": state.exit_code}


def _matches(answer: Answer, query: ListServiceInstances) -> bool:
    searched = ("InstanceName", "InnerIP", "HostIP", "InstanceType")
    if not any(query.filter in answer[field] for field in searched):
        return False
    wanted = {
        "InstanceName": query.instance_name,
        "Status": query.instance_status,
        "InstanceType": query.instance_type,
        "InnerIP": query.instance_ip,
        "HostIP": query.host_ip,
        "IsSpot": query.is_spot,
        "ResourceType": query.resource_type,
        "Role": query.role,
    }
    return all(value is None or answer[field] == value for field, value in wanted.items())
