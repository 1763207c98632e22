"""`python -m bench.replay`: a day of load, at speed, against real replicas: the rule alone beside the controller.

The emulator's clock is moved minute by minute. Requests are real, at the rate of the day, but each minute has only
`--pace-s` seconds of them; replicas are processes that need about three such minutes to start; CloudMonitor has
measured the days before, and measures this one. The load is made: it rises at the same time every day.
"""

import json
import logging
import math
import multiprocessing
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from alibabacloud_eas20210701.client import Client
from rich.console import Console
from rich.progress import track
from rich.table import Table

from emulator.services.eas.scaling import load as autoscaler_load
from jobs.pulumi_stack import PulumiStack
from jobs.scale.command import ScaleFlags, controller_of
from jobs.scale.controller import Controller
from jobs.scale.journal import DecisionRecord
from jobs.stacks import OpenStack
from planning.backtest import Rule, replay
from planning.series import Floats
from stacks.config import StackConfig
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import STAND_IN, Eas, service_json
from tests.emulator.eas.steady_load import SteadyLoad
from tests.emulator.running import RunningEmulator
from tests.emulator.sdk import connect
from tests.jobs.scale.conftest import target_of, versioned_bucket
from tests.jobs.scale.shop import emulator_after, minutes_pass
from tests.planning.loads import daily

# A replica works a tenth of a second on each request, one after the other: of ten it is declared to serve nine.
WORK_S, CAPACITY, QUEUE, MOST = 0.1, 9.0, 5, 12
# Of a day with 1000 requests per second from nine to six: 46 at its highest, 4 at night.
SHARE, NOISE, DAYS_BEFORE = 0.04, 0.05, 10
WARM_UP_MINUTES, ROUND_MINUTES = 3, 5
# What a process needs until it begins to wait.
PROCESS_S = 0.3


@dataclass(frozen=True)
class Policy:
    """The autoscaler's target, as a share of what a replica serves, and whether a controller moves its floor."""

    service: str
    told: str
    target: float
    planned: bool

    @property
    def name(self) -> str:
        """In EAS."""
        return f"{self.service}_dev"


@dataclass
class Lane:
    """A service of its own under one policy; the replicas that it wanted and had, by minute."""

    policy: Policy
    load: SteadyLoad
    asked: list[int] = field(default_factory=list)
    ready: list[int] = field(default_factory=list)


POLICIES = (
    Policy("cool", "rule at 0.7", 0.7, planned=False),
    Policy("hot", "rule at 1", 1.0, planned=False),
    Policy("coolplan", "controller, rule at 0.7", 0.7, planned=True),
    Policy("hotplan", "controller, rule at 1", 1.0, planned=True),
)


