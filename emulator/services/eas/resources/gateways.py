"""Private gateways. They are stored; the emulator's one gateway serves the services of all of them."""

import secrets
from typing import Any, Literal

from pydantic import Field, Json

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.eas.product import eas
from emulator.services.eas.queries import Paged, ordered_page
from emulator.services.eas.resources.records import ChargeType, PrivateGateway
from emulator.services.eas.state import EasState

GATEWAYS = "/api/v2/gateways"
GATEWAY = f"{GATEWAYS}/{{cluster_id}}/{{gateway_id}}"
SORTABLE = ("CreateTime", "UpdateTime", "GatewayName", "GatewayId", "Status", "Replicas")

InstanceType = Literal["2c4g", "4c8g", "8c16g", "16c32g"]


class GatewayPlace(Parameters):
    resource_name: str = Field("", alias="ResourceName")


class CreateGateway(Parameters):
    name: str = Field("", alias="Name", max_length=128)
    instance_type: InstanceType = Field(alias="InstanceType")
    replicas: int = Field(2, ge=1, le=100, alias="Replicas")
    charge_type: ChargeType = Field("PostPaid", alias="ChargeType")
    auto_renewal: bool = Field(False, alias="AutoRenewal")
    internet: bool = Field(False, alias="EnableInternet")
    intranet: bool = Field(True, alias="EnableIntranet")
    kind: str = Field("", alias="GatewayType")


@eas.operation("CreateGateway", "POST", GATEWAYS)
def create_gateway(state: EasState, call: Call, query: GatewayPlace, body: CreateGateway) -> Answer:
    del query  # there are no self-managed resource groups to put it into
    number = f"gw-{secrets.token_hex(8)}"
    gateway = PrivateGateway(
        region=call.region,
        id=number,
        name=body.name or number,
        instance_type=body.instance_type,
        replicas=body.replicas,
        charge_type=body.charge_type,
        internet=body.internet,
        intranet=body.intranet,
        is_default=False,
        ssl_redirection=False,
        labels={},
        created_at=call.now,
        updated_at=call.now,
    )
    _put(state, gateway)
    return {"GatewayId": number, "ClusterId": call.region, "Message": f"Gateway [{number}] is being created"}


@eas.operation("DescribeGateway", "GET", GATEWAY)
def describe_gateway(state: EasState, cluster_id: str, gateway_id: str) -> Answer:
    gateway = _find(state, cluster_id, gateway_id)
    return {**_described(gateway), "InternetStatus": "Running" if gateway.internet else "Stopped"}


class ListGateway(Paged):
    sort: str = Field("CreateTime", alias="Sort")
    charge_type: str | None = Field(None, alias="ChargeType")
    number: str | None = Field(None, alias="GatewayId")
    name: str = Field("", alias="GatewayName")
    internet: bool | None = Field(None, alias="InternetEnabled")
    status: str | None = Field(None, alias="Status")
    label: Json[dict[str, str]] = Field({}, alias="Label")


@eas.operation("ListGateway", "GET", GATEWAYS)
def list_gateway(state: EasState, call: Call, query: ListGateway) -> Answer:
    wanted = {
        "ChargeType": query.charge_type,
        "GatewayId": query.number,
        "InternetEnabled": query.internet,
        "Status": query.status,
    }
    matching = [
        answer
        for gateway in state.private_gateways.values(f"{call.region}/")
        if query.name in gateway.name and query.label.items() <= gateway.labels.items()
        for answer in [_described(gateway)]
        if all(value is None or answer[name] == value for name, value in wanted.items())
    ]
    return ordered_page("Gateways", matching, query, query.sort, SORTABLE)


class UpdateGateway(Parameters):
    name: str | None = Field(None, alias="Name", max_length=128)
    instance_type: InstanceType | None = Field(None, alias="InstanceType")
    replicas: int | None = Field(None, ge=1, le=100, alias="Replicas")
    internet: bool | None = Field(None, alias="EnableInternet")
    intranet: bool | None = Field(None, alias="EnableIntranet")
    is_default: bool | None = Field(None, alias="IsDefault")
    ssl_redirection: bool | None = Field(None, alias="EnableSSLRedirection")


