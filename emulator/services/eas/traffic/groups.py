"""Creating, describing, listing, updating and deleting service groups."""

from typing import Literal

from pydantic import Field, Json

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.eas.config.metadata import ServiceName
from emulator.services.eas.endpoints import group_internet_endpoint, group_intranet_endpoint
from emulator.services.eas.guards import refuse_when_locked
from emulator.services.eas.product import eas
from emulator.services.eas.queries import Paged, ordered_page
from emulator.services.eas.records import ServiceKey
from emulator.services.eas.state import EasState
from emulator.services.eas.tokens import new_token
from emulator.services.eas.traffic.membership import members
from emulator.services.eas.traffic.records import Group

GROUPS = "/api/v2/groups"
GROUP = f"{GROUPS}/{{cluster_id}}/{{group_name}}"
SORTABLE = ("CreateTime", "UpdateTime", "Name")


class Network(Parameters):
    vpc_id: str | None = Field(None, alias="VpcId")
    vswitch_id: str | None = Field(None, alias="VSwitchId")
    security_group_id: str | None = Field(None, alias="SecurityGroupId")
    gateway_id: str | None = Field(None, alias="GatewayId")

    def document(self) -> dict[str, str]:
        return self.model_dump(by_alias=True, exclude_none=True)


class CreateGroup(Parameters):
    name: ServiceName = Field(alias="Name")
    labels: dict[str, str] = Field({}, alias="Labels")
    network: Network = Field(Network(), alias="Network")
    workspace_id: str = Field("", alias="WorkSpaceId")


@eas.operation("CreateGroup", "POST", GROUPS)
def create_group(state: EasState, call: Call, body: CreateGroup) -> Answer:
    key = ServiceKey(call.region, body.name)
    if state.groups.get(str(key)) is not None:
        raise ApiError("InvalidGroup.Exists", f"Group [{key.name}] already exists in region [{key.region}].", 409)
    if state.services.get(str(key)) is not None:
        message = f"A service group cannot be called [{key.name}]: there is a service of that name."
        raise ApiError("InvalidGroup.NameConflict", message, 409)
    group = Group(
        region=key.region,
        name=key.name,
        token=new_token(),
        traffic_mode="auto",
        labels=body.labels,
        network=body.network.document(),
        workspace_id=body.workspace_id,
        implicit=False,
        created_at=call.now,
        updated_at=call.now,
    )
    state.put_group(group)
    return {"Message": f"Succeed to create group [{key.name}] in region [{key.region}]"}


@eas.operation("DescribeGroup", "GET", GROUP)
def describe_group(state: EasState, cluster_id: str, group_name: str) -> Answer:
    return _described(state, state.find_group(cluster_id, group_name))


class ListGroups(Paged):
    sort: str = Field("CreateTime", alias="Sort")
    filter: str = Field("", alias="Filter")
    labels: Json[dict[str, str]] = Field({}, alias="Labels")
    traffic_mode: str | None = Field(None, alias="TrafficMode")
    workspace_id: str | None = Field(None, alias="WorkspaceId")


@eas.operation("ListGroups", "GET", GROUPS)
def list_groups(state: EasState, call: Call, query: ListGroups) -> Answer:
    """The groups of the caller's region. `Filter` is part of a name."""
    matching = [
        _described(state, group)
        for group in state.groups.values(f"{call.region}/")
        if query.filter in group.name
        and query.labels.items() <= group.labels.items()
        and query.traffic_mode in (None, group.traffic_mode)
        and query.workspace_id in (None, group.workspace_id)
    ]
    return ordered_page("Groups", matching, query, query.sort, SORTABLE)


class UpdateGroup(Parameters):
    labels: dict[str, str] | None = Field(None, alias="Labels")
    network: Network | None = Field(None, alias="Network")
    traffic_mode: Literal["auto", "customized"] | None = Field(None, alias="TrafficMode")


@eas.operation("UpdateGroup", "PUT", GROUP)
def update_group(state: EasState, call: Call, cluster_id: str, group_name: str, body: UpdateGroup) -> Answer:
    """What is given replaces what there was; the rest stays."""
    group = state.find_group(cluster_id, group_name)
    changes = {
        "labels": body.labels,
        "network": body.network.document() if body.network is not None else None,
        "traffic_mode": body.traffic_mode,
        "updated_at": call.now,
    }
    state.put_group(group.model_copy(update={name: value for name, value in changes.items() if value is not None}))
    return {"Message": f"Succeed to update group [{group_name}] in region [{cluster_id}]"}


class DeleteGroup(Parameters):
    cascade: bool = Field(False, alias="CascadeDelete")


@eas.operation("DeleteGroup", "DELETE", GROUP)
def delete_group(state: EasState, cluster_id: str, group_name: str, query: DeleteGroup) -> Answer:
    """With `CascadeDelete` its services go too; without it a group that has services is refused."""
    group = state.find_group(cluster_id, group_name)
    services = members(state, cluster_id, group_name)
    if services and not query.cascade:
        names = ", ".join(service.name for service in services)
        message = f"Group [{group_name}] still has services: {names}. Delete them first, or set CascadeDelete."
        raise ApiError("InvalidGroup.NotEmpty", message, 409)
    for service in services:
        refuse_when_locked(service, dangerous=True)
    for service in services:
        state.put(service.model_copy(update={"target": "deleted", "operation": ""}))
    state.remove_group(ServiceKey(group.region, group.name))
    return {"Message": f"Succeed to delete group [{group_name}] in region [{cluster_id}]"}


@eas.operation("DescribeGroupEndpoints", "GET", f"{GROUP}/endpoints")
def describe_group_endpoints(state: EasState, cluster_id: str, group_name: str) -> Answer:
    group = state.find_group(cluster_id, group_name)
    gateway = group.network.get("GatewayId")
    return {
        "AccessToken": group.token,
        "Endpoints": [
            {
                "BackendId": gateway or "default",
                "EndpointType": "PrivateGateway" if gateway else "DefaultGateway",
                "PathType": "Group",
                "InternetEndpoints": [group_internet_endpoint(state, group)],
                "IntranetEndpoints": [group_intranet_endpoint(state, group)],
            }
        ],
        "Message": "",
    }


def _described(state: EasState, group: Group) -> Answer:
    answer: Answer = {
        "Name": group.name,
        "ClusterId": group.region,
        "AccessToken": group.token,
        "TrafficMode": group.traffic_mode,
        "InternetEndpoint": group_internet_endpoint(state, group),
        "IntranetEndpoint": group_intranet_endpoint(state, group),
        "Labels": [{"LabelKey": key, "LabelValue": value} for key, value in sorted(group.labels.items())],
        "CallerUid": state.account_id,
        "ParentUid": state.account_id,
        "CreateTime": iso(group.created_at),
        "UpdateTime": iso(group.updated_at),
    }
    return {**answer, "Network": group.network} if group.network else answer
