"""What a forecast is: the load that each future step has, with chances; and what every method offers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from planning.series import Floats, Series

# Dense where it matters: too few replicas is the upper tail.
LEVELS: Floats = np.array([0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 1.0])


@dataclass(frozen=True)
class Forecast:
    """`qps[step, k]` is exceeded with a chance of `1 - LEVELS[k]`; it never falls along k."""

    qps: Floats

    def __len__(self) -> int:
        return len(self.qps)

    @property
    def median(self) -> Floats:
        return self.at_level(0.5)

    def at_level(self, level: float) -> Floats:
        """The load of each step that is not exceeded with this chance, by lines between LEVELS."""
        place = float(np.interp(level, LEVELS, np.arange(len(LEVELS))))
        low = int(place)
        high = min(low + 1, len(LEVELS) - 1)
        return self.qps[:, low] + (place - low) * (self.qps[:, high] - self.qps[:, low])

    def chance_above(self, qps: Floats) -> Floats:
        """Steps x len(qps): the chance that the step's load is above each; nothing is above the highest level."""
        chances = [1 - np.interp(qps, its, LEVELS, left=0.0, right=1.0) for its in self.qps]
        return np.array(chances).reshape(len(self.qps), len(qps))

    def up_to(self, steps: int) -> "Forecast":
        return Forecast(self.qps[:steps])

    def after(self, near: "Forecast") -> "Forecast":
        """This forecast, of which the first steps are replaced by `near`."""
        return Forecast(np.concatenate([near.qps, self.qps[len(near) :]])[: max(len(self), len(near))])


class Method(Protocol):
    """A way to forecast. It sees the history, which ends where the forecast begins, and nothing else."""

    @property
    def name(self) -> str: ...

    def forecast(self, history: Series, steps: int) -> Forecast:
        """The next `steps` steps; ForecastError when the history is too short for it."""
        ...


class ForecastError(ValueError):
    """The method cannot forecast from this history; the message says what it would need."""


@dataclass(frozen=True)
class Ensemble:
    """The mean of what its methods say at each level."""

    methods: Sequence[Method]
    name: str = "ensemble"

    def forecast(self, history: Series, steps: int) -> Forecast:
        each = [method.forecast(history, steps).qps for method in self.methods]
        return Forecast(np.mean(each, axis=0))


def needs_days(history: Series, days: float, method: str) -> None:
    """ForecastError when the history is shorter than `days`."""
    there = len(history) / history.steps_per_day
    if there < days:
        raise ForecastError(f"{method} needs {days:g} days of history, found {there:.1f}")
