"""Measures every service, second by second, into minutes."""

import time
from itertools import takewhile
from typing import TYPE_CHECKING

from emulator.services.eas.dataplane.routes import Access
from emulator.services.eas.metering.minute import Minute
from emulator.services.eas.metering.summary import Summary
from emulator.services.eas.metering.usage import UsageMeter
from emulator.services.eas.records import ServiceKey

if TYPE_CHECKING:
    from emulator.services.eas.state import EasState

USAGE_EVERY_S = 5.0
# Processor times are counted in hundredths of a second: over less time than this they say nothing.
SHORTEST_USAGE_S = 0.5


class Meter:
    """Adds up what services do between two calls of `close`, and costs a request nothing: what the gateway remembers
    of its requests is read afterwards."""

    def __init__(self, state: "EasState") -> None:
        self._state = state
        self._usage = UsageMeter()
        self._minutes: dict[ServiceKey, Minute] = {}
        self._last: dict[ServiceKey, Access] = {}
        self._looked_at = time.monotonic()

    def look(self) -> None:
        """Takes in what has happened since the last look."""
        now = time.monotonic()
        seconds, self._looked_at = now - self._looked_at, now
        for key in self._state.deployments:
            minute = self._minutes.setdefault(key, Minute())
            minute.add_requests(self._fresh(key), seconds)
        if self._usage.age_s >= USAGE_EVERY_S:
            self._look_at_processes()

    def close(self) -> dict[ServiceKey, dict[str, Summary]]:
        """Every service's metrics since the last `close`; the next minute begins."""
        if self._usage.age_s >= SHORTEST_USAGE_S:
            self._look_at_processes()
        closed, self._minutes = self._minutes, {}
        self._last = {key: access for key, access in self._last.items() if key in self._state.deployments}
        return {key: minute.summaries() for key, minute in closed.items()}

    def _fresh(self, key: ServiceKey) -> list[Access]:
        """The service's requests since the last look, newest first."""
        route = self._state.routes.get(key)
        if route is None or not route.accesses:
            return []
        last = self._last.get(key)
        self._last[key] = route.accesses[-1]
        return list(takewhile(lambda access: access is not last, reversed(route.accesses)))

    def _look_at_processes(self) -> None:
        leaders: dict[int, str] = {}
        services: dict[str, ServiceKey] = {}
        for key, deployment in self._state.deployments.items():
            for name, replica in deployment.replicas.items():
                pids = [replica.instance.pid, *replica.faults.pids]
                leaders |= {pid: name for pid in pids if pid is not None}
                services[name] = key
        for name, used in self._usage.look(leaders).items():
            if used.processors is not None:
                self._minutes.setdefault(services[name], Minute()).add_usage(used.processors, used.memory)
