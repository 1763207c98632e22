"""Which services are in which group."""

from typing import TYPE_CHECKING

from emulator.errors import ApiError
from emulator.services.eas.records import Service, ServiceKey
from emulator.services.eas.tokens import new_token
from emulator.services.eas.traffic.records import Group

if TYPE_CHECKING:
    from emulator.services.eas.state import EasState


def group_of(service: Service) -> str | None:
    name = service.config["metadata"].get("group")
    return str(name) if name else None


def members(state: "EasState", region: str, group: str) -> list[Service]:
    return [service for service in state.services.values(f"{region}/") if group_of(service) == group]


def refuse_taken_name(state: "EasState", key: ServiceKey) -> None:
    """Services and groups share the gateway's paths, so no service may be called like a group."""
    if state.groups.get(str(key)) is not None:
        message = f"There is a service group [{key.name}] in region [{key.region}]; both would be called by that name."
        raise ApiError("InvalidService.NameConflict", message, 409)


def join(state: "EasState", service: Service) -> None:
    """Makes the group that the service names, when there is none ("A service group is created automatically when you
    specify a new group name on a service", "Service groups and traffic management" of the EAS user guide)."""
    name = group_of(service)
    if name is None or state.groups.get(f"{service.region}/{name}") is not None:
        return
    if name == service.name or state.services.get(f"{service.region}/{name}") is not None:
        message = f"A service group cannot be called [{name}]: there is a service of that name."
        raise ApiError("InvalidGroup.NameConflict", message, 409)
    now = state.now()
    state.put_group(
        Group(
            region=service.region,
            name=name,
            token=new_token(),
            traffic_mode="auto",
            labels={},
            network={},
            workspace_id=service.workspace_id,
            implicit=True,
            created_at=now,
            updated_at=now,
        )
    )


def remove_empty_groups(state: "EasState", region: str) -> None:
    """Removes groups that came with a service and have none left ("It is deleted automatically when all member
    services are removed"); those of CreateGroup stay until DeleteGroup."""
    named = {group_of(service) for service in state.services.values(f"{region}/")}
    for group in state.groups.values(f"{region}/"):
        if group.implicit and group.name not in named:
            state.remove_group(ServiceKey(region, group.name))
