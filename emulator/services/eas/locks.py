"""UpdateServiceSafetyLock."""

from typing import Literal

from pydantic import Field

from emulator.operations import Answer, Parameters
from emulator.services.eas.guards import refuse_when_going
from emulator.services.eas.product import SERVICE, eas
from emulator.services.eas.state import EasState


class UpdateServiceSafetyLock(Parameters):
    lock: Literal["all", "dangerous", "none"] = Field(alias="Lock")


@eas.operation("UpdateServiceSafetyLock", "PUT", f"{SERVICE}/lock")
def update_service_safety_lock(
    state: EasState, cluster_id: str, service_name: str, body: UpdateServiceSafetyLock
) -> Answer:
    """`dangerous` refuses deleting and stopping, `all` every change of the service; the lock itself can always be
    changed. Scalers go on working: they were allowed before."""
    service = state.find(cluster_id, service_name)
    refuse_when_going(service)
    state.put(service.model_copy(update={"safety_lock": body.lock, "updated_at": state.now()}))
    return {"Message": f"Succeed to update safety lock of service [{service_name}] in region [{cluster_id}]"}