@eas.operation("UpdateGateway", "PUT", GATEWAY)
def update_gateway(state: EasState, call: Call, cluster_id: str, gateway_id: str, body: UpdateGateway) -> Answer:
    """A gateway that becomes the default takes that from the one that was."""
    gateway = _find(state, cluster_id, gateway_id)
    if body.is_default:
        for other in state.private_gateways.values(f"{cluster_id}/"):
            _put(state, other.model_copy(update={"is_default": False}))
    changes: dict[str, Any] = body.model_dump(exclude_none=True)
    _put(state, gateway.model_copy(update={**changes, "updated_at": call.now}))
    return {"GatewayId": gateway_id, "Message": f"Gateway [{gateway_id}] is updated"}


@eas.operation("DeleteGateway", "DELETE", GATEWAY)
def delete_gateway(state: EasState, cluster_id: str, gateway_id: str) -> Answer:
    """Not while services name it in `networking.gateway`."""
    _find(state, cluster_id, gateway_id)
    users = [
        service.name
        for service in state.services.values(f"{cluster_id}/")
        if service.config.get("networking", {}).get("gateway") == gateway_id
    ]
    if users:
        message = f"Gateway [{gateway_id}] is still used by services: {', '.join(users)}."
        raise ApiError("InvalidGateway.InUse", message, 409)
    state.private_gateways.delete(f"{cluster_id}/{gateway_id}")
    return {"GatewayId": gateway_id, "Message": f"Gateway [{gateway_id}] is deleted"}


class UpdateGatewayLabel(Parameters):
    labels: dict[str, str] = Field(alias="Labels")


@eas.operation("UpdateGatewayLabel", "PUT", f"{GATEWAY}/label")
def update_gateway_label(state: EasState, cluster_id: str, gateway_id: str, body: UpdateGatewayLabel) -> Answer:
    gateway = _find(state, cluster_id, gateway_id)
    _put(state, gateway.model_copy(update={"labels": gateway.labels | body.labels}))
    return {"Message": f"Labels of gateway [{gateway_id}] are updated"}


class DeleteGatewayLabel(Parameters):
    keys: Json[list[str]] = Field(alias="LabelKeys")


@eas.operation("DeleteGatewayLabel", "DELETE", f"{GATEWAY}/label")
def delete_gateway_label(state: EasState, cluster_id: str, gateway_id: str, query: DeleteGatewayLabel) -> Answer:
    gateway = _find(state, cluster_id, gateway_id)
    labels = {key: value for key, value in gateway.labels.items() if key not in query.keys}
    _put(state, gateway.model_copy(update={"labels": labels}))
    return {"Message": f"Labels of gateway [{gateway_id}] are deleted"}


def _put(state: EasState, gateway: PrivateGateway) -> None:
    state.private_gateways.put(f"{gateway.region}/{gateway.id}", gateway)


def _find(state: EasState, region: str, number: str) -> PrivateGateway:
    gateway = state.private_gateways.get(f"{region}/{number}")
    if gateway is None:
        raise ApiError("InvalidGateway.NotFound", f"Gateway [{number}] is not found in region [{region}].", 404)
    return gateway


def _described(gateway: PrivateGateway) -> Answer:
    host = f"{gateway.id}.{gateway.region}.pai-eas.aliyuncs.com"
    return {
        "GatewayId": gateway.id,
        "GatewayName": gateway.name,
        "InstanceType": gateway.instance_type,
        "Replicas": gateway.replicas,
        "ChargeType": gateway.charge_type,
        "Status": "Running",
        "InternetEnabled": gateway.internet,
        "IntranetEnabled": gateway.intranet,
        "InternetDomain": host if gateway.internet else "",
        "IntranetDomain": host.replace(".pai-eas", ".vpc.pai-eas") if gateway.intranet else "",
        "IsDefault": gateway.is_default,
        "SSLRedirectionEnabled": gateway.ssl_redirection,
        "Labels": [{"LabelKey": key, "LabelValue": value} for key, value in sorted(gateway.labels.items())],
        "CreateTime": iso(gateway.created_at),
        "UpdateTime": iso(gateway.updated_at),
    }
