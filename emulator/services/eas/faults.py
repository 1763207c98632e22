"""Faults on purpose, as far as they can really be done to a process on this machine."""

from typing import Any

from pydantic import Field, ValidationError

from emulator.errors import ApiError
from emulator.operations import Answer, Parameters
from emulator.services.eas.config.parsing import invalid
from emulator.services.eas.dataplane.faults import Delay
from emulator.services.eas.dataplane.replica import Replica
from emulator.services.eas.guards import refuse_when_going, refuse_when_locked
from emulator.services.eas.product import SERVICE, eas
from emulator.services.eas.records import Service
from emulator.services.eas.resources.placement import need_of
from emulator.services.eas.state import EasState

FAULTS = f"{SERVICE}/instances/{{instance_name}}/faults"


class CpuArgs(Parameters):
    percent: int = Field(alias="CpuPercent", ge=1, le=100)


class MemoryArgs(Parameters):
    percent: int = Field(alias="MemPercent", ge=1, le=100)


class DelayArgs(Parameters):
    """In milliseconds; every request waits `Time`, give or take up to `Offset`."""

    time_ms: int = Field(alias="Time", ge=1, le=600_000)
    offset_ms: int = Field(0, alias="Offset", ge=0)


class CreateFaultInjection(Parameters):
    kind: str = Field(alias="FaultType")
    arguments: dict[str, Any] = Field(alias="FaultArgs")


@eas.operation("CreateFaultInjection", "POST", FAULTS)
def create_fault_injection(
    state: EasState, cluster_id: str, service_name: str, instance_name: str, body: CreateFaultInjection
) -> Answer:
    """A fault ends with DeleteFaultInjection, or with the container that it was done to.

    A process beside the instance's own uses the processor or holds memory, a delay is made at the gateway. What would
    harm the machine, or needs a network of its own, is refused.
    """
    service, replica = _find(state, cluster_id, service_name, instance_name)
    refuse_when_going(service)
    refuse_when_locked(service)
    if body.kind in replica.faults.arguments:
        raise ApiError("InvalidFault.Exists", f"Instance [{instance_name}] already has a {body.kind}.", 409)
    action = body.arguments.get("FaultAction", "")
    arguments = {name: value for name, value in body.arguments.items() if name != "FaultAction"}
    try:
        match body.kind, action:
            case "CpuFullloadTask", "fullload":
                share = CpuArgs.model_validate(arguments).percent
                replica.faults.burn(body.kind, body.arguments, share)
            case "MemLoadTask", "load":
                share = MemoryArgs.model_validate(arguments).percent
                size = round(need_of(replica.config).memory_mib * 1024 * 1024 * share / 100)
                replica.faults.hold(body.kind, body.arguments, size)
            case "NetworkTask", "delay":
                delay = DelayArgs.model_validate(arguments)
                seconds = Delay(delay.time_ms / 1000, delay.offset_ms / 1000)
                replica.faults.slow_down(body.kind, body.arguments, seconds)
            case _:
                raise invalid(
                    f"The emulator cannot do {body.kind} {action}; it does CpuFullloadTask fullload, MemLoadTask load "
                    "and NetworkTask delay."
                )
    except ValidationError as error:
        first = error.errors()[0]
        raise invalid(f"FaultArgs.{'.'.join(map(str, first['loc']))}: {first['msg']}.") from None
    return {"Message": f"{body.kind} of instance [{instance_name}] is injected"}


@eas.operation("ListServiceInstanceFaultInjectionInfo", "GET", FAULTS)
def list_service_instance_fault_injection_info(
    state: EasState, cluster_id: str, service_name: str, instance_name: str
) -> Answer:
    _, replica = _find(state, cluster_id, service_name, instance_name)
    return {
        "FaultInfoList": [
            {
                "FaultType": kind,
                "FaultArgs": arguments,
                "FaultStatus": {"FaultStatus": "Running", "FaultStatusMessage": ""},
            }
            for kind, arguments in replica.faults.arguments.items()
        ]
    }


@eas.operation("DeleteFaultInjection", "DELETE", f"{FAULTS}/{{fault_type}}")
def delete_fault_injection(
    state: EasState, cluster_id: str, service_name: str, instance_name: str, fault_type: str
) -> Answer:
    _, replica = _find(state, cluster_id, service_name, instance_name)
    if fault_type not in replica.faults.arguments:
        raise ApiError("InvalidFault.NotFound", f"Instance [{instance_name}] has no {fault_type}.", 404)
    replica.faults.end(fault_type)
    return {"Message": f"{fault_type} of instance [{instance_name}] is removed"}


def _find(state: EasState, region: str, service_name: str, instance: str) -> tuple[Service, Replica]:
    """ApiError when there is no such instance, or it runs nothing that a fault could be done to."""
    service = state.find(region, service_name)
    state.find_instance(service, instance)
    replica = state.deployments[service.key].replicas.get(instance)
    if replica is None or replica.instance.pid is None:
        raise ApiError("InvalidInstance.Status", f"Instance [{instance}] does not run.", 409)
    return service, replica
