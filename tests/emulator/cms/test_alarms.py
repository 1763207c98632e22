"""Alarms, through the SDK: when they fire, whom they reach, and when they are silent."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
import yaml
from alibabacloud_cms20190101 import models
from alibabacloud_cms20190101.client import Client
from typing_extensions import override

from tests.emulator.cms.conftest import put_contact, put_group
from tests.emulator.cms.test_metrics import CUSTOM, ask_all, next_minute, report
from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.calls import advance, call
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.emulator.refusals import refused

TABLE = yaml.safe_load((Path(__file__).parent / "alarms.yaml").read_text())
COMPARISONS = {
    ">": "GreaterThanThreshold",
    ">=": "GreaterThanOrEqualToThreshold",
    "<": "LessThanThreshold",
    "<=": "LessThanOrEqualToThreshold",
    "==": "EqualToThreshold",
    "!=": "NotEqualToThreshold",
}
Request = models.PutResourceMetricRuleRequest
Escalations = models.PutResourceMetricRuleRequestEscalations
GRADES = {"P2": "Critical", "P3": "Warn", "P4": "Info", "OK": "OK"}
NOT_SENT = {0: "", 1: " (ineffective)", 2: " (silent)", 4: " (untold)"}


def escalation(level: str, text: str) -> Any:
    """`Maximum > 5 x3`, where the average need not be named."""
    *statistics, comparison, threshold, times = text.split()
    model = getattr(models, f"PutResourceMetricRuleRequestEscalations{level.capitalize()}")
    return model(
        statistics=statistics[0] if statistics else "Average",
        comparison_operator=COMPARISONS.get(comparison, comparison),
        threshold=threshold,
        times=int(times.removeprefix("x")),
    )


def put_rule(cms: Client, rule_id: str, *, metric: str = "accuracy", service: str = "svc", **settings: Any) -> None:
    levels = {level: escalation(level, settings[level]) for level in ("critical", "warn", "info") if level in settings}
    cms.put_resource_metric_rule(
        Request(
            rule_id=rule_id,
            rule_name=rule_id,
            namespace=settings.get("namespace", CUSTOM),
            metric_name=metric,
            resources=json.dumps([settings.get("resource", {"service": service})]),
            contact_groups=settings.get("groups", "on-call"),
            period=str(settings.get("period", 60)),
            silence_time=settings.get("silence", 86_400),
            effective_interval=settings.get("effective"),
            no_effective_interval=settings.get("quiet"),
            no_data_policy=settings.get("no_data"),
            send_ok=settings.get("send_ok"),
            webhook=settings.get("webhook"),
            escalations=Escalations(**levels),
        )
    )


def log(cms: Client, rule_id: str) -> list[Any]:
    """The alert history of a rule, oldest first."""
    request = models.DescribeAlertLogListRequest(rule_id=rule_id, last_min="600", page_size=100)
    return list(reversed(cms.describe_alert_log_list(request).body.alert_log_list))


def states(cms: Client) -> dict[str, str]:
    body = cms.describe_metric_rule_list(models.DescribeMetricRuleListRequest(page_size=100)).body
    return {rule.rule_id: rule.alert_state for rule in body.alarms.alarm}


def outbox(emulator: RunningEmulator) -> list[dict[str, str]]:
    """What would have been sent, without the messages that ask for activation."""
    messages = httpx.get(f"{emulator.url}/_emulator/outbox").json()["messages"]
    return [message for message in messages if not message["subject"].startswith("Activate")]


def activate(emulator: RunningEmulator, contact: str = "anna") -> None:
    httpx.post(f"{emulator.url}/_emulator/contacts/activate", json={"contact": contact}).raise_for_status()


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


def fire(emulator: RunningEmulator, cms: Client, *values: float) -> None:
    """Reports one value a minute."""
    for value in values:
        report(cms, value=value)
        next_minute(emulator)


def everything() -> dict[str, Any]:
    return {
        "channels": models.PutContactRequestChannels(
            mail="anna@example.com", sms="13000000000", ding_web_hook="https://oapi.dingtalk.com/robot/send?x=1"
        )
    }


CHANNELS = [
    ("critical", {"ONCALL", "SMS", "MAIL", "DING"}),
    ("warn", {"SMS", "MAIL", "DING"}),
    ("info", {"MAIL", "DING"}),
]


@pytest.mark.parametrize(("level", "channels"), CHANNELS)
def test_each_level_reaches_exactly_its_channels_at_its_begin_and_at_its_end(
    emulator: RunningEmulator, cms: Client, level: str, channels: set[str]
) -> None:
    put_contact(cms, **everything())
    activate(emulator)
    put_rule(cms, "high", **{level: "> 5 x1"})
    next_minute(emulator)

    fire(emulator, cms, 9)
    begin = outbox(emulator)
    fire(emulator, cms, 1)
    end = outbox(emulator)[len(begin) :]

    assert {message["channel"] for message in begin} == channels
    assert {message["channel"] for message in end} == channels
    assert len(begin) == len(end) == len(channels)
    assert begin[0]["subject"] == f"[{level.capitalize()}] high"
    assert "accuracy is 9" in begin[0]["text"]
    assert end[0]["subject"] == "[recovered] high"
    first, last = log(cms, "high")
    assert (first.level_change, last.level_change) == (f"OK->{first.level}", f"{first.level}->OK")
    assert {result.key for result in first.send_result_list} == {
        "CALL" if channel == "ONCALL" else channel for channel in channels
    }


def test_mail_and_sms_are_dead_until_the_person_agrees(emulator: RunningEmulator, cms: Client) -> None:
    put_contact(cms, **everything())
    put_rule(cms, "high", critical="> 5 x1")
    put_rule(cms, "higher", critical="> 6 x1")
    next_minute(emulator)
    fire(emulator, cms, 6)
    assert {message["channel"] for message in outbox(emulator)} == {"DING"}

    activate(emulator)
    fire(emulator, cms, 7)

    assert {message["channel"] for message in outbox(emulator)[1:]} == {"ONCALL", "SMS", "MAIL", "DING"}
    contact = cms.describe_contact_list(models.DescribeContactListRequest()).body.contacts.contact[0]
    assert (contact.channels_state.mail, contact.channels_state.sms) == ("OK", "OK")
    put_contact(cms, channels=models.PutContactRequestChannels(mail="bert@example.com"))
    contact = cms.describe_contact_list(models.DescribeContactListRequest()).body.contacts.contact[0]
    assert contact.channels_state.mail == "PENDING", "another address has not agreed"
    asked = httpx.get(f"{emulator.url}/_emulator/outbox").json()["messages"][-1]
    assert (asked["subject"], asked["address"]) == ("Activate your address", "bert@example.com")


def test_a_person_in_two_groups_is_told_once(emulator: RunningEmulator, cms: Client) -> None:
    activate(emulator)
    put_group(cms, "managers")
    put_rule(cms, "high", warn="> 5 x1", groups="on-call,managers")
    next_minute(emulator)

    fire(emulator, cms, 9)

    assert [(message["channel"], message["contact"]) for message in outbox(emulator)] == [("MAIL", "anna")]


def test_a_webhook_on_the_loopback_is_called_with_the_documented_form(emulator: RunningEmulator, cms: Client) -> None:
    with listening() as (url, received):
        put_rule(cms, "high", critical="> 5 x1", webhook=url)
        next_minute(emulator)
        fire(emulator, cms, 9)
        until(lambda: received)
        fire(emulator, cms, 1)
        until(lambda: len(received) == 2)

    begin, end = received
    assert {name: begin[name] for name in ("alertName", "alertState", "curValue", "expression", "ruleId")} == {
        "alertName": "high", "alertState": "ALERT", "curValue": "9", "expression": "$Average>5", "ruleId": "high",
    }  # fmt: skip
    assert (begin["preTriggerLevel"], begin["triggerLevel"]) == ("OK", "P2")
    assert begin["dimensions"] == "{groupId=0, service=svc}"
    assert (end["alertState"], end["preTriggerLevel"], end["triggerLevel"]) == ("OK", "P2", "OK")
    until(lambda: [message["result"] for message in outbox(emulator)] == ["status 200"] * 2)


@contextmanager
def listening() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server on the loopback, and the forms that it gets."""
    received: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode(), keep_blank_values=True)
            received.append({name: values[0] for name, values in form.items()})
            self.send_response(200)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/alarms", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_webhook_elsewhere_is_never_called(emulator: RunningEmulator, cms: Client) -> None:
    put_rule(cms, "high", critical="> 5 x1", webhook="http://alarms.example.com/")
    next_minute(emulator)

    fire(emulator, cms, 9)

    (message,) = outbox(emulator)
    assert (message["channel"], message["result"]) == ("WEBHOOK", "not called: not on the loopback")


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
    "flooded": {"metric": "qps_total", "warn": "Maximum > 400 x1"},
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
        "a little": {"/": 40, "/?status=500": 1},
        "wrong": {"/?status=404": 2, "/": 3},
        "over": {"/": 5},
    }.items():
        ask_all(eas, targets)
        next_minute(emulator)
        seen[trouble] = {rule for rule, state in states(cms).items() if state == "ALARM"}

    assert seen == {
        "none": set(), "slow": {"slow"}, "broken": {"broken"}, "a little": {"broken"}, "wrong": {"wrong"},
        "over": set(),
    }  # fmt: skip
    assert [entry.level for entry in log(cms, "broken")] == ["P2", "P3", "OK"]

    call(eas, "DeleteService", "svc")
    until(eas.gone)
    next_minute(emulator)
    next_minute(emulator)
    assert states(cms)["silent"] == "INSUFFICIENT_DATA"


def test_an_hour_of_healthy_load_has_no_alarm(emulator: RunningEmulator, cms: Client, eas: Eas) -> None:
    eas.deploy(service_json())
    next_minute(emulator)
    watch(cms)
    for _ in range(60):
        ask_all(eas, {"/": 4})
        next_minute(emulator)

    assert list(history_of_all(cms)) == []
    assert set(states(cms).values()) == {"OK"}
