"""Many measurements in a few numbers."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

# Latencies are counted in classes, each so much wider than the one before: a percentile is off by half of it at most.
CLASS_WIDTH = 0.01
_LOG_WIDTH = math.log1p(CLASS_WIDTH)


@dataclass
class Summary:
    """The weighted sum of values, their weight, and the lowest and the highest of them."""

    weight: float = 0.0
    total: float = 0.0
    low: float = math.inf
    high: float = -math.inf

    @property
    def average(self) -> float:
        return self.total / self.weight

    def add(self, value: float, weight: float = 1.0) -> None:
        self.merge(Summary(weight, value * weight, value, value))

    def merge(self, other: "Summary") -> None:
        self.weight += other.weight
        self.total += other.total
        self.low = min(self.low, other.low)
        self.high = max(self.high, other.high)


@dataclass
class Latencies:
    """Latencies in microseconds, exact but for percentiles."""

    summary: Summary = field(default_factory=Summary)
    _classes: Counter[int] = field(default_factory=Counter)

    def add(self, values: Sequence[float]) -> None:
        if values:
            self.summary.merge(Summary(len(values), sum(values), min(values), max(values)))
            self._classes.update(round(math.log(max(value, 1.0)) / _LOG_WIDTH) for value in values)

    def percentiles(self, percents: Sequence[int]) -> list[float]:
        """For each percent, the latency that so many percent of the requests do not exceed; there must be requests."""
        count, seen, found = self._classes.total(), 0, {}
        left = sorted(percents)
        for number in sorted(self._classes):
            seen += self._classes[number]
            while left and seen * 100 >= left[0] * count:
                found[left.pop(0)] = min(max(math.exp(number * _LOG_WIDTH), self.summary.low), self.summary.high)
        return [found[percent] for percent in percents]
