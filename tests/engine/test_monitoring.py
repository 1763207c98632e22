"""A stack with alarms: the real engine, the real provider and the emulator, to whose outbox they go."""

import json
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from jobs.emulator import EmulatorProcess
from tests.engine.conftest import Deployment

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def deployed(
    emulator: EmulatorProcess, state_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A stack whose service tells anna, who has agreed to be a contact."""
    deployment = Deployment("mo", tmp_path_factory.mktemp("monitoring"), state_folder, emulator)
    deployment.settings["monitoring"] = {"contacts": {"anna": {"mail": "anna@example.com", "sms": "13000000000"}}}
    deployment.service["alarms"] = {"no_data_min": 1, "silence_min": 5}
    deployment.up()
    post(deployment, "contacts/activate", contact="paistack-mo-anna")
    yield deployment
    deployment.destroy()
    assert deployment.cloud().everything() == []
    assert deployment.cloud().alarms() == {}
    assert deployment.cloud().event_rules() == {}


@pytest.fixture
def changing(deployed: Deployment) -> Iterator[Deployment]:
    """The deployed stack for a test that changes it, as at first."""
    settings = json.dumps(deployed.settings)
    yield deployed
    deployed.settings = json.loads(settings)
    deployed.up()


def post(deployment: Deployment, page: str, **body: Any) -> None:
    httpx.post(f"{deployment.emulator.url}/_emulator/{page}", json=body, trust_env=False).raise_for_status()


def next_minute(deployment: Deployment) -> None:
    now = httpx.get(f"{deployment.emulator.url}/_emulator/clock", trust_env=False).json()["now"]
    post(deployment, "clock", advance_s=60.5 - datetime.fromisoformat(now).second)


def sent(deployment: Deployment) -> set[tuple[str, str]]:
    """Channel and subject of everything that alarms have sent."""
    answer = httpx.get(f"{deployment.emulator.url}/_emulator/outbox", trust_env=False).json()
    return {(m["channel"], m["subject"]) for m in answer["messages"] if not m["subject"].startswith("Activate")}


def test_the_default_rules_are_there_and_well(deployed: Deployment) -> None:
    alarms = deployed.cloud().alarms()

    assert set(deployed.open().pulumi.outputs()["alarms"]) == set(alarms)
    assert {name.removeprefix("paistack-mo-tiny-") for name in alarms} == {
        "cpu_percent", "memory_percent", "latency_ms", "success_percent", "client_errors_percent",
        "server_errors_percent", "no_data", "missing_replicas-info",
    }  # fmt: skip
    assert set(alarms.values()) == {"OK"}


def test_a_replica_that_is_killed_is_told_by_all_ways_but_the_phone(deployed: Deployment) -> None:
    assert deployed.cloud().event_rules() == {"paistack-mo-tiny-events": f'"{deployed.service_name}"'}

    replica(deployed).kill()

    told = {(channel, "[CRITICAL] paistack-mo-tiny-events") for channel in ("SMS", "MAIL")}
    deadline = time.monotonic() + 20
    while not told <= sent(deployed):
        assert time.monotonic() < deadline, "nobody was told"
        time.sleep(0.05)
    assert "ONCALL" not in {channel for channel, _ in sent(deployed)}


def replica(deployment: Deployment) -> psutil.Process:
    """The process of the one replica."""
    emulator = psutil.Process(httpx.get(f"{deployment.emulator.url}/health", trust_env=False).json()["pid"])
    (found,) = [child for child in emulator.children() if f"/{deployment.service_name}/" in child.cwd()]
    return found


def test_neither_a_second_up_nor_a_refresh_changes_anything(deployed: Deployment) -> None:
    deployed.up("--expect-no-changes")
    assert deployed.refresh("--expect-no-changes") == 0
    assert deployed.planned() == {}


def test_a_changed_limit_changes_its_rule_and_a_level_that_is_left_out_is_gone(changing: Deployment) -> None:
    alarms = changing.service["alarms"]
    alarms["rules"] = {"latency_ms": {"warn": {"limit": 100}, "emergency": {"limit": 900}}}
    changing.up()
    assert changing.cloud().levels("paistack-mo-tiny-latency_ms") == {"Info": "100000", "Critical": "900000"}

    alarms["rules"]["latency_ms"]["warn"]["limit"] = 200
    assert changing.planned()["tiny-latency_ms-info-critical"] == "update"
    changing.up()
    assert changing.cloud().levels("paistack-mo-tiny-latency_ms") == {"Info": "200000", "Critical": "900000"}

    del alarms["rules"]["latency_ms"]["warn"]
    changing.up()
    assert changing.cloud().levels("paistack-mo-tiny-latency_ms") == {"Critical": "900000"}
    assert changing.refresh("--expect-no-changes") == 0


def test_trouble_reaches_the_person_by_the_channels_of_its_level_and_only_by_these(changing: Deployment) -> None:
    refused = {"warn": {"limit": 1, "for_min": 1}, "critical": {"limit": 50, "for_min": 1}}
    changing.service["alarms"] |= {
        "rules": {"client_errors_percent": refused},
        "without": ["success_percent", "latency_ms", "cpu_percent", "memory_percent", "server_errors_percent"],
    }
    changing.up()
    next_minute(changing)
    before = sent(changing)

    for _ in range(9):
        changing.ask()
    changing.ask("wrong token")
    next_minute(changing)
    rule = "paistack-mo-tiny-client_errors_percent"
    assert sent(changing) - before == {("MAIL", f"[Info] {rule}")}

    changing.ask("wrong token")
    next_minute(changing)
    assert sent(changing) - before == {
        ("MAIL", f"[Info] {rule}"), ("MAIL", f"[Warn] {rule}"), ("SMS", f"[Warn] {rule}"),
    }  # fmt: skip

    changing.ask()
    next_minute(changing)
    assert {("MAIL", f"[recovered] {rule}"), ("SMS", f"[recovered] {rule}")} <= sent(changing) - before
    assert set(changing.cloud().alarms().values()) == {"OK"}


def test_a_service_that_is_stopped_by_hand_is_an_emergency_that_goes_to_the_phone(changing: Deployment) -> None:
    next_minute(changing)
    changing.cloud().stop(changing.service_name)
    next_minute(changing)
    next_minute(changing)

    rule = "[Critical] paistack-mo-tiny-no_data"
    assert {("ONCALL", rule), ("SMS", rule), ("MAIL", rule)} <= sent(changing)
    changing.cloud().start(changing.service_name)
    next_minute(changing)
