"""The emulated DSW: instances as they are wanted, the machines that run them, and their clocks."""

import asyncio
import secrets
import shutil
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer
from emulator.services.aiworkspace.state import WorkspaceState
from emulator.services.dsw.parameters import WholeSettings
from emulator.services.dsw.product import refusal
from emulator.services.dsw.records import UP, Culler, Event, Instance, Passage, ShutdownTimer, Snapshot, Status
from emulator.services.dsw.runtime.images import Images
from emulator.services.dsw.runtime.machine import Machine
from emulator.services.dsw.runtime.processes import ProcessTable
from emulator.services.dsw.runtime.watch import Watch
from emulator.services.dsw.storage import Dataset, Source, parse_uri
from emulator.services.oss.service import Oss
from emulator.store import Store

KEPT_EVENTS = 2000


class DswState:
    """Handlers change what is stored; the machines of instances follow by themselves between `start` and `stop`."""

    def __init__(
        self,
        store: Store,
        directory: Path,
        now: Callable[[], datetime],
        oss: Oss,
        workspaces: WorkspaceState,
        *,
        account_id: str,
    ) -> None:
        self.store, self.now, self.oss, self.workspaces, self.account_id = store, now, oss, workspaces, account_id
        self.instances = store.collection("dsw.instances", Instance)
        self.passages = store.collection("dsw.passages", Passage)
        self.events = store.collection("dsw.events", Event)
        self.cullers = store.collection("dsw.cullers", Culler)
        self.timers = store.collection("dsw.timers", ShutdownTimer)
        self.snapshots = store.collection("dsw.snapshots", Snapshot)
        self.images = Images(directory / "images")
        self.file_systems = directory / "file-systems"
        self.processes = ProcessTable()
        self.watch = Watch(self)
        self._numbers = store.settings("dsw.numbers")
        self._homes = directory / "instances"
        self._machines: dict[str, Machine] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._running = False

    async def start(self) -> None:
        """Ends what an earlier emulator left running, then starts again what should run."""
        known = {instance.id: instance for instance in self.instances.values()}
        leftovers = (await asyncio.to_thread(self.processes.trees)).keys() & self._ours(known)
        for instance_id in leftovers:
            await self.processes.end(instance_id, 0.0)
        for home in self._homes.glob("*"):
            if home.name not in known:
                await asyncio.to_thread(shutil.rmtree, home)
        self._running = True
        for instance in known.values():
            if instance.target == "running":
                self.set_status(instance.id, "Recovering")
            self._machines[instance.id] = Machine(self, instance.id)
        self.watch.start()

    async def stop(self) -> None:
        """Ends every process; the instances are as before at the next `start`, and the time between does not count."""
        self._running = False
        await self.watch.stop()
        await asyncio.gather(*(machine.stop() for machine in self._machines.values()))
        await asyncio.gather(*self._background)
        self._machines.clear()
        for instance in self.instances.values():
            if instance.running_since is not None:
                stopped = {"accumulated_ms": instance.running_ms(self.now()), "running_since": None}
                self.instances.put(instance.id, instance.model_copy(update=stopped))

    def reset(self) -> None:
        """Removes the files, after the store was cleared."""
        for directory in (self._homes, self.file_systems, self.images.directory):
            shutil.rmtree(directory, ignore_errors=True)

    # What is wanted.

    def find(self, region: str, instance_id: str) -> Instance:
        instance = self.instances.get(instance_id)
        if instance is None or instance.region != region:
            raise refusal(f"The instance {instance_id} does not exist.", 404)
        return instance

    def add(self, instance: Instance) -> None:
        self.instances.put(instance.id, instance)
        self._enter(instance)
        self.record(instance.id, "The instance was created")
        if self._running:
            self._machines[instance.id] = Machine(self, instance.id)

    def put(self, instance: Instance) -> None:
        self.instances.put(instance.id, instance.model_copy(update={"modified_at": self.now()}))

    def start_instance(self, instance: Instance) -> None:
        self.put(
            instance.model_copy(
                update={"target": "running", "session": instance.session + 1, "save_before_stop": False}
            )
        )
        self.set_status(instance.id, "ResourceAllocating")
        self._wake(instance.id)

    def stop_instance(self, instance: Instance, *, save: bool = False, why: str = "") -> None:
        """Has it stopped; `why` is told when nobody asked for it."""
        if instance.target != "running":
            return
        saving = save and instance.status in UP
        self.put(instance.model_copy(update={"target": "stopped", "save_before_stop": saving}))
        self.set_status(instance.id, "Saving" if saving else "Stopping")
        self.record(instance.id, why or "The instance is being stopped")
        self._wake(instance.id)

    def delete_instance(self, instance: Instance) -> None:
        self.put(instance.model_copy(update={"target": "deleted"}))
        self.set_status(instance.id, "Deleting")
        self._wake(instance.id)

    def fail(self, instance_id: str, code: str, message: str) -> None:
        """The instance has failed, and is not started again by itself."""
        instance = self.instances.get(instance_id)
        if instance is None or instance.target != "running":
            return
        self.instances.put(instance_id, instance.model_copy(update={"target": "stopped"}))
        self.set_status(instance_id, "Failed", code, message)
        self.record(instance_id, f"The instance failed: {message or 'its container could not be created'}", "Warning")

    def forget(self, instance_id: str) -> None:
        """Removes an instance of which nothing runs any more, with everything that hangs on it."""
        with self.store.transaction():
            self.instances.delete(instance_id)
            self.cullers.delete(instance_id)
            self.timers.delete(instance_id)
            for collection in (self.passages, self.events, self.snapshots):
                collection.delete_all(f"{instance_id}/")
        self._machines.pop(instance_id, None)
        self.watch.forget(instance_id)

    # What is.

    def set_status(self, instance_id: str, status: Status, reason_code: str = "", reason_message: str = "") -> None:
        """Records that the instance has come to `status`, and counts its running time."""
        instance = self.instances.get(instance_id)
        if instance is None or (instance.status == status and not reason_code):
            return
        now = self.now()
        changes: dict[str, Any] = {"status": status, "reason_code": reason_code, "reason_message": reason_message}
        if status in UP and instance.running_since is None:
            changes["running_since"] = now
            self.watch.begin(instance_id, now)
        elif status not in UP and instance.running_since is not None:
            changes |= {"accumulated_ms": instance.running_ms(now), "running_since": None}
        changed = instance.model_copy(update=changes)
        with self.store.transaction():
            self._leave(instance)
            self.instances.put(instance_id, changed)
            self._enter(changed)

    def set_port(self, instance_id: str, port: int) -> None:
        instance = self.instances.get(instance_id)
        if instance is not None:
            self.instances.put(instance_id, instance.model_copy(update={"port": port}))

    def record(self, instance_id: str, message: str, level: Literal["Normal", "Warning"] = "Normal") -> None:
        """Keeps an event; the oldest ones of an instance are forgotten."""
        number = self._numbers.next_number(f"{instance_id}/event")
        self.events.put(f"{instance_id}/{number:08d}", Event(time=self.now(), level=level, message=message))
        self.events.delete(f"{instance_id}/{number - KEPT_EVENTS:08d}")

    def background(self, work: Coroutine[Any, Any, None]) -> None:
        """Runs `work` to its end, at the latest when the emulator goes down."""
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # Where things are.

    def home(self, instance_id: str) -> Path:
        return self._homes / instance_id

    def mount_source(self, dataset: Dataset) -> Source:
        """What a dataset of PAI or a URI leads to; ApiError when there is no such dataset, ValueError when what it
        leads to cannot be mounted."""
        if dataset.uri is not None:
            return parse_uri(dataset.uri)
        assert dataset.dataset_id is not None  # noqa: S101 - one of the two is always there
        version = self.workspaces.dataset_version(dataset.dataset_id, dataset.dataset_version or "v1")
        return parse_uri(str(version.fields["Uri"]))

    def image_url(self, settings: WholeSettings) -> str:
        """The image of an instance; an id that is not of a snapshot is taken for a URL that nothing is known of."""
        if settings.image_url is not None:
            return settings.image_url
        found = (snapshot.image_url for snapshot in self.snapshots.values() if snapshot.image_id == settings.image_id)
        return next(found, settings.image_id or "")

    def workspace_name(self, workspace_id: str) -> str:
        """Empty when the workspace was deleted."""
        try:
            return str(self.workspaces.workspace(workspace_id).fields["WorkspaceName"])
        except ApiError:
            return ""

    # What both GetInstance and operations of their own tell.

    def culler_answer(self, instance: Instance) -> Answer:
        """Empty when the instance has none."""
        culler = self.cullers.get(instance.id)
        if culler is None:
            return {}
        thresholds = {"CpuPercentThreshold": culler.cpu_percent, "GpuPercentThreshold": culler.gpu_percent}
        idle_s = self.watch.idle_s(instance.id, self.now()) if instance.status in UP else 0.0
        return {
            "InstanceId": instance.id,
            "MaxIdleTimeInMinutes": culler.max_idle_minutes,
            "IdleTimeInMinutes": int(idle_s // 60),
        } | {name: value for name, value in thresholds.items() if value is not None}

    def timer_answer(self, instance: Instance) -> Answer:
        """Empty when the instance has none."""
        timer = self.timers.get(instance.id)
        if timer is None:
            return {}
        return {
            "InstanceId": instance.id,
            "DueTime": iso(timer.due),
            "RemainingTimeInMs": max(0, int((timer.due - self.now()).total_seconds() * 1000)),
            "GmtCreateTime": iso(timer.created_at),
            "GmtModifiedTime": iso(timer.created_at),
        }

    def _wake(self, instance_id: str) -> None:
        if instance_id in self._machines:
            self._machines[instance_id].wake()

    def _enter(self, instance: Instance) -> None:
        passage = Passage(
            id=f"lc-{secrets.token_hex(8)}",
            session=instance.session,
            status=instance.status,
            reason_code=instance.reason_code,
            reason_message=instance.reason_message,
            began_at=self.now(),
        )
        number = self._numbers.next_number(f"{instance.id}/passage")
        self.passages.put(f"{instance.id}/{number:08d}", passage)

    def _leave(self, instance: Instance) -> None:
        passages = self.passages.items(f"{instance.id}/")
        if passages:
            key, latest = passages[-1]
            self.passages.put(key, latest.model_copy(update={"ended_at": self.now()}))

    def _ours(self, known: dict[str, Instance]) -> set[str]:
        """Instances of this emulator: others may run on the same machine."""
        return known.keys() | {home.name for home in self._homes.glob("*")}
