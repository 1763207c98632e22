"""Copied requests, and services that may not be changed."""

import re
from typing import Any

import pytest

from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.emulator.refusals import refused


def copies(eas: Eas, name: str) -> list[str]:
    """The requests that a service's stand-in has printed, probes left out."""
    return [line for line in eas.logs(name) if re.search(r"\] (GET|POST) /copied", line)]


def test_a_share_of_the_requests_is_copied_with_all_that_belongs_to_them(eas: Eas) -> None:
    eas.deploy(service_json())
    eas.deploy(service_json("shadow"))
    call(eas, "CreateServiceMirror", "svc", Ratio=25, Target=["shadow"])

    for number in range(20):
        answer = eas.ask(f"/copied?number={number}", method="POST", content=b"pixels")
        assert answer.json()["body"] == "pixels"

    until(lambda: len(copies(eas, "shadow")) == 5, "five copies")
    assert len(copies(eas, "svc")) == 20
    described = call(eas, "DescribeServiceMirror", "svc")
    assert (described["Ratio"], described["Target"], described["ServiceName"]) == ("25", "shadow", "svc")


def test_a_target_that_is_slow_or_broken_is_not_felt(eas: Eas) -> None:
    eas.deploy(service_json())
    eas.create(service_json("none", instance=0))
    eas.deploy(service_json("slow", env={"SLEEP_S": "60"}))
    call(eas, "CreateServiceMirror", "svc", Ratio=100, Target=["none", "slow"])

    assert {eas.ask("/copied").status_code for _ in range(20)} == {200}
    until(lambda: len(copies(eas, "slow")) == 20, "a copy of each, still unanswered")


def test_a_mirror_can_be_changed_and_removed(eas: Eas) -> None:
    eas.deploy(service_json())
    eas.deploy(service_json("shadow"))
    call(eas, "CreateServiceMirror", "svc", Ratio=0, Target=["shadow"])
    eas.ask("/copied?early")

    call(eas, "UpdateServiceMirror", "svc", Ratio=100, Target=["shadow"])
    until(lambda: eas.ask("/copied?middle") and copies(eas, "shadow"), "a copy")
    call(eas, "DeleteServiceMirror", "svc")

    assert not [line for line in copies(eas, "shadow") if "early" in line]
    with refused("InvalidMirror.NotFound", 404):
        call(eas, "DescribeServiceMirror", "svc")


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"Ratio": 101, "Target": ["shadow"]}, "Ratio"),
        ({"Ratio": 50, "Target": []}, "Target"),
        ({"Ratio": 50, "Target": ["svc"]}, "its own mirror target"),
        ({"Ratio": 50, "Target": ["nobody"]}, "nobody.*is not found"),
        ({"Ratio": 50, "Target": ["shadow", "shadow"]}, "twice"),
    ],
)
def test_a_mirror_that_makes_no_sense_is_refused(eas: Eas, document: dict[str, Any], problem: str) -> None:
    eas.create(service_json(instance=0))
    eas.create(service_json("shadow", instance=0))

    with pytest.raises(Exception, match=problem):
        call(eas, "CreateServiceMirror", "svc", **document)


def test_a_locked_service_cannot_be_deleted_or_stopped(eas: Eas) -> None:
    eas.deploy(service_json())
    call(eas, "UpdateServiceSafetyLock", "svc", Lock="dangerous")

    for operation in ("DeleteService", "StopService"):
        with refused("InvalidService.Locked", 409, "dangerous"):
            call(eas, operation, "svc")
    eas.update("svc", {"metadata": {"instance": 2}})
    assert eas.describe()["SafetyLock"] == "dangerous"

    call(eas, "UpdateServiceSafetyLock", "svc", Lock="all")
    with refused("InvalidService.Locked", 409, "all"):
        eas.update("svc", {"metadata": {"instance": 1}})
    call(eas, "UpdateServiceSafetyLock", "svc", Lock="none")
    call(eas, "DeleteService", "svc")
    until(eas.gone, "the service's end")
