"""The alarms of a stack: which fire, and which did."""

import json
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx

from jobs.webconsole.source import Source

# How far CloudMonitor looks back at once.
PAST = timedelta(days=15)
PAGE = 100
MOST_PAST = 500
MOST_SENT = 200
TIMEOUT_S = 10.0
# Ours for CloudMonitor's grades, see components/alarm_rules.py.
LEVELS: Mapping[str, str] = {"P2": "emergency", "P3": "critical", "P4": "warn", "OK": "over"}


def alarms(source: Source, now: datetime) -> dict[str, Any]:
    """`firing` now, `rules` in all, and the `past` of fifteen days, newest first and cut off at `MOST_PAST`."""
    rules = list(_rules(source))
    past = list(_past(source, now))
    latest = {entry["rule"]: entry for entry in reversed(past)}
    firing = [
        {
            "rule": rule.rule_name,
            "service": _service_of(source, rule.resources),
            "metric": rule.metric_name,
            # Of an alarm that is older than what is told of the past, only that it fires is known.
            "level": (latest.get(rule.rule_name) or {}).get("level", "unknown"),
            "since": (latest.get(rule.rule_name) or {}).get("at"),
            "text": (latest.get(rule.rule_name) or {}).get("text", ""),
            "no_data": rule.alert_state == "INSUFFICIENT_DATA",
        }
        for rule in rules
        if rule.enable_state is not False and _fires(rule)
    ]
    return {"rules": len(rules), "firing": firing, "past": past}


def outbox(source: Source) -> list[dict[str, str]] | None:
    """What the stack's emulator would have sent, newest first and without addresses: that of a DingTalk robot opens its
    group. None in the cloud, which really sends."""
    if source.config.target.emulator is None:
        return None
    answer = httpx.get(f"{source.config.target.emulator}/_emulator/outbox", trust_env=False, timeout=TIMEOUT_S)
    shown = ("time", "channel", "contact", "subject", "text")
    messages = [each for each in answer.raise_for_status().json()["messages"] if each["channel"] != "WEBHOOK"]
    return [{name: message[name] for name in shown} for message in reversed(messages[-MOST_SENT:])]


def _fires(rule: Any) -> bool:
    """A rule without data fires where it was asked to tell that."""
    told_without_data = rule.alert_state == "INSUFFICIENT_DATA" and rule.no_data_policy == "INSUFFICIENT_DATA"
    return bool(rule.alert_state == "ALARM" or told_without_data)


def _rules(source: Source) -> Iterator[Any]:
    from alibabacloud_cms20190101.models import DescribeMetricRuleListRequest

    page = 1
    while True:
        body = source.cms.describe_metric_rule_list(DescribeMetricRuleListRequest(page=page, page_size=PAGE)).body
        found = body.alarms.alarm if body.alarms else []
        yield from (rule for rule in found or [] if rule.rule_name.startswith(_prefix(source)))
        if page * PAGE >= int(body.total or 0):
            return
        page += 1


def _past(source: Source, now: datetime) -> Iterator[dict[str, Any]]:
    from alibabacloud_cms20190101.models import DescribeAlertLogListRequest

    for page in range(1, MOST_PAST // PAGE + 1):
        request = DescribeAlertLogListRequest(
            start_time=int((now - PAST).timestamp() * 1000),
            end_time=int(now.timestamp() * 1000),
            page_number=page,
            page_size=PAGE,
        )
        found = source.cms.describe_alert_log_list(request).body.alert_log_list or []
        for entry in found:
            if entry.rule_name.startswith(_prefix(source)):
                yield _told(source, entry)
        if len(found) < PAGE:
            return


def _told(source: Source, entry: Any) -> dict[str, Any]:
    dimensions = {each.key: each.value for each in entry.dimensions or []}
    reached = {each.key: len(each.value or []) for each in entry.send_result_list or []}
    return {
        "rule": entry.rule_name,
        "service": _key_of(source, dimensions.get("serviceName") or dimensions.get("service", "")),
        "metric": entry.metric_name,
        "level": LEVELS.get(entry.level, entry.level),
        "at": int(entry.alert_time) // 1000,
        "text": (entry.escalation.expression or "").replace("$", "") if entry.escalation else "",
        "reached": reached,
    }


def _prefix(source: Source) -> str:
    """What the names of the stack's rules begin with, see stacks/deploy.py."""
    return f"paistack-{source.stack}-"


def _service_of(source: Source, resources: str | None) -> str:
    """Rules on custom metrics name it as `{"dimension": "service=NAME"}`."""
    named = json.loads(resources or "[]")
    if not named:
        return ""
    dimensions = {**named[0], **dict(part.split("=", 1) for part in named[0].get("dimension", "").split("&") if part)}
    return _key_of(source, dimensions.get("serviceName") or dimensions.get("service", ""))


def _key_of(source: Source, name: str) -> str:
    return next((key for key, its in source.names.items() if its == name), name)
