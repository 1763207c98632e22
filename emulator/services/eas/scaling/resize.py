"""Changing how many instances a service wants."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from emulator.services.eas.records import Service

if TYPE_CHECKING:
    from emulator.services.eas.state import EasState


def resize(
    state: "EasState", service: Service, instances: int, *, why: str = "", first_to_go: Sequence[str] = ()
) -> Service:
    """The current version with another number of instances; `first_to_go` leave before others.

    No new version is made ("If only metadata.instance is updated, manual scaling is performed", UpdateService).
    """
    config = service.config | {"metadata": service.config["metadata"] | {"instance": instances}}
    changes: dict[str, Any] = {"config": config, "updated_at": state.now(), "first_to_go": list(first_to_go)}
    if service.target == "running":
        changes["operation"] = service.operation or "scale"
    resized = service.model_copy(update=changes)
    state.put(resized)
    reason = f": {why}" if why else ""
    state.record_service_event(resized, "Scaling", f"Scale from {service.replicas} to {instances}{reason}")
    return resized
