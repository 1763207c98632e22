"""The controller as a person runs it, on an emulator that has measured ten days of a daily rise."""

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import oss2
import pytest
from alibabacloud_eas20210701.client import Client

from engine.environment import ROOT
from jobs.problem import JobError
from jobs.scale.command import ScaleFlags, _rounds, controller_of, run
from jobs.scale.journal import Journal
from jobs.stacks import OpenStack
from planning.controller import Verdict
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json
from tests.emulator.running import RunningEmulator
from tests.emulator.sdk import connect
from tests.jobs.scale.conftest import target_of, versioned_bucket
from tests.jobs.scale.shop import SERVICE, measuring_emulator, minutes_pass, opened

BEHAVIOR = {"scaleUp": {"stabilizationWindowSeconds": 30}, "scaleDown": {"stabilizationWindowSeconds": 120}}
ONCE = ScaleFlags()


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[RunningEmulator]:
    with measuring_emulator(tmp_path / "emulator") as running:
        yield running


@pytest.fixture
def eas(emulator: RunningEmulator) -> Iterator[Eas]:
    """With a service that is stopped, so that nothing is measured of it, and its autoscaler."""
    eas = Eas(connect(Client, emulator), emulator.url)
    eas.create(service_json(SERVICE, instance=0))
    call(eas, "StopService", SERVICE)
    strategies = [{"metricName": "qps", "threshold": 42}, {"metricName": "cpu", "threshold": 60}]
    call(eas, "CreateServiceAutoScaler", SERVICE, min=1, max=40, scaleStrategies=strategies, behavior=BEHAVIOR)
    yield eas
    eas.http.close()


@pytest.fixture
def stack(emulator: RunningEmulator, eas: Eas) -> OpenStack:
    assert eas
    versioned_bucket(target_of(emulator))
    return opened(emulator.url)


def scaled(stack: OpenStack, flags: ScaleFlags = ONCE) -> int:
    return run(stack, "shop", flags, threading.Event())


def autoscaler(eas: Eas) -> dict[str, Any]:
    found = call(eas, "DescribeServiceAutoScaler", SERVICE)
    return {name: found[name] for name in ("MinReplica", "MaxReplica", "Behavior", "ScaleStrategies")}


def decisions(stack: OpenStack) -> list[tuple[Verdict, int, int, bool]]:
    controller = controller_of(stack, "shop", ONCE)
    now = controller.clock()
    found = controller.journal.since(now - timedelta(hours=6), now)
    return [(each.verdict, each.floor_before, each.floor, each.applied) for each in found]


def test_the_floor_rises_before_the_load_and_nothing_else_of_the_autoscaler_changes(
    stack: OpenStack, eas: Eas, capsys: pytest.CaptureFixture[str]
) -> None:
    before = autoscaler(eas)

    assert scaled(stack) == 0

    told = json.loads(capsys.readouterr().out)
    floor = told["floor"]
    # A thousand requests per second, at 60 a replica.
    assert 15 <= floor <= 24
    assert (told["verdict"], told["floor_before"], told["applied"], told["problem"]) == ("raises", 1, True, None)
    assert told["reason"].startswith(f"the plan asks for {floor}, 0 run: {told['method']} under target")
    after = autoscaler(eas)
    assert after == before | {"MinReplica": floor}
    assert after["Behavior"]["scaleDown"] == BEHAVIOR["scaleDown"]
    assert [each["metricName"] for each in after["ScaleStrategies"]] == ["qps", "cpu"]
    assert scaled(stack) == 0
    assert decisions(stack) == [(Verdict.RAISES, 1, floor, True), (Verdict.HOLDS, floor, floor, False)]


def test_predict_only_moves_nothing_and_says_what_it_would_do(
    stack: OpenStack, emulator: RunningEmulator, eas: Eas, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stack
    before = autoscaler(eas)
    assert scaled(opened(emulator.url, mode="PredictOnly"), replace(ONCE, release=True)) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["mode"], told["verdict"], told["applied"]) == ("PredictOnly", "raises", False)
    assert told["floor"] >= 15
    assert autoscaler(eas) == before


def test_the_rule_is_alone_when_metrics_stop(
    stack: OpenStack, emulator: RunningEmulator, eas: Eas, capsys: pytest.CaptureFixture[str]
) -> None:
    assert scaled(stack) == 0
    capsys.readouterr()
    minutes_pass(emulator, 25)
    assert scaled(stack) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["verdict"], told["floor"], told["applied"]) == ("falls back", 1, True)
    assert told["reason"].startswith("the newest metric is 2")
    assert autoscaler(eas)["MinReplica"] == 1