def main(
    from_hour: Annotated[float, typer.Option(help="Of the day, at which the replay begins.")] = 0,
    hours: Annotated[float, typer.Option(help="So long it goes on.")] = 24,
    pace_s: Annotated[float, typer.Option(help="Real seconds for a minute of the day.")] = 0.6,
    series: Annotated[Path | None, typer.Option(help="Each minute's load and replicas, as CSV.")] = None,
) -> None:
    """Replay a day against real replicas and count replicas, minutes with too few of them, and refused requests."""
    # From whole five minutes on, as those of CloudMonitor.
    first, count, day = 5 * int(12 * from_hour), int(60 * hours), 288
    load = SHARE * daily(DAYS_BEFORE + 1, noise=NOISE, seed=7).qps
    known = load[: DAYS_BEFORE * day + first // 5]
    minutes = load[DAYS_BEFORE * day :].repeat(5)[first : first + count]
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    begin = midnight + timedelta(minutes=first)
    with (
        tempfile.TemporaryDirectory() as folder,
        a_minute_of_load(pace_s),
        emulator_after(Path(folder), known, begin, *(policy.name for policy in POLICIES)) as emulator,
    ):
        lanes = play(emulator, minutes, begin, pace_s)
    if series is not None:
        series.write_text(as_csv(lanes, minutes))
    Console(width=100).print(table(lanes, minutes))


@contextmanager
def a_minute_of_load(pace_s: float) -> Iterator[None]:
    """The autoscaler's average is over a minute of the day, as its time is the day's."""
    before, autoscaler_load.WINDOW_S = autoscaler_load.WINDOW_S, pace_s
    try:
        yield
    finally:
        autoscaler_load.WINDOW_S = before


def play(emulator: RunningEmulator, minutes: Floats, begin: datetime, pace_s: float) -> list[Lane]:
    """Each minute: the autoscaler sees the one before, a controller decides every five, and replicas are counted."""
    versioned_bucket(target_of(emulator))
    eas = Eas(connect(Client, emulator), emulator.url)
    start_s = max(0.0, WARM_UP_MINUTES * pace_s - PROCESS_S)
    lanes = [set_up(policy, eas, float(minutes[0]), start_s) for policy in POLICIES]
    # Not beside the gateway and the client of the load, whose times count.
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as controllers:
        decide(lanes, controllers, emulator)  # which also chooses a method for the day
        for lane in lanes:
            lane.load.start()
        try:
            for minute, qps in enumerate(track(minutes, console=Console(stderr=True))):
                due = time.monotonic() + pace_s
                for lane in lanes:
                    lane.load.tally.rate = float(qps)
                passed = begin + timedelta(minutes=minute + 1) - emulator.state.clock.now()
                minutes_pass(emulator, max(0.0, passed.total_seconds()) / 60)
                if minute % ROUND_MINUTES == 0:
                    decide(lanes, controllers, emulator)
                time.sleep(max(0.0, due - time.monotonic()))
                count_replicas(lanes, eas)
        finally:
            for lane in lanes:
                lane.load.end()
    return lanes


def set_up(policy: Policy, eas: Eas, qps: float, start_s: float) -> Lane:
    """The policy's service with what the first minute needs."""
    threshold = policy.target * CAPACITY
    rpc = {"worker_threads": 1, "max_queue_size": QUEUE, "enable_sigterm": True}
    command, env = f"nice python {STAND_IN} 8000 {start_s:g}", {"SLEEP_S": str(WORK_S)}
    first = math.ceil(qps / threshold)
    eas.deploy(service_json(policy.name, instance=first, command=command, env=env, metadata={"rpc": rpc}))
    strategies = [{"metricName": "qps", "threshold": threshold}]
    call(eas, "CreateServiceAutoScaler", policy.name, min=1, max=MOST, scaleStrategies=strategies)
    described = eas.describe(policy.name)
    return Lane(policy, SteadyLoad(f"{described['InternetEndpoint']}/", described["AccessToken"], rate=qps))


def stack_of(policy: Policy, url: str) -> OpenStack:
    forecast: dict[str, Any] = {"mode": "PredictAndScale", "applied_by": "controller", "qps_per_replica": CAPACITY}
    forecast["warm_up_s"] = 60 * WARM_UP_MINUTES
    threshold = {"target": policy.target * CAPACITY}
    scaling = {"min_replicas": 1, "max_replicas": MOST, "qps_per_replica": threshold, "forecast": forecast}
    service = {"model": {"name": "m", "artefact": "a"}, "instance_type": "ecs.c7.large", "scaling": scaling}
    target = {"region": "cn-hangzhou", "account_id": "1234567890123456", "emulator": url}
    settings = {"target": target, "services": {policy.service: service}}
    config = StackConfig.model_validate_json(json.dumps(settings))
    return OpenStack(config, PulumiStack("dev", Path("unused"), Path("unused"), config.target.environment()))


def decide(lanes: list[Lane], controllers: Executor, emulator: RunningEmulator) -> None:
    """A round of each controller. RuntimeError when it met a problem: then this is no replay of a policy."""
    rounds = {
        lane.policy: controllers.submit(controller_round, lane.policy, emulator.url)
        for lane in lanes
        if lane.policy.planned
    }
    for lane in lanes:
        if lane.policy.planned:
            record = rounds[lane.policy].result()
            if record.problem:
                raise RuntimeError(f"{lane.policy.told}: {record.problem}")


def controller_round(policy: Policy, url: str) -> DecisionRecord:
    """In a process that keeps its controllers."""
    return _controller_of(policy, url).round()


@cache
def _controller_of(policy: Policy, url: str) -> Controller:
    return controller_of(stack_of(policy, url), policy.service, ScaleFlags())


def count_replicas(lanes: list[Lane], eas: Eas) -> None:
    for lane in lanes:
        described = eas.describe(lane.policy.name)
        lane.asked.append(int(described["TotalInstance"]))
        lane.ready.append(int(described["RunningInstance"]))


def table(lanes: list[Lane], minutes: Floats) -> Table:
    """A minute is short when its load is more than the replicas that serve at its end are declared to serve.

    Beside it, what the back-test's arithmetic says of the rule alone: replica-hours, and minutes short.
    """
    found = Table("policy")
    for title in ("replica-hours", "to the first", "minutes short", "requests", "refused", "back-test"):
        found.add_column(title, justify="right")
    for lane in lanes:
        short = sum(qps > CAPACITY * ready for qps, ready in zip(minutes, lane.ready, strict=True))
        hours, share = sum(lane.asked) / 60, sum(lane.asked) / sum(lanes[0].asked)
        tally, expected = lane.load.tally, "" if lane.policy.planned else back_tested(lane.policy, minutes)
        cells = (f"{hours:.1f}", f"{share:.2f}", str(short), str(tally.sent), str(len(tally.lost)), expected)
        found.add_row(lane.policy.told, *cells)
    return found


def back_tested(policy: Policy, minutes: Floats) -> str:
    rule = Rule(CAPACITY, least=1, most=MOST, start_up_s=60 * WARM_UP_MINUTES)
    # Its first tick is only seen.
    found = replay(np.concatenate([minutes[:1], minutes]), rule, policy.target)
    return f"{float(found.replica_hours):.1f} h, {found.short.sum()} min"


def as_csv(lanes: list[Lane], minutes: Floats) -> str:
    names = [f"{lane.policy.service}_{what}" for lane in lanes for what in ("asked", "ready")]
    counts = [column for lane in lanes for column in (lane.asked, lane.ready)]
    rows = (
        f"{minute},{qps:.2f},{','.join(map(str, its))}"
        for minute, (qps, its) in enumerate(zip(minutes, zip(*counts, strict=True), strict=True))
    )
    return "\n".join([f"minute,qps,{','.join(names)}", *rows, ""])


if __name__ == "__main__":
    logging.disable(logging.INFO)
    typer.run(main)
