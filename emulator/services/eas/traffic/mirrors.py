"""Creating, describing, updating and deleting the mirror of a service."""

from pydantic import Field

from emulator.errors import ApiError
from emulator.operations import Answer, Parameters
from emulator.services.eas.config.parsing import invalid
from emulator.services.eas.guards import refuse_when_going, refuse_when_locked
from emulator.services.eas.product import SERVICE, eas
from emulator.services.eas.records import Service
from emulator.services.eas.state import EasState
from emulator.services.eas.traffic.records import Mirror


class MirrorParameters(Parameters):
    """`Ratio` is a percentage, `Target` names services."""

    ratio: int = Field(ge=0, le=100, alias="Ratio")
    target: list[str] = Field(min_length=1, alias="Target")


@eas.operation("CreateServiceMirror", "POST", f"{SERVICE}/mirror")
def create_service_mirror(state: EasState, cluster_id: str, service_name: str, body: MirrorParameters) -> Answer:
    service = state.find(cluster_id, service_name)
    if service.mirror is not None:
        raise ApiError("InvalidMirror.Exists", f"Service [{service.name}] already has a mirror.", 409)
    _put(state, service, body)
    return {"Message": f"Succeed to create mirror of service [{service_name}] in region [{cluster_id}]"}


@eas.operation("UpdateServiceMirror", "PUT", f"{SERVICE}/mirror")
def update_service_mirror(state: EasState, cluster_id: str, service_name: str, body: MirrorParameters) -> Answer:
    service = state.find(cluster_id, service_name)
    _find(service)
    _put(state, service, body)
    return {"Message": f"Succeed to update mirror of service [{service_name}] in region [{cluster_id}]"}


@eas.operation("DescribeServiceMirror", "GET", f"{SERVICE}/mirror")
def describe_service_mirror(state: EasState, cluster_id: str, service_name: str) -> Answer:
    """Both answers are strings, as the SDK has them."""
    mirror = _find(state.find(cluster_id, service_name))
    return {"ServiceName": service_name, "Ratio": str(mirror.ratio), "Target": ",".join(mirror.targets)}


@eas.operation("DeleteServiceMirror", "DELETE", f"{SERVICE}/mirror")
def delete_service_mirror(state: EasState, cluster_id: str, service_name: str) -> Answer:
    service = state.find(cluster_id, service_name)
    _find(service)
    state.put(service.model_copy(update={"mirror": None}))
    return {"Message": f"Succeed to delete mirror of service [{service_name}] in region [{cluster_id}]"}


def _put(state: EasState, service: Service, body: MirrorParameters) -> None:
    refuse_when_going(service)
    refuse_when_locked(service)
    if service.name in body.target:
        raise invalid(f"Service [{service.name}] cannot be its own mirror target.")
    if len(set(body.target)) < len(body.target):
        raise invalid("A mirror target is given twice.")
    for name in body.target:
        state.find(service.region, name)
    state.put(service.model_copy(update={"mirror": Mirror(ratio=body.ratio, targets=body.target)}))


def _find(service: Service) -> Mirror:
    if service.mirror is None:
        raise ApiError("InvalidMirror.NotFound", f"Service [{service.name}] has no mirror.", 404)
    return service.mirror
