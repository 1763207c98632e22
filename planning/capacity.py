"""How much load a service can serve within an objective, found by trials."""

from collections.abc import Callable
from dataclasses import dataclass

# A service that cannot bear so small a part of the first load has no capacity worth the time to find it.
LOWEST = 16


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
        """Also what was offered has to be answered: a queue that grows is no capacity."""
        kept_up = trial.answered >= 0.95 * trial.offered
        return kept_up and trial.latency_ms <= self.latency_ms and trial.failed_share <= self.failed_share


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
