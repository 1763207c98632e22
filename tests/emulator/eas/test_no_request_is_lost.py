"""Whatever is done to a service under load, every request gets its answer.

100 requests a second, each of them counted, GET and POST in turn: a minute of everything one after the other, and each
event for itself, for 15 seconds or as long as PAISTACK_LOAD_S says; `make soak` gives each a minute.
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
from tests.emulator.eas.steady_load import LOAD_S, steady_load

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


def spot(document: dict[str, Any]) -> dict[str, Any]:
    """The service on machines that may be taken away."""
    kinds = [{"type": "ecs.c7.large", "spot_price_limit": 1.0}]
    return {**document, "cloud": {"computing": {"instances": kinds}}}


def group_of_two(eas: Eas) -> tuple[str, str]:
    """The address and token of the group `shop`: `blue`, version 1, has its traffic, `green`, version 2, has none."""
    for name, version in (("blue", "1"), ("green", "2")):
        eas.deploy(spot(service(name, version=version, group="shop")))
        call(eas, "ReleaseService", name, TrafficState="grouping", Weight=100 if name == "blue" else 0)
    call(eas, "UpdateGroup", "shop", TrafficMode="customized")
    endpoints = call(eas, "DescribeGroupEndpoints", "shop")
    (address,) = endpoints["Endpoints"][0]["InternetEndpoints"]
    return f"{address}/v1?sleep=0.005", endpoints["AccessToken"]


def reclaim(emulator: RunningEmulator, name: str) -> set[str]:
    """Takes two spot instances away, with a minute's notice; their names."""
    wanted = {"service": name, "instances": 2, "notice_s": 60}
    return set(httpx.post(f"{emulator.url}/_emulator/eas/reclaim", json=wanted).json()["instances"])


def names(eas: Eas, name: str) -> set[str]:
    return {each["InstanceName"] for each in eas.instances(name)}


def test_in_a_minute_of_everything_that_is_done_to_services(eas: Eas, emulator: RunningEmulator) -> None:
    address, token = group_of_two(eas)

    with steady_load(address, token, at_least_s=max(60, LOAD_S)) as tally:
        call(eas, "ScaleService", "blue", Instance=3)
        until(lambda: len(tally.by_pid) == 3, "traffic for a third instance")
        call(eas, "ScaleService", "blue", Instance=2)
        until(lambda: len(eas.instances("blue")) == 2, "two instances")

        eas.update("blue", spot(service("blue", version="3", group="shop")))
        eas.wait("blue")
        until(lambda: {each["IsLatest"] for each in eas.instances("blue")} == {True}, "only new instances")
        before = tally.by_version["1"]
        call(eas, "UpdateServiceVersion", "blue", Version=1)
        until(lambda: tally.by_version["1"] > before + 50, "the old version's return")
        eas.wait("blue")

        for weight in (10, 50, 100):
            call(eas, "ReleaseService", "green", Weight=weight)
            call(eas, "ReleaseService", "blue", Weight=100 - weight)
            time.sleep(3)
        before = tally.by_version["2"]
        until(lambda: tally.by_version["2"] > before + 100, "the green service")

        reclaimed = reclaim(emulator, "green")
        until(lambda: not reclaimed & names(eas, "green"), "the end of what was taken away")

        tally.methods = ("GET",)
        time.sleep(1)  # every POST has its answer
        seen = set(tally.by_pid)
        os.kill(max(tally.by_pid, key=lambda pid: tally.by_pid[pid]), signal.SIGKILL)  # the newest
        until(lambda: set(tally.by_pid) - seen, "the killed instance's return")
    assert set(tally.by_version) == {"1", "2", "3"}


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
    address, token = group_of_two(eas)

    with steady_load(address, token) as tally:
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
    eas.deploy(spot(service()))

    with steady_load(*entry(eas)) as tally:
        until(lambda: len(tally.by_pid) == 2, "traffic for both")
        reclaimed = reclaim(emulator, "svc")
        until(lambda: not reclaimed & names(eas, "svc"), "their end")
        until(lambda: len(tally.by_pid) == 4, "traffic for both that took their places")


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