def test_a_second_controller_is_told_who_holds_the_lease_until_it_expires(
    stack: OpenStack, emulator: RunningEmulator, eas: Eas, capsys: pytest.CaptureFixture[str]
) -> None:
    first = controller_of(stack, "shop", ONCE)
    first.round()
    floor = autoscaler(eas)["MinReplica"]
    assert floor > 1

    assert scaled(stack) == 1

    err = capsys.readouterr().err
    assert f"the floor of shop is moved by {first.lease.holder} until " in err
    assert "--follow --wait waits" in err
    minutes_pass(emulator, 21)
    assert scaled(stack) == 0


def test_a_controller_that_is_started_again_goes_on_with_the_wait_for_a_lower_floor(
    stack: OpenStack, emulator: RunningEmulator, eas: Eas
) -> None:
    """Somebody has set a floor that nobody plans for; the wait is over although no process lived through it."""
    strategies = [{"metricName": "qps", "threshold": 42}]
    call(eas, "UpdateServiceAutoScaler", SERVICE, min=39, max=40, scaleStrategies=strategies)

    assert scaled(stack) == 0
    minutes_pass(emulator, 5)
    assert scaled(stack) == 0
    assert autoscaler(eas)["MinReplica"] == 39
    minutes_pass(emulator, 5.5)
    assert scaled(stack) == 0

    found = decisions(stack)
    assert [verdict for verdict, *_ in found] == [Verdict.WAITS, Verdict.WAITS, Verdict.LOWERS]
    assert 15 <= autoscaler(eas)["MinReplica"] == found[-1][2] <= 24


def test_release_puts_the_floor_back(stack: OpenStack, eas: Eas, capsys: pytest.CaptureFixture[str]) -> None:
    assert scaled(stack, replace(ONCE, release=True)) == 0
    assert autoscaler(eas)["MinReplica"] == 1
    assert "back to min_replicas, 1" in capsys.readouterr().err


