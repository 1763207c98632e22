"""How many requests per second a stress test offers, and how that follows from what came of them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from emulator.services.eas.benchmark.settings import BenchmarkSettings

# EAS says that it revises the load until it is within bounds, and not how; and nothing of how `auto` searches.
REVISED = 0.9
AUTO_BEGINS_QPS = 10.0
AUTO_GROWS = 1.5


@dataclass(frozen=True)
class Interval:
    """What came of the requests of one `adjustInterval`."""

    latencies_ms: Sequence[float]
    answered: int
    failed: int


class Pressure:
    """The load of the modes `scan` and `auto`; `scan` grows by a step, `auto` by half, until a bound is reached."""

    def __init__(self, settings: BenchmarkSettings) -> None:
        options = settings.optional
        self._options, self._most = options, settings.most_qps
        self._grows = True
        scan = options.mode == "scan"
        self.qps = min(options.least_qps if scan else AUTO_BEGINS_QPS, self._most)

    def judge(self, interval: Interval) -> None:
        """The next interval's load."""
        slow = self._options.most_rt is not None and tp(interval.latencies_ms, 99) > self._options.most_rt
        failed = interval.failed > self._options.tolerated * max(1, interval.answered + interval.failed)
        if slow or failed:
            self._grows = False
            if slow or self._options.on_faults == "revise":
                self.qps *= REVISED
        elif self._grows:
            larger = self.qps + self._options.growth if self._options.mode == "scan" else self.qps * AUTO_GROWS
            self.qps = min(larger, self._most)


def tp(latencies_ms: Sequence[float], percent: float) -> float:
    """The latency that so many percent do not exceed; 0 of nothing."""
    if not latencies_ms:
        return 0.0
    ordered = sorted(latencies_ms)
    return ordered[max(0, math.ceil(percent / 100 * len(ordered)) - 1)]
