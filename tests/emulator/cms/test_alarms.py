"""Alarms, through the SDK: when they fire, whom they reach, and when they are silent."""

import os
import signal
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from alibabacloud_cms20190101 import models
from alibabacloud_cms20190101.client import Client

from tests.emulator.cms.calls import (
    CUSTOM,
    Request,
    activate,
    ask_all,
    fire,
    log,
    next_minute,
    outbox,
    put_rule,
    report,
    states,
)
from tests.emulator.cms.conftest import put_contact, put_group
from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.calls import advance, call
from tests.emulator.eas.conftest import STAND_IN, Eas, service_json, until
from tests.emulator.refusals import refused

GRADES = {"P2": "Critical", "P3": "Warn", "P4": "Info", "OK": "OK"}
NOT_SENT = {0: "", 1: " (ineffective)", 2: " (silent)", 4: " (untold)"}
TABLE = yaml.safe_load((Path(__file__).parent / "alarms.yaml").read_text())


def to_time_of_day(emulator: RunningEmulator, hour: int) -> None:
    """Moves the clock to the begin of an hour in China, which is eight hours ahead."""
    now = datetime.fromisoformat(httpx.get(f"{emulator.url}/_emulator/clock").json()["now"])
    seconds = (now.hour * 60 + now.minute) * 60 + now.second
    advance(emulator, ((hour - 8) * 3600 - seconds) % 86_400 + 0.5)


@pytest.fixture(autouse=True)
def _on_call(cms: Client) -> None:
    put_contact(cms)
    put_group(cms)


