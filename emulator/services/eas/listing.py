"""ListServices."""

from typing import Literal

from pydantic import Field, Json

from emulator.operations import Answer, Call
from emulator.services.eas.product import SERVICES, eas
from emulator.services.eas.queries import Paged, ordered_page
from emulator.services.eas.records import Service
from emulator.services.eas.services import described
from emulator.services.eas.state import EasState

ResourceKind = Literal["PublicResource", "DedicatedResource", "Lingjun", "SelfManagedLingjun"]

SORTABLE = ("CreateTime", "UpdateTime", "ServiceName", "Status", "Cpu", "Gpu", "Memory", "TotalInstance")

# Parameters that select services by a field of the answer.
BY_FIELD = {
    "service_name": "ServiceName",
    "service_status": "Status",
    "service_uid": "ServiceUid",
    "group_name": "ServiceGroup",
    "gateway": "Gateway",
    "resource_id": "Resource",
    "resource_alias_name": "ResourceAlias",
    "quota_id": "QuotaId",
    "role": "Role",
    "traffic_state": "TrafficState",
    "caller_uid": "CallerUid",
    "autoscaler_enabled": "AutoscalerEnabled",
    "cronscaler_enabled": "CronscalerEnabled",
    "resource_burstable": "ResourceBurstable",
}


class ListServices(Paged):
    sort: str = Field("CreateTime", alias="Sort")
    filter: str = Field("", alias="Filter")
    label: Json[dict[str, str]] = Field({}, alias="Label")
    workspace_id: str | None = Field(None, alias="WorkspaceId")
    include_no_workspace: bool = Field(True, alias="IncludeNoWorkspace")
    resource_name: str | None = Field(None, alias="ResourceName")
    resource_type: ResourceKind | None = Field(None, alias="ResourceType")
    service_type: str | None = Field(None, alias="ServiceType")
    service_name: str | None = Field(None, alias="ServiceName")
    service_status: str | None = Field(None, alias="ServiceStatus")
    service_uid: str | None = Field(None, alias="ServiceUid")
    group_name: str | None = Field(None, alias="GroupName")
    gateway: str | None = Field(None, alias="Gateway")
    resource_id: str | None = Field(None, alias="ResourceId")
    resource_alias_name: str | None = Field(None, alias="ResourceAliasName")
    quota_id: str | None = Field(None, alias="QuotaId")
    role: str | None = Field(None, alias="Role")
    traffic_state: str | None = Field(None, alias="TrafficState")
    caller_uid: str | None = Field(None, alias="CallerUid")
    autoscaler_enabled: bool | None = Field(None, alias="AutoscalerEnabled")
    cronscaler_enabled: bool | None = Field(None, alias="CronscalerEnabled")
    resource_burstable: bool | None = Field(None, alias="ResourceBurstable")


@eas.operation("ListServices", "GET", SERVICES)
def list_services(state: EasState, call: Call, query: ListServices) -> Answer:
    """The services of the caller's region. `Filter` is part of a name; the other parameters must match."""
    candidates = [service for service in state.services.values(f"{call.region}/") if _has_labels(service, query.label)]
    matching = [answer for service in candidates if _matches(answer := described(state, service), service, query)]
    return ordered_page("Services", matching, query, query.sort, SORTABLE)


def _has_labels(service: Service, wanted: dict[str, str]) -> bool:
    return wanted.items() <= service.labels.items()


def _matches(answer: Answer, service: Service, query: ListServices) -> bool:
    kind = "DedicatedResource" if answer["Resource"] else "PublicResource"
    wanted = ((field, getattr(query, parameter)) for parameter, field in BY_FIELD.items())
    return (
        query.filter in service.name
        and _in_workspace(service, query)
        and query.resource_type in (None, kind)
        and query.resource_name in (None, answer["Resource"])
        and query.service_type in (None, service.config["metadata"].get("type", "Standard"))
        and all(value is None or answer.get(field, "") == value for field, value in wanted)
    )


def _in_workspace(service: Service, query: ListServices) -> bool:
    if not service.workspace_id:
        return query.include_no_workspace
    return query.workspace_id in (None, service.workspace_id)
