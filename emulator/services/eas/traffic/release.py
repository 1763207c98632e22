"""ReleaseService: a service's part in its group's traffic."""

from typing import Any, Literal

from pydantic import Field

from emulator.errors import ApiError
from emulator.operations import Answer, Parameters
from emulator.services.eas.config.parsing import invalid
from emulator.services.eas.guards import refuse_when_going, refuse_when_locked
from emulator.services.eas.product import SERVICE, eas
from emulator.services.eas.state import EasState
from emulator.services.eas.traffic.membership import group_of


class ReleaseService(Parameters):
    """`Weight` counts only in a group with the traffic mode `customized`. -1 is allowed and not explained by the
    vendor; here it is what a service begins with: no weight of its own, and so no traffic in that mode."""

    weight: int | None = Field(None, ge=-1, le=1000, alias="Weight")
    traffic_state: Literal["standalone", "grouping"] | None = Field(None, alias="TrafficState")


@eas.operation("ReleaseService", "PUT", f"{SERVICE}/release")
def release_service(state: EasState, cluster_id: str, service_name: str, body: ReleaseService) -> Answer:
    """The service's own endpoint stays as it is, whatever its part in the group's traffic."""
    service = state.find(cluster_id, service_name)
    refuse_when_going(service)
    refuse_when_locked(service)
    if body.weight is None and body.traffic_state is None:
        raise ApiError("MissingParameter", "ReleaseService needs Weight or TrafficState.")
    if body.traffic_state == "grouping" and group_of(service) is None:
        raise invalid(f"Service [{service_name}] is in no group; TrafficState grouping needs metadata.group.")
    wanted: dict[str, Any] = {"weight": body.weight, "traffic_state": body.traffic_state, "updated_at": state.now()}
    state.put(service.model_copy(update={name: value for name, value in wanted.items() if value is not None}))
    return {"Message": f"Succeed to release service [{service_name}] in region [{cluster_id}]"}
