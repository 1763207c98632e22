"""The emulated EAS's gateway beside the same replica called directly, with the demo's model behind both."""

import json
import statistics
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

from bench.measure import percentile
from bench.model_service import Deployed, deployed, load_command
from bench.rows import Row, at_least, at_most_above

ROUNDS = 5


def added_latency() -> Iterator[Row]:
    """p50 with and without the gateway, at a rate that keeps the replica about a third busy."""
    with deployed() as service:
        busy = statistics.median(_load(service.direct, service, 200, workers=1).latencies_ms)
        rate = 1000 / busy / 3
        taken: dict[str, list[float]] = {"gateway": [], "direct": []}
        for _ in range(ROUNDS):
            taken["direct"] += _load(service.direct, service, int(rate * 4), workers=8, rate=rate).latencies_ms
            taken["gateway"] += _load(service.gateway, service, int(rate * 4), workers=8, rate=rate).latencies_ms
    yield at_most_above(
        f"gateway: p50 at {rate:.0f} requests/s, beside the replica called directly",
        percentile(taken["gateway"], 50),
        "ms",
        baseline=percentile(taken["direct"], 50),
        above=1,
    )


def throughput() -> Iterator[Row]:
    """Requests a second that 16 callers get done, median of the rounds."""
    with deployed() as service:
        taken: dict[str, list[float]] = {"gateway": [], "direct": []}
        for _ in range(ROUNDS):
            for way, url in (("direct", service.direct), ("gateway", service.gateway)):
                taken[way].append(1000 / _load(url, service, 1000, workers=16).seconds)
    yield at_least(
        "gateway: throughput, beside the replica called directly",
        statistics.median(taken["gateway"]),
        "requests/s",
        baseline=statistics.median(taken["direct"]),
        ratio=0.7,
    )


@dataclass(frozen=True)
class Answered:
    seconds: float
    latencies_ms: list[float]


def _load(url: str, service: Deployed, requests: int, *, workers: int, rate: float = 0) -> Answered:
    command = load_command(url, service, requests, workers=workers, rate=rate)
    return Answered(**json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
