"""Creating, describing, updating and deleting the rollout of a service."""

from collections import Counter
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer, Parameters
from emulator.services.eas.config.parsing import invalid
from emulator.services.eas.dataplane.deployment import revision_name
from emulator.services.eas.dataplane.staging import next_batch_at
from emulator.services.eas.guards import refuse_when_going, refuse_when_locked
from emulator.services.eas.product import SERVICE, eas
from emulator.services.eas.records import Rollout, Service
from emulator.services.eas.state import EasState

SECONDS = {"s": 1, "m": 60, "h": 3600}

Count = Annotated[str, StringConstraints(pattern=r"^([1-9][0-9]{0,3}|([1-9][0-9]?|100)%)$")]
CountOrNone = Annotated[str, StringConstraints(pattern=r"^((0|[1-9][0-9]{0,3})|(0|[1-9][0-9]?|100)%)$")]
Duration = Annotated[str, StringConstraints(pattern=r"^(0|[1-9][0-9]{0,5})[smh]$")]


class Batch(Parameters):
    size: Count = Field("25%", alias="BatchSize")
    interval: Duration = Field("0s", alias="Interval")


class Partition(Parameters):
    partition: CountOrNone = Field(alias="Partition")


class RolloutParameters(Parameters):
    """One of `Batch` and `Partition`."""

    batch: Batch | None = Field(None, alias="Batch")
    partition: Partition | None = Field(None, alias="Partition")
    paused: bool | None = Field(None, alias="Paused")


@eas.operation("CreateServiceRollout", "POST", f"{SERVICE}/rollout")
def create_service_rollout(state: EasState, cluster_id: str, service_name: str, body: RolloutParameters) -> Answer:
    """The update under way goes on by it, and so does every later one until DeleteServiceRollout."""
    service = state.find(cluster_id, service_name)
    if service.rollout is not None:
        raise ApiError("InvalidRollout.Exists", f"Service [{service.name}] already has a rollout.", 409)
    others = Counter(
        instance.revision
        for instance in state.instances.values(f"{service.key}/")
        if instance.revision != service.revision
    )
    under_way = service.operation in ("update", "restart") and others
    current = others.most_common(1)[0][0] if under_way else None
    batch = body.batch or (Batch() if body.partition is None else None)
    _put(state, service, Rollout(current=current, update=service.revision), body.model_copy(update={"batch": batch}))
    return {"Message": f"Succeed to create rollout of service [{service_name}] in region [{cluster_id}]"}


@eas.operation("UpdateServiceRollout", "PUT", f"{SERVICE}/rollout")
def update_service_rollout(state: EasState, cluster_id: str, service_name: str, body: RolloutParameters) -> Answer:
    """Pauses, resumes, or changes how far the update goes; a larger `Partition` takes instances back."""
    service = state.find(cluster_id, service_name)
    _put(state, service, _find(service), body)
    return {"Message": f"Succeed to update rollout of service [{service_name}] in region [{cluster_id}]"}


@eas.operation("DescribeServiceRollout", "GET", f"{SERVICE}/rollout")
def describe_service_rollout(state: EasState, cluster_id: str, service_name: str) -> Answer:
    service = state.find(cluster_id, service_name)
    rollout = _find(service)
    instances = state.instances.values(f"{service.key}/")
    updated = sum(instance.ready and instance.revision == rollout.update for instance in instances)
    status: dict[str, Any] = {
        "Phase": _phase(state, service, rollout, updated),
        "CurrentRevision": revision_name(service, rollout.current or rollout.update),
        "UpdateRevision": revision_name(service, rollout.update),
        "UpdatedReplicas": updated,
        "TotalReplicas": service.replicas,
    }
    if rollout.batch_ready_at is not None:
        status["NextBatchStartTime"] = iso(next_batch_at(rollout, rollout.batch_ready_at))
    if rollout.partition:
        strategy: dict[str, Any] = {"Partition": {"Partition": rollout.partition}}
    else:
        strategy = {"Batch": {"BatchSize": rollout.batch_size, "Interval": rollout.interval}}
    return {"Rollout": {"Status": status, "Strategy": strategy}}


@eas.operation("DeleteServiceRollout", "DELETE", f"{SERVICE}/rollout")
def delete_service_rollout(state: EasState, cluster_id: str, service_name: str) -> Answer:
    """What is left of the update goes on without it, by `metadata.rolling_strategy` alone."""
    service = state.find(cluster_id, service_name)
    refuse_when_locked(service)
    _find(service)
    state.put(service.model_copy(update={"rollout": None}))
    return {"Message": f"Succeed to delete rollout of service [{service_name}] in region [{cluster_id}]"}


def _put(state: EasState, service: Service, rollout: Rollout, body: RolloutParameters) -> None:
    refuse_when_going(service)
    refuse_when_locked(service)
    if body.batch is not None and body.partition is not None:
        raise invalid("Batch and Partition exclude each other; give one of them.")
    changes: dict[str, Any] = {}
    if body.batch is not None:
        interval = body.batch.interval
        seconds = int(interval[:-1]) * SECONDS[interval[-1]]
        changes = {"batch_size": body.batch.size, "interval": interval, "interval_s": seconds, "partition": ""}
    if body.partition is not None:
        changes = {"batch_size": "", "partition": body.partition.partition}
    if body.paused is not None:
        changes["paused"] = body.paused
    changed = rollout.model_copy(update=changes)
    goes_on = service.target == "running" and not service.operation and changed.current is not None
    operation = "update" if goes_on else service.operation
    state.put(service.model_copy(update={"rollout": changed, "operation": operation}))


def _phase(state: EasState, service: Service, rollout: Rollout, updated: int) -> str:
    if rollout.current is None:
        return "Pending"
    if state.condition(service).status == "Failed":
        return "Failed"
    if rollout.update == service.revision and updated >= service.replicas:
        return "Completed"
    return "Paused" if rollout.paused else "Running"


def _find(service: Service) -> Rollout:
    if service.rollout is None:
        raise ApiError("InvalidRollout.NotFound", f"Service [{service.name}] has no rollout.", 404)
    return service.rollout
