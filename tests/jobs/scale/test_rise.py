"""The rise of nine in the morning in real time: requests at their moments, replicas that need seconds to start.

A replica takes a tenth of a second for each request, one after the other, and a few wait: more than it can serve is
refused by the gateway. Work and start are sleep, so that a busy machine changes little.
"""

import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_eas20210701.client import Client

from jobs.scale.command import ScaleFlags, run
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import STAND_IN, Eas, service_json, until
from tests.emulator.eas.steady_load import SteadyLoad, Tally
from tests.emulator.running import RunningEmulator
from tests.emulator.sdk import connect
from tests.jobs.scale.conftest import target_of, versioned_bucket
from tests.jobs.scale.shop import SERVICE, measuring_emulator, minutes_pass, opened

pytestmark = pytest.mark.slow

log = logging.getLogger(__name__)

WORK_S, START_S, QUEUE = 0.1, 4.0, 5
# What a replica is declared to serve of the ten that it can, and the target: 0.7 of it.
CAPACITY, TARGET, MOST = 9.0, 6.3, 10
# Of a shop with 46 requests per second from nine on, and 4 before.
SHARE = 0.04
RISE, RISE_S = 40.0, 15.0


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[RunningEmulator]:
    with measuring_emulator(tmp_path / "emulator", SHARE) as running:
        versioned_bucket(target_of(running))
        yield running


@pytest.fixture
def eas(emulator: RunningEmulator) -> Iterator[Eas]:
    """With the shop, of which one replica runs."""
    eas = Eas(connect(Client, emulator), emulator.url)
    rpc = {"worker_threads": 1, "max_queue_size": QUEUE, "enable_sigterm": True}
    command, env = f"python {STAND_IN} 8000 {START_S}", {"SLEEP_S": str(WORK_S)}
    eas.deploy(service_json(SERVICE, command=command, env=env, metadata={"rpc": rpc}))
    strategies = [{"metricName": "qps", "threshold": TARGET}]
    call(eas, "CreateServiceAutoScaler", SERVICE, min=1, max=MOST, scaleStrategies=strategies)
    yield eas
    eas.http.close()


def decided(emulator: RunningEmulator, mode: str) -> int:
    """The floor after one round at five to nine."""
    settings: dict[str, Any] = {"mode": mode, "qps_per_replica": CAPACITY}
    assert run(opened(emulator.url, MOST, TARGET, **settings), "shop", ScaleFlags(), threading.Event()) == 0
    return int(call(Eas(connect(Client, emulator), emulator.url), "DescribeServiceAutoScaler", SERVICE)["MinReplica"])


def risen(emulator: RunningEmulator, eas: Eas) -> Tally:
    """Nine o'clock comes, and the load with it."""
    minutes_pass(emulator, 5)
    described = eas.describe(SERVICE)
    load = SteadyLoad(f"{described['InternetEndpoint']}/", described["AccessToken"], rate=RISE)
    load.start()
    time.sleep(RISE_S)
    load.end()
    tally = load.tally
    log.info("%d sent, %d answered, refused: %s", tally.sent, tally.answered, dict(tally.refused))
    assert tally.sent > 0.8 * RISE * RISE_S, "the client could not keep up its rate"
    assert sum(tally.refused.values()) == len(tally.lost), tally.lost
    return tally


def test_the_rule_alone_refuses_requests_until_its_replicas_have_started(emulator: RunningEmulator, eas: Eas) -> None:
    assert decided(emulator, "PredictOnly") == 1

    tally = risen(emulator, eas)

    # In the four seconds of a start, at least, one replica serves 10 of 40 a second.
    assert tally.refused[450] > 80
    assert eas.describe(SERVICE)["RunningInstance"] >= 6, "it was the start that was missing, not the rule"


def test_the_controller_has_replicas_started_before_the_rise_and_hardly_a_request_is_refused(
    emulator: RunningEmulator, eas: Eas
) -> None:
    floor = decided(emulator, "PredictAndScale")
    assert 5 <= floor <= 8
    until(lambda: eas.describe(SERVICE)["RunningInstance"] == floor, "the floor's replicas")

    tally = risen(emulator, eas)

    assert len(tally.lost) <= 8
