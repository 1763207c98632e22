"""Starting, stopping, restarting and scaling services."""

from pydantic import Field

from emulator.errors import ApiError
from emulator.operations import Answer, Parameters
from emulator.services.eas.guards import refuse_when_going, refuse_when_locked
from emulator.services.eas.product import SERVICE, eas
from emulator.services.eas.scaling.resize import resize
from emulator.services.eas.state import EasState


@eas.operation("StartService", "PUT", f"{SERVICE}/start")
def start_service(state: EasState, cluster_id: str, service_name: str) -> Answer:
    """Starting a service that is not stopped changes nothing."""
    service = state.find(cluster_id, service_name)
    refuse_when_going(service)
    refuse_when_locked(service)
    if service.target == "stopped":
        started = service.model_copy(update={"target": "running", "operation": "start", "updated_at": state.now()})
        state.put(started)
        state.record_service_event(started, "Starting", "Service is being started")
    return {"Message": f"Succeed to start service [{service_name}] in region [{cluster_id}]"}


@eas.operation("StopService", "PUT", f"{SERVICE}/stop")
def stop_service(state: EasState, cluster_id: str, service_name: str) -> Answer:
    """Ends every instance; the service keeps its configuration, its versions and its token."""
    service = state.find(cluster_id, service_name)
    refuse_when_going(service)
    refuse_when_locked(service, dangerous=True)
    if service.target == "running":
        stopped = service.model_copy(update={"target": "stopped", "operation": "", "updated_at": state.now()})
        state.put(stopped)
        state.record_service_event(stopped, "Stopping", "Service is being stopped")
    return {"Message": f"Succeed to stop service [{service_name}] in region [{cluster_id}]"}


@eas.operation("RestartService", "PUT", f"{SERVICE}/restart")
def restart_service(state: EasState, cluster_id: str, service_name: str) -> Answer:
    """Replaces every instance, as an update does: `metadata.rolling_strategy` holds here too."""
    service = state.find(cluster_id, service_name)
    refuse_when_going(service)
    refuse_when_locked(service)
    if service.target != "running":
        raise ApiError("InvalidService.Status", f"Service [{service_name}] is stopped; start it instead.", 409)
    changes = {"generation": service.generation + 1, "operation": "restart", "updated_at": state.now()}
    restarted = service.model_copy(update=changes)
    state.put(restarted)
    state.record_service_event(restarted, "Restarting", "Service is being restarted")
    return {"Message": f"Succeed to restart service [{service_name}] in region [{cluster_id}]"}


class ScaleService(Parameters):
    instance: int = Field(ge=0, le=1000, alias="Instance")
    instances_to_delete: list[str] = Field([], alias="InstancesToDelete")


@eas.operation("ScaleService", "PUT", f"{SERVICE}/scale")
def scale_service(state: EasState, cluster_id: str, service_name: str, body: ScaleService) -> Answer:
    service = state.find(cluster_id, service_name)
    refuse_when_going(service)
    refuse_when_locked(service)
    for name in body.instances_to_delete:
        state.find_instance(service, name)
    resize(state, service, body.instance, first_to_go=body.instances_to_delete)
    return {"Message": f"Succeed to scale service [{service_name}] in region [{cluster_id}]"}
