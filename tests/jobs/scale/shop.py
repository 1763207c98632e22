"""A shop whose load rises every morning, and which is handed over to a controller."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from emulator.services.eas.metering.summary import Summary
from emulator.state import Settings, State
from jobs.pulumi_stack import PulumiStack
from jobs.scale.command import ScaleFlags, ended_by_signals, run
from jobs.stacks import OpenStack
from planning.series import Floats
from stacks.config import StackConfig
from tests.emulator.running import RunningEmulator, run_emulator
from tests.planning.loads import daily

SERVICE = "shop_dev"
# The load is known until five minutes before the rise of nine in the morning; a replica needs three minutes.
HISTORY = daily(11).before(10 * 288 + 9 * 12 - 1)


@contextmanager
def measuring_emulator(folder: Path, times: float = 1.0) -> Iterator[RunningEmulator]:
    """Its clock stands at the end of what it has measured, which is so many times the load of the shop."""
    now = datetime.now(UTC)
    end = now.replace(minute=now.minute // 5 * 5, second=0, microsecond=0) + timedelta(minutes=5)
    with emulator_after(folder, times * HISTORY.qps, end, SERVICE) as running:
        yield running


@contextmanager
def emulator_after(folder: Path, qps: Floats, end: datetime, *services: str) -> Iterator[RunningEmulator]:
    """Its clock stands at `end`, until when each service had that load, by five minutes."""
    points = State(Settings(folder, port=1)).cms.points
    begun = end - timedelta(minutes=5 * len(qps))
    for service in services:
        for place, value in enumerate(qps):
            summary = Summary()
            summary.add(float(value))
            points.add("acs_learn", "qps_total", {"serviceName": service}, begun.timestamp() + 300 * place, summary)
    with run_emulator(folder) as running:
        minutes_pass(running, (end - running.state.clock.now()).total_seconds() / 60)
        yield running


def opened(url: str, most: int = 40, threshold: float = 42, **forecast: Any) -> OpenStack:
    wanted = {"mode": "PredictAndScale", "applied_by": "controller", "qps_per_replica": 60, **forecast}
    scaling = {"min_replicas": 1, "max_replicas": most, "qps_per_replica": {"target": threshold}, "forecast": wanted}
    service = {"model": {"name": "m", "artefact": "a"}, "instance_type": "ecs.c7.large", "scaling": scaling}
    target = {"region": "cn-hangzhou", "account_id": "1234567890123456", "emulator": url}
    settings = {"target": target, "services": {"shop": service}}
    config = StackConfig.model_validate_json(json.dumps(settings))
    return OpenStack(config, PulumiStack("dev", Path("unused"), Path("unused"), config.target.environment()))


def minutes_pass(emulator: RunningEmulator, minutes: float) -> None:
    answer = httpx.post(f"{emulator.url}/_emulator/clock", json={"advance_s": 60 * minutes}, trust_env=False)
    answer.raise_for_status()


if __name__ == "__main__":
    sys.exit(run(opened(sys.argv[1]), "shop", ScaleFlags(follow=True, every_s=float(sys.argv[2])), ended_by_signals()))