def test_it_follows_until_it_is_ended_and_leaves_lease_and_floor_in_order(
    stack: OpenStack, eas: Eas, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = threading.Event()
    results: list[int] = []
    flags = ScaleFlags(follow=True, every_s=1)
    thread = threading.Thread(target=lambda: results.append(run(stack, "shop", flags, ended)))
    thread.start()
    while len(decisions(stack)) < 3:
        assert thread.is_alive()
        time.sleep(0.1)
    ended.set()
    thread.join()

    assert results == [0]
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(told) >= 3
    assert len({each["holder"] for each in told}) == 1
    assert [each["verdict"] for each in told[:3]] == ["raises", "holds", "holds"]
    assert autoscaler(eas)["MinReplica"] == told[-1]["floor"] > 1
    controller_of(stack, "shop", ONCE).lease.hold(controller_of(stack, "shop", ONCE).clock())


def test_who_waits_begins_when_the_lease_is_given_back(stack: OpenStack, capsys: pytest.CaptureFixture[str]) -> None:
    first = controller_of(stack, "shop", ONCE)
    first.lease.hold(first.clock())
    ended = threading.Event()
    flags = ScaleFlags(follow=True, every_s=1, wait=True)
    thread = threading.Thread(target=run, args=(stack, "shop", flags, ended))
    thread.start()
    time.sleep(1.5)
    assert decisions(stack) == []
    first.lease.give_back(first.clock())
    while not decisions(stack):
        assert thread.is_alive()
        time.sleep(0.1)
    ended.set()
    thread.join()
    assert f"waiting: the floor of shop is moved by {first.lease.holder} until" in capsys.readouterr().err


def following(emulator: RunningEmulator) -> subprocess.Popen[str]:
    """A process of its own, once it has decided."""
    command = [sys.executable, "-m", "tests.jobs.scale.shop", emulator.url, "60"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["service"] == "shop"
    return process


def test_a_process_ends_by_sigterm_in_order_and_one_that_was_killed_keeps_its_lease(
    stack: OpenStack, emulator: RunningEmulator, eas: Eas
) -> None:
    ended = following(emulator)
    ended.send_signal(signal.SIGTERM)
    _, err = ended.communicate(timeout=60)
    assert ended.returncode == 0
    assert "the end: the floor of shop stays as it is until another controller runs, or --release" in err
    assert autoscaler(eas)["MinReplica"] > 1

    killed = following(emulator)
    killed.kill()
    killed.communicate(timeout=60)
    assert scaled(stack) == 1
    minutes_pass(emulator, 4.1)
    assert scaled(stack) == 0
    assert len(decisions(stack)) == 3


def test_three_failed_rounds_end_it_with_the_rule_alone(
    stack: OpenStack, eas: Eas, capsys: pytest.CaptureFixture[str]
) -> None:
    """Somebody locks the service: EAS refuses to move the floor."""
    call(eas, "UpdateServiceSafetyLock", SERVICE, Lock="all")
    assert scaled(stack, ScaleFlags(follow=True, every_s=1)) == 1
    out, err = capsys.readouterr()
    told = [json.loads(line) for line in out.splitlines()]
    assert [each["applied"] for each in told] == [False] * 3
    assert told[0]["problem"].startswith("EAS does not move the floor: InvalidService.Locked: ")
    assert "round failed, 3 in a row: EAS does not move the floor" in err
    assert "3 rounds in a row failed: the floor is min_replicas, 1, and this controller ends" in err


def test_cloudmonitor_that_cannot_be_asked_fails_the_round_and_the_last_plan_holds(
    stack: OpenStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller = controller_of(stack, "shop", ONCE)
    raised = controller.round()
    closed = stack.config.target.model_copy(update={"emulator": "http://127.0.0.1:9"})
    broken = OpenStack(stack.config.model_copy(update={"target": closed}), stack.pulumi)
    monkeypatch.setattr(controller.feed, "_stack", broken)

    found = controller.round()

    assert found.problem is not None
    assert found.problem.startswith("the load cannot be read: ")
    assert (found.verdict, found.floor) == (Verdict.HOLDS, raised.floor)


def test_a_floor_is_put_back_after_three_rounds_in_which_the_bucket_did_not_answer(
    stack: OpenStack, eas: Eas, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert scaled(stack) == 0
    assert autoscaler(eas)["MinReplica"] > 1
    controller = controller_of(stack, "shop", ONCE)
    controller.lease.hold(controller.clock())
    nowhere = oss2.Bucket(oss2.Auth("a", "b"), "http://127.0.0.1:9", "gone", connect_timeout=1)
    monkeypatch.setattr(controller.lease._log, "_bucket", nowhere)

    flags = ScaleFlags(follow=True, every_s=0.1)
    assert _rounds(controller, flags, threading.Event()) == 1

    assert autoscaler(eas)["MinReplica"] == 1
    err = capsys.readouterr().err
    assert "round failed, 3 in a row: RequestError" in err
    assert "back to min_replicas, 1, and this controller ends" in err


def test_a_decision_that_cannot_be_written_down_is_told_and_stands(
    stack: OpenStack, eas: Eas, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller = controller_of(stack, "shop", ONCE)
    nowhere = oss2.Bucket(oss2.Auth("a", "b"), "http://127.0.0.1:9", "gone", connect_timeout=1)
    controller._earlier = ()
    monkeypatch.setattr(controller.journal, "_bucket", nowhere)
    found = controller.round()
    assert found.problem is not None
    assert found.problem.startswith("the decision is not kept: RequestError")
    assert found.applied
    assert autoscaler(eas)["MinReplica"] == found.floor


@pytest.mark.parametrize(
    ("forecast", "flags", "told"),
    [
        ({"applied_by": "plan"}, ONCE, "services.shop.scaling.forecast.applied_by is plan: the floor belongs to the"),
        ({}, replace(ONCE, every_s=0.5), "--every has to be 1 to 3600 seconds, found 0.5"),
        ({}, replace(ONCE, history_days=0), "--history-days has to be 1 to 366, found 0"),
        ({}, replace(ONCE, wait=True), "--wait belongs to --follow"),
    ],
)
def test_what_cannot_be_is_told(
    emulator: RunningEmulator, forecast: dict[str, Any], flags: ScaleFlags, told: str
) -> None:
    with pytest.raises(JobError, match=told):
        scaled(opened(emulator.url, **forecast), flags)


def test_a_service_that_is_not_deployed_is_told(emulator: RunningEmulator) -> None:
    with pytest.raises(JobError, match="shop_dev has no autoscaler whose floor could be moved: run `paistack up`"):
        scaled(opened(emulator.url))


def test_the_journal_reads_over_midnight_and_leaves_out_what_is_no_decision(stack: OpenStack) -> None:
    controller = controller_of(stack, "shop", ONCE)
    record = controller.round()
    bucket = versioned_bucket(stack.target)
    journal = Journal(bucket, "night")
    moments = [datetime.fromisoformat(f"2026-03-0{at}:00+00:00") for at in ("1T23:50", "1T23:58", "2T00:03")]
    for at in moments:
        journal.add(record.model_copy(update={"at": at}))
    bucket.append_object(
        "scaling/night/decisions/2026-03-02.jsonl",
        len(record.model_copy(update={"at": moments[2]}).model_dump_json()) + 1,
        b"half a li\n",
    )
    found = journal.since(moments[1], moments[2] + timedelta(minutes=1))
    assert [each.at for each in found] == moments[1:]
