"""What stops an instance by itself: the culler of idle ones, and the shutdown timer. An instance has one of each."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from emulator.operations import Answer, Call, Parameters
from emulator.services.dsw.product import INSTANCE, dsw, refusal, succeeded
from emulator.services.dsw.records import Culler, ShutdownTimer
from emulator.services.dsw.state import DswState

CULLER = f"{INSTANCE}/idleinstanceculler"
TIMER = f"{INSTANCE}/shutdowntimer"


class CreateIdleInstanceCuller(Parameters):
    """`gpu_percent` counts for instances with a GPU only, which must be below both thresholds to be idle. The emulated
    ones have none that could be busy."""

    cpu_percent: int = Field(alias="CpuPercentThreshold", ge=1, le=100)
    gpu_percent: int | None = Field(None, alias="GpuPercentThreshold", ge=1, le=100)
    max_idle_minutes: int = Field(alias="MaxIdleTimeInMinutes", ge=1)


@dsw.operation("CreateIdleInstanceCuller", "POST", CULLER)
def create_idle_instance_culler(
    state: DswState, call: Call, instance_id: str, body: CreateIdleInstanceCuller
) -> Answer:
    instance = state.find(call.region, instance_id)
    if state.cullers.get(instance.id) is not None:
        raise refusal(f"The instance {instance_id} has an idle instance culler already; delete it first.")
    culler = Culler(max_idle_minutes=body.max_idle_minutes, cpu_percent=body.cpu_percent, gpu_percent=body.gpu_percent)
    state.cullers.put(instance.id, culler)
    state.watch.begin(instance.id, call.now)
    return succeeded(with_http_status=False, InstanceId=instance.id)


@dsw.operation("GetIdleInstanceCuller", "GET", CULLER)
def get_idle_instance_culler(state: DswState, call: Call, instance_id: str) -> Answer:
    culler = state.culler_answer(state.find(call.region, instance_id))
    if not culler:
        raise _has_none(instance_id, "idle instance culler")
    return succeeded(with_http_status=False, **culler)


@dsw.operation("DeleteIdleInstanceCuller", "DELETE", CULLER)
def delete_idle_instance_culler(state: DswState, call: Call, instance_id: str) -> Answer:
    instance = state.find(call.region, instance_id)
    if not state.cullers.delete(instance.id):
        raise _has_none(instance_id, "idle instance culler")
    return succeeded(with_http_status=False, InstanceId=instance.id)


def _parsed_time(value: Any) -> Any:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError("a time such as 2026-11-24T18:00:00Z is needed") from None
    return moment


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


Time = Annotated[datetime, BeforeValidator(_parsed_time), AfterValidator(_in_utc)]


class CreateInstanceShutdownTimer(Parameters):
    due_time: Time | None = Field(None, alias="DueTime")
    remaining_ms: int | None = Field(None, alias="RemainingTimeInMs", ge=1)

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.due_time is None) == (self.remaining_ms is None):
            raise ValueError("give either DueTime or RemainingTimeInMs")
        return self


@dsw.operation("CreateInstanceShutdownTimer", "POST", TIMER)
def create_instance_shutdown_timer(
    state: DswState, call: Call, instance_id: str, body: CreateInstanceShutdownTimer
) -> Answer:
    instance = state.find(call.region, instance_id)
    if state.timers.get(instance.id) is not None:
        raise refusal(f"The instance {instance_id} has a shutdown timer already; delete it first.")
    due = body.due_time or call.now + timedelta(milliseconds=body.remaining_ms or 0)
    if due <= call.now:
        raise refusal(f"DueTime must be in the future, found {due:%Y-%m-%dT%H:%M:%SZ}.")
    state.timers.put(instance.id, ShutdownTimer(due=due, created_at=call.now))
    return succeeded(InstanceId=instance.id)


@dsw.operation("GetInstanceShutdownTimer", "GET", TIMER)
def get_instance_shutdown_timer(state: DswState, call: Call, instance_id: str) -> Answer:
    timer = state.timer_answer(state.find(call.region, instance_id))
    if not timer:
        raise _has_none(instance_id, "shutdown timer")
    return succeeded(**timer)


@dsw.operation("DeleteInstanceShutdownTimer", "DELETE", TIMER)
def delete_instance_shutdown_timer(state: DswState, call: Call, instance_id: str) -> Answer:
    instance = state.find(call.region, instance_id)
    if not state.timers.delete(instance.id):
        raise _has_none(instance_id, "shutdown timer")
    return succeeded(InstanceId=instance.id)


def _has_none(instance_id: str, thing: str) -> Exception:
    return refusal(f"The instance {instance_id} has no {thing}.", 404)
