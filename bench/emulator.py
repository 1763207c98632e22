"""The emulator beside moto and ministack: time to first answer, and 1 KiB objects through each vendor's SDK."""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench import servers
from bench.measure import percentile
from bench.rows import Row, at_most, beside

CLIENTS = Path(__file__).parent / "clients"
STARTS, ROUNDS, REQUESTS, WARM_UP = 5, 5, 300, 50


def first_answer() -> Iterator[Row]:
    """Median seconds from the start of the process to the first answered request."""
    taken: dict[str, list[float]] = {"emulator": [], "moto": [], "ministack": []}
    for _ in range(STARTS):
        for name, server in (("emulator", servers.emulator), ("moto", servers.moto), ("ministack", servers.ministack)):
            with server() as (_, seconds):
                taken[name].append(seconds)
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    for rival in ("moto", "ministack"):
        yield beside(f"emulator: first answer, beside {rival}", medians["emulator"], "s", baseline=medians[rival])


def object_latency() -> Iterator[Row]:
    """p50 and p99 of put and get, the rounds of the three interleaved; goal: the better rival's or below."""
    taken: dict[str, dict[str, list[float]]] = {}
    with servers.emulator() as (ours, _), servers.moto() as (moto, _), servers.ministack() as (ministack, _):
        clients = {
            "oss2": [sys.executable, str(CLIENTS / "oss_latency.py"), ours],
            "moto": [str(servers.RIVALS / "python"), str(CLIENTS / "s3_latency.py"), moto],
            "ministack": [str(servers.RIVALS / "python"), str(CLIENTS / "s3_latency.py"), ministack],
        }
        for _ in range(ROUNDS):
            for name, command in clients.items():
                out = subprocess.run([*command, str(REQUESTS + WARM_UP)], check=True, stdout=subprocess.PIPE)
                for what, latencies in json.loads(out.stdout).items():
                    taken.setdefault(name, {}).setdefault(what, []).extend(latencies[WARM_UP:])
    for what in ("put", "get"):
        for percent in (50, 99):
            figures = {name: percentile(latencies[what], percent) for name, latencies in taken.items()}
            yield at_most(
                f"oss: {what} 1 KiB p{percent}, oss2 beside the better of moto and ministack",
                figures["oss2"],
                "ms",
                baseline=min(figures["moto"], figures["ministack"]),
                ratio=1,
            )
