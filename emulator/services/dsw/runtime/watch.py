"""Watches the instances that run: how busy they are, whether they are idle for too long, whether their time is up.

Utilisation is measured on the processes themselves, idleness and due times are reckoned by the emulated clock: when a
test moves it by an hour, an instance that does nothing now has been idle for that hour.
"""

import asyncio
from collections import deque
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from emulator.clock import iso
from emulator.processes.usage import CpuMeter, memory_bytes
from emulator.services.dsw.records import UP, Instance
from emulator.services.dsw.runtime.processes import Trees
from emulator.services.dsw.specs import spec_of

if TYPE_CHECKING:
    from emulator.services.dsw.state import DswState

TICK_S = 0.5
KEPT_SAMPLES = 7200


class Sample(NamedTuple):
    """Utilisation in percent, averaged over the time since the sample before."""

    time: datetime
    cpu_percent: float
    memory_percent: float


class Watch:
    """Looks at every running instance twice a second, from `start` to `stop`."""

    def __init__(self, state: "DswState") -> None:
        self._state = state
        self._meters: dict[str, CpuMeter] = {}
        self._samples: dict[str, deque[Sample]] = {}
        self._idle_since: dict[str, datetime] = {}
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._look_for_ever(), name="watch of instances")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None

    def begin(self, instance_id: str, now: datetime) -> None:
        """Idleness counts from now on: the instance has started, or has got a culler."""
        self._idle_since[instance_id] = now

    def forget(self, instance_id: str) -> None:
        for kept in (self._meters, self._samples, self._idle_since):
            kept.pop(instance_id, None)

    def idle_s(self, instance_id: str, now: datetime) -> float:
        """For how long it has been idle, by its culler's thresholds."""
        since = self._idle_since.get(instance_id)
        return (now - since).total_seconds() if since else 0.0

    def samples(self, instance_id: str) -> list[Sample]:
        """Oldest first; of about the last hour."""
        return list(self._samples.get(instance_id, ()))

    async def _look_for_ever(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            trees = await asyncio.to_thread(self._state.processes.trees)
            for instance in self._state.instances.values():
                if instance.target == "running" and instance.status in UP:
                    self._look(instance, trees)

    def _look(self, instance: Instance, trees: Trees) -> None:
        now = self._state.now()
        sample = self._measure(instance, trees, now)
        culler = self._state.cullers.get(instance.id)
        if culler is None or sample.cpu_percent >= (culler.cpu_percent or 100):
            self.begin(instance.id, now)
        timer = self._state.timers.get(instance.id)
        if timer is not None and timer.due <= now:
            self._state.timers.delete(instance.id)
            self._state.stop_instance(instance, why=f"Stopped by its shutdown timer, due at {iso(timer.due)}")
        elif culler is not None and self.idle_s(instance.id, now) >= culler.max_idle_minutes * 60:
            why = f"Stopped: below {culler.cpu_percent} % CPU for {culler.max_idle_minutes} minutes"
            self._state.stop_instance(instance, why=why)

    def _measure(self, instance: Instance, trees: Trees, now: datetime) -> Sample:
        spec, processes = spec_of(instance.settings), trees.get(instance.id, ())
        meter = self._meters.setdefault(instance.id, CpuMeter())
        memory_percent = 100 * memory_bytes(processes) / (spec.memory_gib * 2**30)
        sample = Sample(now, meter.percent(processes, spec.vcpus), min(100.0, memory_percent))
        self._samples.setdefault(instance.id, deque(maxlen=KEPT_SAMPLES)).append(sample)
        return sample
