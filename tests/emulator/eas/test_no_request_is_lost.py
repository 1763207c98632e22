"""Whatever is done to a service under load, every request gets its answer.

100 requests a second, each of them counted, GET and POST in turn; PAISTACK_LOAD_S says for how many seconds (15).
A GET is asked again at another instance when the first one dies; a POST that an instance may have got never is, so
only the test that kills an instance without notice sends none.
"""

import logging
import os
import signal
import time
from typing import Any

import httpx
import pytest

from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import STAND_IN, Eas, service_json, until
from tests.emulator.eas.steady_load import steady_load

pytestmark = pytest.mark.slow

log = logging.getLogger(__name__)

GRACEFUL = {"rpc": {"enable_sigterm": True, "keepalive": 30_000}}


def service(name: str = "svc", *, instance: int = 2, version: str = "1", **metadata: Any) -> dict[str, Any]:
    """Instances that need half a second to start and 5 ms for a request."""
    command = f"python {STAND_IN} 8000 0.5"
    return service_json(
        name, instance=instance, command=command, env={"VERSION": version}, metadata={**GRACEFUL, **metadata}
    )


def entry(eas: Eas, name: str = "svc") -> tuple[str, str]:
    described = eas.describe(name)
    return f"{described['InternetEndpoint']}/v1?sleep=0.005", described["AccessToken"]


def test_while_instances_are_added_and_taken_away(eas: Eas) -> None:
    eas.deploy(service(instance=1))

    with steady_load(*entry(eas)) as tally:
        call(eas, "ScaleService", "svc", Instance=3)
        eas.wait()
        until(lambda: len(tally.by_pid) == 3, "traffic for every instance")
        call(eas, "ScaleService", "svc", Instance=1)
        eas.wait()
        until(lambda: len(eas.instances()) == 1, "one instance")


def test_while_a_new_version_replaces_the_old_one_and_is_rolled_back(eas: Eas) -> None:
    eas.deploy(service())

    with steady_load(*entry(eas)) as tally:
        eas.update("svc", service(version="2"))
        eas.wait()
        until(lambda: {each["IsLatest"] for each in eas.instances()} == {True}, "only new instances")
        assert set(tally.by_version) == {"1", "2"}
        before = tally.by_version["1"]
        call(eas, "UpdateServiceVersion", "svc", Version=1)
        eas.wait()
        until(lambda: tally.by_version["1"] > before + 50, "the old version's return")


def test_while_weights_shift_from_one_service_of_a_group_to_another(eas: Eas) -> None:
    for name, version in (("blue", "1"), ("green", "2")):
        eas.deploy(service(name, version=version, group="shop"))
        call(eas, "ReleaseService", name, TrafficState="grouping", Weight=100 if name == "blue" else 0)
    call(eas, "UpdateGroup", "shop", TrafficMode="customized")
    endpoints = call(eas, "DescribeGroupEndpoints", "shop")
    (address,) = endpoints["Endpoints"][0]["InternetEndpoints"]

    with steady_load(f"{address}/v1?sleep=0.005", endpoints["AccessToken"]) as tally:
        for weight in (10, 50, 100):
            call(eas, "ReleaseService", "green", Weight=weight)
            call(eas, "ReleaseService", "blue", Weight=100 - weight)
            time.sleep(3)
        before = tally.by_version["1"]
        until(lambda: tally.by_version["2"] > 500, "the green service")
        assert tally.by_version["1"] == before, "all traffic has moved"


def test_while_an_instance_is_killed(eas: Eas) -> None:
    eas.deploy(service(instance=3))

    with steady_load(*entry(eas), methods=("GET",)) as tally:
        until(lambda: len(tally.by_pid) == 3, "traffic for every instance")
        killed = next(iter(tally.by_pid))
        os.kill(killed, signal.SIGKILL)
        until(lambda: len(tally.by_pid) == 4, "the instance's return")


def test_while_a_spot_instance_is_taken_away_with_notice(eas: Eas, emulator: RunningEmulator) -> None:
    kinds = [{"type": "ecs.c7.large", "spot_price_limit": 1.0}]
    eas.deploy({**service(), "cloud": {"computing": {"instances": kinds}}})

    with steady_load(*entry(eas)) as tally:
        until(lambda: len(tally.by_pid) == 2, "traffic for both")
        reclaim = {"service": "svc", "instances": 2, "notice_s": 60}
        (first, second) = httpx.post(f"{emulator.url}/_emulator/eas/reclaim", json=reclaim).json()["instances"]
        until(lambda: not {first, second} & {each["InstanceName"] for each in eas.instances()}, "their end")
        assert len(tally.by_pid) == 4


def test_while_the_autoscaler_follows_the_load(eas: Eas) -> None:
    eas.deploy(service(instance=1))
    strategies = [{"metricName": "qps", "threshold": 30}]
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 0}}
    call(eas, "CreateServiceAutoScaler", "svc", min=1, max=4, scaleStrategies=strategies, behavior=behavior)

    began = time.monotonic()
    with steady_load(*entry(eas)) as tally:
        until(lambda: len(tally.by_pid) == 4, "traffic for four instances")
        log.info("from the load's begin to four instances in traffic: %.2f s", max(tally.by_pid.values()) - began)
    until(lambda: eas.describe()["TotalInstance"] == 1, "one instance after the load")
    assert httpx.get(entry(eas)[0], headers={"Authorization": entry(eas)[1]}).status_code == 200