def test_rules_fire_as_worked_out_by_hand(emulator: RunningEmulator, cms: Client) -> None:
    to_time_of_day(emulator, 0)
    begun = int(datetime.fromisoformat(httpx.get(f"{emulator.url}/_emulator/clock").json()["now"]).timestamp())
    begun -= begun % 60
    for number, row in enumerate(TABLE):
        put_rule(cms, row["name"], metric=f"m{number}", **row)
        for name, days in (("yesterday", 1), ("last_week", 7)):
            for minute in range(len(row["values"].split())) if name in row else ():
                time = str((begun - days * 86_400 + minute * 60) * 1000)
                report(cms, name=f"m{number}", value=row[name], time=time)
    longest = max(len(row["values"].split()) for row in TABLE)
    minutes = {}
    for minute in range(1, longest + 1):
        for number, row in enumerate(TABLE):
            value = [*row["values"].split(), *["-"] * longest][minute - 1]
            if value != "-":
                report(cms, name=f"m{number}", value=float(value))
        minutes[next_minute(emulator)] = minute

    history: dict[str, dict[int, str]] = {row["name"]: {} for row in TABLE}
    for entry in history_of_all(cms):
        minute = minutes[(entry.alert_time // 60_000 - 1) * 60_000]
        missing = " of no data" if entry.state == "INSUFFICIENT_DATA" else ""
        history[entry.rule_name][minute] = GRADES[entry.level] + missing + NOT_SENT[entry.status]
    for row in TABLE:
        over = len(row["values"].split())
        told = {minute: what for minute, what in history[row["name"]].items() if minute <= over}
        assert told == row["expect"], row["name"]


def history_of_all(cms: Client) -> Iterator[Any]:
    page = 1
    while True:
        request = models.DescribeAlertHistoryListRequest(page=page, page_size=100, ascending=False)
        body = cms.describe_alert_history_list(request).body
        yield from body.alarm_history_list.alarm_history
        if page * 100 >= int(body.total):
            return
        page += 1


def test_a_rule_is_in_alarm_until_it_recovers_and_not_evaluated_while_disabled(
    emulator: RunningEmulator, cms: Client
) -> None:
    put_rule(cms, "high", critical="> 5 x1")
    next_minute(emulator)

    fire(emulator, cms, 9)
    assert states(cms) == {"high": "ALARM"}
    fire(emulator, cms, 1)
    assert states(cms) == {"high": "OK"}

    cms.disable_metric_rules(models.DisableMetricRulesRequest(rule_id=["high"]))
    fire(emulator, cms, 9)
    assert states(cms) == {"high": "OK"}
    assert len(log(cms, "high")) == 2


def test_each_resource_of_a_rule_has_an_alarm_of_its_own(emulator: RunningEmulator, cms: Client) -> None:
    put_rule(cms, "high", critical="> 5 x1", resource={"groupId": "0"})
    next_minute(emulator)
    report(cms, service="one", value=9)
    report(cms, service="other", value=1)
    next_minute(emulator)
    report(cms, service="one", value=9)
    report(cms, service="other", value=9)
    next_minute(emulator)

    told = [{each.key: each.value for each in entry.dimensions}["service"] for entry in log(cms, "high")]
    assert told == ["one", "other"]


def test_composite_rules_join_their_conditions(emulator: RunningEmulator, cms: Client) -> None:
    for join, rule_id in (("&&", "both"), ("||", "either")):
        expressions = [
            models.PutResourceMetricRuleRequestCompositeExpressionExpressionList(
                metric_name=name, comparison_operator="GreaterThanThreshold", statistics="Average",
                threshold="5", period=60,
            )
            for name in ("first", "second")
        ]  # fmt: skip
        composite = models.PutResourceMetricRuleRequestCompositeExpression(
            level="WARN", times=1, expression_list=expressions, expression_list_join=join
        )
        cms.put_resource_metric_rule(
            Request(
                rule_id=rule_id, rule_name=rule_id, namespace=CUSTOM, metric_name="first", period="60",
                contact_groups="on-call", resources='[{"service": "svc"}]', composite_expression=composite,
            )
        )  # fmt: skip
    next_minute(emulator)
    for first, second in ((9, 1), (9, 9)):
        report(cms, name="first", value=first)
        report(cms, name="second", value=second)
        next_minute(emulator)

    assert len(log(cms, "either")) == 1
    assert [entry.level for entry in log(cms, "both")] == ["P3"]
    assert int(log(cms, "both")[0].alert_time) > int(log(cms, "either")[0].alert_time)


def test_a_deleted_rule_leaves_nothing_that_a_new_one_of_its_name_would_find(
    emulator: RunningEmulator, cms: Client
) -> None:
    put_rule(cms, "high", critical="> 5 x2")
    next_minute(emulator)
    fire(emulator, cms, 9)
    cms.delete_metric_rules(models.DeleteMetricRulesRequest(id=["high"]))
    put_rule(cms, "high", critical="> 5 x2")

    fire(emulator, cms, 9)

    assert log(cms, "high") == []


def test_the_history_is_asked_for_by_time_level_and_page(emulator: RunningEmulator, cms: Client) -> None:
    put_rule(cms, "high", critical="> 5 x1")
    next_minute(emulator)
    fire(emulator, cms, 9, 1)

    def found(**query: Any) -> list[str]:
        body = cms.describe_alert_log_list(models.DescribeAlertLogListRequest(**query)).body
        return [entry.level for entry in body.alert_log_list]

    assert found() == ["OK", "P2"], "newest first"
    assert found(level="P2", event_type="TRIGGERED", rule_name="high", namespace=CUSTOM) == ["P2"]
    assert found(page_number=2, page_size=1) == ["P2"]
    assert found(search_key="nothing") == []
    advance(emulator, 3600)
    assert found() == [], "without times, of the last quarter of an hour"
    assert found(last_min="120") == ["OK", "P2"]
    with refused("ParameterInvalid", 400, "together"):
        found(start_time=1)
    with refused("ParameterInvalid", 400, "15 days"):
        found(start_time=1, end_time=2_000_000_000_000)


EAS_RULES: dict[str, dict[str, Any]] = {
    "slow": {"metric": "rt", "critical": "> 200000 x1"},
    "broken": {"metric": "rps_status_5xx_ratio", "critical": "> 20 x1", "warn": "> 1 x1"},
    "flooded": {"metric": "qps_total", "warn": "Maximum > 40 x1"},
    "wrong": {"metric": "rps_status_4xx_ratio", "info": "> 10 x1"},
    "silent": {"metric": "qps_total", "critical": "Maximum < 0 x1", "no_data": "INSUFFICIENT_DATA"},
}


def watch(cms: Client) -> None:
    for rule_id, settings in EAS_RULES.items():
        put_rule(cms, rule_id, namespace="acs_learn", resource={"serviceName": "svc"}, **settings)


def test_a_service_in_trouble_has_the_right_alarms_within_two_periods_and_recovers(
    emulator: RunningEmulator, cms: Client, eas: Eas
) -> None:
    eas.deploy(service_json())
    watch(cms)
    next_minute(emulator)
    seen = {}
    for trouble, targets in {
        "none": {"/": 5},
        "slow": {"/?sleep=0.5": 2},
        "broken": {"/": 3, "/?status=500": 2},
        "a little": {"/": 9, "/?status=500": 1},
        "wrong": {"/?status=404": 2, "/": 3},
        "flood": {"/": 400},
        "over": {"/": 5},
    }.items():
        time.sleep(1)  # rates are by real time
        ask_all(eas, targets)
        next_minute(emulator)
        seen[trouble] = {rule for rule, state in states(cms).items() if state == "ALARM"}

    assert seen == {
        "none": set(), "slow": {"slow"}, "broken": {"broken"}, "a little": {"broken"}, "wrong": {"wrong"},
        "flood": {"flooded"}, "over": set(),
    }  # fmt: skip
    assert [entry.level for entry in log(cms, "broken")] == ["P2", "P3", "OK"]

    call(eas, "DeleteService", "svc")
    until(eas.gone)
    next_minute(emulator)
    next_minute(emulator)
    assert states(cms)["silent"] == "INSUFFICIENT_DATA"


def measured_minutes(count: int, emulator: RunningEmulator) -> None:
    """So much of each is seen that memory is measured in it."""
    for _ in range(count):
        time.sleep(1)
        next_minute(emulator)


def test_killed_replicas_that_do_not_come_back_are_told_within_two_periods_and_so_is_their_return(
    emulator: RunningEmulator, cms: Client, eas: Eas, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    eas.deploy(service_json(instance=2, command=f"sh -c 'test ! -e {broken} && exec python {STAND_IN} 8000'"))
    put_rule(
        cms, "none runs", namespace="acs_learn", resource={"serviceName": "svc"}, metric="memory_rss",
        critical="Average < 0 x1", no_data="INSUFFICIENT_DATA", silence=300,
    )  # fmt: skip
    activate(emulator)
    measured_minutes(2, emulator)
    assert states(cms)["none runs"] == "OK"
    told = len(outbox(emulator))

    broken.touch()
    pids = {eas.ask().json()["pid"] for _ in range(20)}
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    until(lambda: eas.ask().status_code == 503)
    measured_minutes(2, emulator)
    assert len(pids) == 2
    assert states(cms)["none runs"] == "INSUFFICIENT_DATA"
    assert [(message["channel"], message["contact"]) for message in outbox(emulator)[told:]] == [("MAIL", "anna")]

    broken.unlink()
    until(lambda: eas.ask().status_code == 200)
    measured_minutes(2, emulator)
    assert states(cms)["none runs"] == "OK"


def test_an_hour_of_healthy_load_has_no_alarm(emulator: RunningEmulator, cms: Client, eas: Eas) -> None:
    eas.deploy(service_json())
    next_minute(emulator)
    watch(cms)
    for _ in range(60):
        ask_all(eas, {"/": 4})
        next_minute(emulator)

    assert list(history_of_all(cms)) == []
    assert set(states(cms).values()) == {"OK"}
