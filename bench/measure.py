"""Small instruments of the benchmarks."""

import statistics
import time
from collections.abc import Callable


def percentile(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def until(condition: Callable[[], bool], *, limit_s: float) -> None:
    """Returns when `condition` holds; TimeoutError after `limit_s`."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {limit_s:g} s")
        time.sleep(0.02)
