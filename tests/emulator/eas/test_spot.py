"""Spot instances that are taken away."""

from typing import Any

import httpx
import pytest

from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.calls import advance
from tests.emulator.eas.conftest import STAND_IN, Eas, service_json, until

SPOT: dict[str, Any] = {"computing": {"instances": [{"type": "ecs.c7.large", "spot_price_limit": 1.0}]}}


def reclaim(emulator: RunningEmulator, **body: Any) -> httpx.Response:
    return httpx.post(f"{emulator.url}/_emulator/eas/reclaim", json={"service": "svc", **body})


def names(eas: Eas, **query: Any) -> set[str]:
    return {instance["InstanceName"] for instance in eas.instances(**query)}


def test_a_reclaimed_instance_is_replaced_before_it_goes(eas: Eas, emulator: RunningEmulator) -> None:
    eas.deploy(service_json(cloud=SPOT))
    before = names(eas, is_spot=True)
    assert len(before) == 1

    assert set(reclaim(emulator).json()["instances"]) == before

    until(lambda: eas.instances() and not before & names(eas), "the replacement alone")
    assert eas.describe()["RunningInstance"] == 1
    assert "Evicting" in [event["Reason"] for event in eas.events(event_type="Warning")]


def test_a_reclaimed_instance_without_a_ready_replacement_ends_in_time(eas: Eas, emulator: RunningEmulator) -> None:
    eas.deploy(service_json(cloud=SPOT))
    before = names(eas)
    slow = service_json(cloud=SPOT, command=f"python {STAND_IN} 8000 60")
    eas.update("svc", slow)
    until(lambda: len(names(eas)) == 2, "an instance that takes a minute to start")

    reclaim(emulator, notice_s=100)
    assert before < names(eas)
    advance(emulator, 101)

    until(lambda: not before & names(eas), "the end of the notice")


def test_a_reclaim_that_cannot_be_is_refused(eas: Eas, emulator: RunningEmulator) -> None:
    eas.deploy(service_json())

    assert "has 0 spot instances" in reclaim(emulator).json()["error"]
    assert reclaim(emulator, service="none").status_code == 404
    assert "notice_s" in reclaim(emulator, notice_s=-1).json()["error"]


@pytest.mark.parametrize("body", ["[]", "{}", "nothing"])
def test_a_reclaim_that_is_not_understood_is_refused(emulator: RunningEmulator, body: str) -> None:
    assert httpx.post(f"{emulator.url}/_emulator/eas/reclaim", content=body).status_code == 400
