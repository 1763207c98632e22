"""Spot instances that are taken away: on demand, since there is no market here."""

from datetime import timedelta

from pydantic import Field

from emulator.errors import ApiError
from emulator.operations import Parameters
from emulator.services.eas.state import EasState

# The notice that ECS gives before it takes a spot instance back ("Spot instances" of its user guide).
NOTICE_S = 300.0


class Reclaim(Parameters):
    """`notice_s` is in emulated time."""

    service: str
    region: str
    instances: int = Field(1, ge=1)
    notice_s: float = Field(NOTICE_S, ge=0, le=86_400)


def reclaim(state: EasState, wanted: Reclaim) -> list[str]:
    """Gives notice to the service's oldest spot instances, and returns their names; ApiError when there are too few.

    "If a preemptible instance of a service is released, EAS scans the instance types configured for the service in the
    configuration file and selects the type with the highest priority to create another instance" ("Preemptible
    instances" of the EAS user guide). Here that is done when the notice comes: the instance stays in traffic until the
    other one is ready, and then ends with its grace period; when its time has come before that, it is killed.
    """
    service = state.find(wanted.region, wanted.service)
    spot = [
        instance
        for instance in state.instances.values(f"{service.key}/")
        if instance.spot and not instance.leaving and instance.status != "Terminating"
    ]
    if len(spot) < wanted.instances:
        raise ApiError("", f"service {service.name} has {len(spot)} spot instances, not {wanted.instances}", 409)
    spot.sort(key=lambda instance: instance.created_at)
    names = [instance.name for instance in spot[: wanted.instances]]
    for name in names:
        state.have_leave(service.key, name, state.now() + timedelta(seconds=wanted.notice_s))
    return names
