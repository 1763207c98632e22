"""How much load a service can serve within an objective, found by trials."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile

# A service that cannot bear so small a part of the first load has no capacity worth the time to find it.
LOWEST = 16
# In how many steps a ramp goes from its lowest load to its highest.
RAMP_STEPS = 10


@dataclass(frozen=True)
class Trial:
    """What came of `offered` requests per second for a while; `latency_ms` is of the objective's percentile."""

    offered: float
    answered: float
    latency_ms: float
    failed_share: float


@dataclass(frozen=True)
class Objective:
    """So fast have `percentile` percent of the answers to be, and so few may fail."""

    latency_ms: float
    percentile: float = 95.0
    failed_share: float = 0.01

    def met_by(self, trial: Trial) -> bool:
        return self.fast_enough(trial) and trial.failed_share <= self.failed_share

    def fast_enough(self, trial: Trial) -> bool:
        """Also what was offered has to be answered: a queue that grows is no capacity."""
        return trial.answered >= 0.95 * trial.offered and trial.latency_ms <= self.latency_ms


@dataclass(frozen=True)
class Capacity:
    """The highest load that met the objective, twice; None when none did. `limited`: no higher one was tried."""

    qps: float | None
    limited: bool
    trials: tuple[Trial, ...]


def find_capacity(
    offer: Callable[[float], Trial], objective: Objective, *, first: float, most: float, precision: float = 0.05
) -> Capacity:
    """Double the load from `first` until the objective is missed, then halve the gap until it is below `precision`.

    What is found is offered once more; if it does not hold, so much less is. Never offers more than `most`, nor less
    than a sixteenth of `first`.
    """
    trials: list[Trial] = []

    def holds(qps: float) -> bool:
        trials.append(offer(qps))
        return objective.met_by(trials[-1])

    good, bad, qps = 0.0, 0.0, min(first, most)
    while holds(qps):
        good = qps
        if qps >= most:
            return Capacity(good, True, tuple(trials))
        qps = min(2 * qps, most)
    bad = qps
    while bad - good > precision * bad:
        middle = (good + bad) / 2
        good, bad = (middle, bad) if holds(middle) else (good, middle)
        if bad < first / LOWEST:
            return Capacity(None, False, tuple(trials))
    while not holds(good):
        good *= 1 - precision
        if good < first / LOWEST:
            return Capacity(None, False, tuple(trials))
    return Capacity(good, False, tuple(trials))


def find_by_ramps(
    ramp: Callable[[float, float, int], Sequence[Trial]],
    objective: Objective,
    *,
    first: float,
    most: float,
    precision: float = 0.05,
) -> Capacity:
    """Ramp the load from `first` to `most`, and again between the last load that was good and the first that was not,
    until that gap is below `precision`.

    `ramp` takes the lowest and the highest load and the number of equal steps between them, and tells what came of
    each load, without those after it has been ended early; failures are of the whole ramp, so they count only where
    what was found is offered again. If it does not hold, so much less is.
    """
    trials: list[Trial] = []
    good, bad = 0.0, math.inf
    low, high = min(first, most), most
    while True:
        ramped = ramp(low, high, RAMP_STEPS)
        trials += ramped
        fast = [*takewhile(objective.fast_enough, ramped)]
        good = fast[-1].offered if fast else good
        bad = ramped[len(fast)].offered if len(fast) < len(ramped) else bad
        if bad == math.inf or bad - good <= precision * bad:
            break
        if good:
            low, high = good, bad
        elif low > first / LOWEST:
            low, high = first / LOWEST, low
        else:
            break
    while good >= first / LOWEST:
        held = ramp(0.9 * good, good, 1)
        trials += held
        if len(held) == 2 and objective.met_by(held[-1]):  # else it ended before the load in question
            return Capacity(good, good >= most, tuple(trials))
        good *= 1 - precision
    return Capacity(None, False, tuple(trials))
