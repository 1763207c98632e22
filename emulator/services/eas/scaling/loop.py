"""Looks every second at the services that scale by themselves."""

import asyncio
import contextlib
import itertools
from datetime import datetime
from typing import TYPE_CHECKING

from emulator.services.eas.dataplane import background
from emulator.services.eas.records import Service, ServiceKey
from emulator.services.eas.scaling.bounds import Bounds, plain_step, step_with_autoscaler
from emulator.services.eas.scaling.load import LoadMeter
from emulator.services.eas.scaling.records import Autoscaler, CronScaler
from emulator.services.eas.scaling.resize import resize
from emulator.services.eas.scaling.rules import Measurement, Observation, Stabilizer, decide
from emulator.services.eas.scaling.schedule import occurrences

if TYPE_CHECKING:
    from emulator.services.eas.state import EasState

PERIOD_S = 1.0
# So many runs of jobs in one go, when the clock has been moved far; then requests get their turn.
RUNS_AT_ONCE = 500


class ScalingLoop:
    """Evaluates every autoscaler and runs the jobs of every cron scaler, between `start` and `stop`.

    It sleeps while there are none. `measured` has the last values of each service's strategies, in their order.
    """

    def __init__(self, state: "EasState") -> None:
        self.measured: dict[ServiceKey, list[float | None]] = {}
        self._state = state
        self._meter = LoadMeter(state)
        self._stabilizers: dict[ServiceKey, Stabilizer] = {}
        self._looked_at: dict[ServiceKey, datetime] = {}
        self._began: dict[ServiceKey, datetime] = {}
        self._woken = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = background.start(self._run(), "scaling")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            self._task = None
        for memory in (self.measured, self._stabilizers, self._looked_at, self._began):
            memory.clear()

    def wake(self) -> None:
        """Something is to be looked at now: a new scaler, or a moved clock."""
        self._woken.set()

    def forget(self, key: ServiceKey) -> None:
        """The service's autoscaler is gone, or a new one begins."""
        self.measured.pop(key, None)
        self._stabilizers.pop(key, None)
        self._looked_at.pop(key, None)
        self._began.pop(key, None)

    async def _run(self) -> None:
        while True:
            self._woken.clear()
            with self._state.store.transaction():
                more_runs = self._run_jobs()
                scaled = self._evaluate()
            if more_runs:
                await asyncio.sleep(0)
                continue
            period_s = PERIOD_S if scaled or self._state.cronscalers.values() else None
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._woken.wait(), period_s)

    def _evaluate(self) -> bool:
        """Whether there is any autoscaler."""
        autoscalers = [(ServiceKey(*key.split("/")), scaler) for key, scaler in self._state.autoscalers.items()]
        self._meter.sample(self._measured_by_cpu(autoscalers))
        for key, autoscaler in autoscalers:
            service = self._state.services.get(str(key))
            if service is not None and service.target == "running":
                self._apply(service, autoscaler)
            else:
                self.forget(key)
        return bool(autoscalers)

    def _measured_by_cpu(self, autoscalers: list[tuple[ServiceKey, Autoscaler]]) -> list[Service]:
        keys = {
            ServiceKey(key.region, strategy.service)
            for key, autoscaler in autoscalers
            for strategy in autoscaler.strategies
            if strategy.metric.lower() == "cpu"
        }
        return [service for key in keys if (service := self._state.services.get(str(key))) is not None]

    def _apply(self, service: Service, autoscaler: Autoscaler) -> None:
        key, now = service.key, self._state.now()
        values = [self._meter.value(key.region, strategy) for strategy in autoscaler.strategies]
        self.measured[key] = values
        stabilizer = self._stabilizers.setdefault(key, Stabilizer(now, service.replicas))
        began = self._began.setdefault(key, now)
        route = self._state.routes.get(key)
        arrived = route.last_arrival if route is not None else None
        looked_at = self._looked_at.get(key, now)
        self._looked_at[key] = now
        wanted = decide(
            autoscaler,
            Observation(
                time=now,
                replicas=service.replicas,
                measurements=[
                    Measurement(value, strategy.threshold)
                    for value, strategy in zip(values, autoscaler.strategies, strict=True)
                ],
                idle_since=max(arrived or began, began),
                asked=bool(route and route.in_flight) or (arrived is not None and arrived >= looked_at),
            ),
            stabilizer,
        )
        if wanted != service.replicas:
            resize(self._state, service, wanted, why="the autoscaler's decision")

    def _run_jobs(self) -> bool:
        """Runs what is due; whether there may be more."""
        more = False
        for key, cronscaler in self._state.cronscalers.items():
            service = self._state.services.get(key)
            if service is None or service.target == "deleted":
                continue
            more |= self._run_jobs_of(service, cronscaler)
        return more

    def _run_jobs_of(self, service: Service, cronscaler: CronScaler) -> bool:
        now = self._state.now()
        schedules = [(job.schedule, job.time_zone) for job in cronscaler.jobs]
        due = occurrences(schedules, cronscaler.excluded, cronscaler.done_until, now)
        runs = list(itertools.islice(due, RUNS_AT_ONCE))
        if not runs:
            return False
        jobs = list(cronscaler.jobs)
        for time, number in runs:
            message = self._run_job(service.key, jobs[number].target_size)
            text = f"cron hpa job {jobs[number].name} executed successfully. {message}"
            jobs[number] = jobs[number].model_copy(update={"state": "Succeed", "probed_at": time, "message": text})
        more = len(runs) == RUNS_AT_ONCE
        changes = {"jobs": jobs, "done_until": runs[-1].time if more else now}
        self._state.cronscalers.put(str(service.key), cronscaler.model_copy(update=changes))
        return more

    def _run_job(self, key: ServiceKey, target: int) -> str:
        service = self._state.services.get(str(key))
        assert service is not None  # noqa: S101 - looked up in the same transaction
        current = int(service.config["metadata"]["instance"])
        autoscaler = self._state.autoscalers.get(str(key))
        if autoscaler is None:
            message, replicas = plain_step(current, target), target
        else:
            step = step_with_autoscaler(Bounds(autoscaler.minimum, autoscaler.maximum), current, target)
            changes = {"minimum": step.bounds.minimum, "maximum": step.bounds.maximum}
            self._state.autoscalers.put(str(key), autoscaler.model_copy(update=changes))
            message, replicas = step.message, step.replicas
        if replicas != current:
            resize(self._state, service, replicas, why="a scheduled job")
        return message
