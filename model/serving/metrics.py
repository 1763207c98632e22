"""Figures in the Prometheus text format, version 0.0.4."""

import json
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Literal


class Histogram:
    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds, self._counts, self._sum = bounds, [0] * (len(bounds) + 1), 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self, name: str) -> list[str]:
        totals = list(accumulate(self._counts))
        buckets = [f'{name}_bucket{{le="{b}"}} {n}' for b, n in zip((*self._bounds, "+Inf"), totals, strict=True)]
        return [f"# TYPE {name} histogram", *buckets, f"{name}_sum {self._sum:.6f}", f"{name}_count {totals[-1]}"]


def labelled(metric: str, **labels: str | int) -> str:
    """A metric's name with its labels, in Prometheus' notation."""
    pairs = ",".join(f"{key}={json.dumps(str(value), ensure_ascii=False)}" for key, value in labels.items())
    return f"{metric}{{{pairs}}}"


def typed(kind: Literal["counter", "gauge"], values: Mapping[str, float]) -> list[str]:
    """The lines of one metric, which all begin with its name."""
    names = {name.partition("{")[0] for name in values}
    return [*(f"# TYPE {name} {kind}" for name in names), *(f"{name} {value}" for name, value in values.items())]
