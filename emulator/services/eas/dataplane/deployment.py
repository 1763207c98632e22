"""The reconciler of one service: makes its instances follow what is wanted of it, whatever is there when it looks."""

import asyncio
import contextlib
import shutil
import uuid
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Literal, NamedTuple

from emulator.services.eas.config.parsing import parse_config
from emulator.services.eas.config.service import ServiceConfig
from emulator.services.eas.dataplane import background
from emulator.services.eas.dataplane.replica import Replica
from emulator.services.eas.dataplane.rollout import Member, next_step
from emulator.services.eas.dataplane.routes import Route
from emulator.services.eas.dataplane.staging import advanced, begun, held_back, staged
from emulator.services.eas.records import Event, Instance, Revision, Rollout, Service, ServiceKey
from emulator.services.eas.resources.placement import place

if TYPE_CHECKING:
    from emulator.services.eas.state import EasState

# After so many ends in a row an instance of the wanted revision counts as failed, and so does the change.
GIVEN_UP_AFTER = 3
GRACE_AT_THE_END_S = 2.0
LOOK_AGAIN_S = 1.0


class Condition(NamedTuple):
    """What a service is doing, in DescribeService's words."""

    status: str
    reason: str
    message: str


class Deployment:
    """Owns the instances of one service.

    It is level-triggered: each time it is woken it compares the stored service with the instances that there are, and
    takes the next step. It keeps nothing that the store does not have, so it can be stopped and made again at any time.
    """

    def __init__(self, state: "EasState", service: Service) -> None:
        self.key: ServiceKey = service.key
        self.replicas: dict[str, Replica] = {}
        self._waiting: dict[str, Instance] = {}  # for room on a machine
        self._state = state
        self._home = state.home(service.key)
        self._route = Route(service, self._config(service, service.version))
        self._changed = asyncio.Event()
        self._stopping = False
        for instance in state.instances.values(f"{service.key}/"):
            self._resume(service, instance)
        state.routes.put(self._route)
        self._task = background.start(self._reconcile_for_ever(), f"service {service.key}")

    def wake(self) -> None:
        self._changed.set()

    def condition(self, service: Service) -> Condition:
        """The service's status, from what is wanted and what its instances do."""
        total = len(self.replicas)
        ready = sum(replica.instance.ready for replica in self.replicas.values())
        if service.target == "deleted":
            return Condition("Deleting", "DELETING", f"{total} instances are being ended")
        if service.target == "stopped":
            if total:
                return Condition("Stopping", "STOPPING", f"{total} instances are being ended")
            return Condition("Stopped", "STOPPED", "Service is stopped")
        if (failed := self._given_up(service)) is not None and service.operation not in ("", "scale"):
            state = failed.instance.last_state
            return Condition("Failed", "FAILED", f"{failed.instance.name}: {state.message if state else 'failed'}")
        progress = f"[Total: {service.replicas}, Pending: {max(0, service.replicas - ready)}, Running: {ready}]"
        match service.operation:
            case "create":
                started = any(replica.instance.pid for replica in self.replicas.values())
                status = "Waiting" if started else "Creating"
            case "update" | "restart":
                status = "Updating"
            case "scale":
                status = "Scaling"
            case "start":
                status = "Starting"
            case _ if ready or not service.replicas:
                return Condition("Running", "RUNNING", "Service is now running")
            case _:
                status = "Waiting"
        reasons = {instance.reason for instance in self._waiting.values()}
        return Condition(status, status.upper(), ": ".join([f"{status} {progress}", *sorted(reasons)]))

    def changed(self, replica: Replica) -> None:
        self._route.backends = tuple(each.backend for each in self.replicas.values() if each.instance.ready)
        if self._stopping:
            return
        key = f"{self.key}/{replica.instance.name}"
        if replica.gone:
            del self.replicas[replica.instance.name]
            self._state.instances.delete(key)
            self._state.wake_all()
        else:
            self._state.instances.put(key, replica.instance)
            self.wake()

    def event(self, replica: Replica, reason: str, message: str, *, warning: bool = False) -> None:
        self._record(replica.instance.name, reason, message, warning=warning)

    def _record(self, instance: str, reason: str, message: str, *, warning: bool) -> None:
        kind: Literal["Warning", "Normal"] = "Warning" if warning else "Normal"
        event = Event(
            time=self._state.now(), type=kind, resource="Pod", reason=reason, message=message, instance=instance
        )
        self._state.record(self.key, event)

    async def stop(self) -> None:
        """Ends the instances and leaves what is stored as it is: the emulator is going down."""
        self._stopping = True
        self._task.cancel()
        for replica in self.replicas.values():
            replica.terminate(grace_s=GRACE_AT_THE_END_S)
        for replica in self.replicas.values():
            await replica.ended()
        self._state.routes.remove(self.key)

    async def _reconcile_for_ever(self) -> None:
        while True:
            self._changed.clear()
            service = self._state.services.get(str(self.key))
            assert service is not None  # noqa: S101 - only this task removes it
            look_again_s = self._reconcile(service)
            if service.target == "deleted" and not self.replicas:
                break
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), look_again_s)
        await asyncio.to_thread(shutil.rmtree, self._home, ignore_errors=True)
        self._state.forget(self.key)

    def _reconcile(self, service: Service) -> float | None:
        """Takes the next step; after how long to look again although nothing has changed, None for never."""
        config = self._config(service, service.version)
        self._route.configure(service, config)
        self._state.routes.regroup()
        rollout = self._advance(service)
        held = held_back(rollout, service.replicas)
        self._end_overdue()
        for instance in [*self._waiting.values()] if service.target == "running" else []:
            self._place(service, instance)
        present = [self._member(instance, service, rollout) for instance in self._staying()]
        members = staged(present, service.replicas, held)
        step = next_step(
            members,
            service.replicas,
            max_surge=config.metadata.max_surge,
            max_unavailable=config.metadata.max_unavailable,
            first_to_go=service.first_to_go,
        )
        for name in step.stop:
            self.end(name)
        missing_old = held - sum(member.left_behind for member in present)
        for number in range(min(step.start, self._state.free_capacity())):
            old = rollout is not None and number < missing_old
            self._add(service, rollout.current if rollout and rollout.current and old else service.revision)
        followed = len(self.replicas) == len(members) == service.replicas
        if service.operation and followed and all(member.latest and member.ready for member in members):
            self._settle(service, rollout, held)
        # A batch, an announced end and a machine that starts wait for the emulated clock, whose moves nobody announces.
        waits = self._waiting or (rollout is not None and rollout.batch_ready_at is not None)
        return LOOK_AGAIN_S if waits or any(instance.leaves_at for instance in self._staying()) else None

    def _advance(self, service: Service) -> Rollout | None:
        """The service's rollout as it stands now, which is stored when it has moved."""
        if service.rollout is None or service.target != "running":
            return None
        updated = [replica.instance for replica in self.replicas.values() if not replica.ending]
        ready = sum(instance.ready and instance.revision == service.revision for instance in updated)
        rollout = begun(service.rollout, service.revision, service.replicas)
        rollout = advanced(rollout, service.replicas, ready, self._state.now())
        if rollout != service.rollout:
            self._state.services.put(str(self.key), service.model_copy(update={"rollout": rollout}))
        return rollout

    def _settle(self, service: Service, rollout: Rollout | None, held: int) -> None:
        """The instances have followed, also when a pause or a partition holds some of them back for good."""
        if rollout is not None and held and not rollout.paused and not rollout.partition:
            return
        with self._state.store.transaction():
            settled = service.model_copy(update={"operation": "", "first_to_go": [], "rollout": rollout})
            self._state.services.put(str(self.key), settled)
            self._state.record_service_event(service, "Running", f"Stage {service.operation} complete")

    def _given_up(self, service: Service) -> Replica | None:
        for replica in self.replicas.values():
            latest = replica.instance.revision == service.revision and not replica.ending
            if latest and not replica.instance.ready and (replica.blocked or replica.failures >= GIVEN_UP_AFTER):
                return replica
        return None

    def have_leave(self, name: str, at: datetime | None) -> None:
        """The instance is to be replaced, and ends at `at` whether it is or not."""
        if name in self.replicas:
            self.replicas[name].leave(at)

    def end(self, name: str) -> None:
        """Ends an instance that is not on its way out yet."""
        if self._waiting.pop(name, None) is not None:
            self._state.instances.delete(f"{self.key}/{name}")
        elif name in self.replicas:
            self.replicas[name].terminate()

    def _staying(self) -> list[Instance]:
        """Every instance that is not on its way out, oldest first."""
        running = [replica.instance for replica in self.replicas.values() if not replica.ending]
        return sorted([*running, *self._waiting.values()], key=attrgetter("created_at"))

    def _end_overdue(self) -> None:
        """An instance whose machine is taken away gets no grace beyond the notice that it had."""
        now = self._state.now()
        for replica in self.replicas.values():
            if replica.instance.leaves_at is not None and replica.instance.leaves_at <= now:
                replica.terminate(grace_s=0)

    def _member(self, instance: Instance, service: Service, rollout: Rollout | None) -> Member:
        stays = not instance.leaving
        left_behind = stays and rollout is not None and instance.revision == rollout.current
        latest = stays and instance.revision == service.revision
        return Member(instance.name, latest, instance.ready, left_behind, dedicated=bool(instance.resource))

    def _add(self, service: Service, revision: Revision) -> None:
        name = f"{revision_name(service, revision)}-{uuid.uuid4().hex[:5]}"
        instance = Instance(
            name=name, version=revision.version, generation=revision.generation, created_at=self._state.now()
        )
        self._place(service, instance)

    def _place(self, service: Service, instance: Instance) -> None:
        """Runs the instance where there is room for it; otherwise it waits, and says why."""
        config = self._config(service, instance.version)
        placement = place(self._state, service, config)
        if isinstance(placement, str):
            if instance.reason != placement:
                instance = instance.model_copy(update={"reason": placement})
                self._state.instances.put(f"{self.key}/{instance.name}", instance)
                self._record(instance.name, "FailedScheduling", placement, warning=True)
            self._waiting[instance.name] = instance
            return
        self._waiting.pop(instance.name, None)
        placed = instance.model_copy(update={**placement._asdict(), "reason": "", "placed": True})
        self._state.instances.put(f"{self.key}/{instance.name}", placed)
        self._run(placed, config)

    def _resume(self, service: Service, instance: Instance) -> None:
        """Runs an instance that an earlier emulator left, as after a restart of its machine."""
        if instance.status == "Terminating":
            self._state.instances.delete(f"{self.key}/{instance.name}")
            return
        if not instance.placed:
            self._waiting[instance.name] = instance
            return
        again = instance.model_copy(
            update={
                "status": "Pending",
                "reason": "",
                "ready": False,
                "pid": None,
                "restart_count": instance.restart_count + 1,
            }
        )
        self._run(again, self._config(service, instance.version))

    def _run(self, instance: Instance, config: ServiceConfig) -> None:
        home = self._home / instance.name
        self.replicas[instance.name] = Replica(instance, config, self._state.host, home, self)

    def _config(self, service: Service, version: int) -> ServiceConfig:
        if version == service.version:
            return parse_config(service.config)
        return parse_config(self._state.version(service.key, version).config)


def revision_name(service: Service, revision: Revision) -> str:
    """What the names of a revision's instances begin with."""
    number = uuid.uuid5(uuid.NAMESPACE_OID, f"{service.id}/{revision.version}/{revision.generation}")
    return f"{service.name.replace('_', '-')}-{number.hex[:10]}"
