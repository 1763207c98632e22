"""CloudMonitor in few words: values, rules, what comes of them, and the minutes that pass."""

import json
import time
from typing import Any

import httpx
from alibabacloud_cms20190101 import models
from alibabacloud_cms20190101.client import Client

from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.calls import advance
from tests.emulator.eas.conftest import Eas

CUSTOM = "acs_customMetric_1234567890123456"
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


def ask_all(eas: Eas, targets: dict[str, int], name: str = "svc", body: bytes = b"") -> None:
    """Asks for each target so many times."""
    described = eas.describe(name)
    for target, times in targets.items():
        for _ in range(times):
            url, headers = described["InternetEndpoint"] + target, {"Authorization": described["AccessToken"]}
            eas.http.post(url, headers=headers, content=body)


def next_minute(emulator: RunningEmulator) -> int:
    """Moves the clock to the begin of the next minute; milliseconds at which the one that is over began."""
    now = httpx.get(f"{emulator.url}/_emulator/clock").json()["now"]
    second = int(now[-3:-1])
    advance(emulator, 60.5 - second)
    began = time.strptime(now[:17] + "00", "%Y-%m-%dT%H:%M:%S")
    return (int(time.mktime(began)) - time.timezone) * 1000


def report(cms: Client, *, name: str = "accuracy", service: str = "svc", value: float = 1, **changes: Any) -> None:
    metric = {
        "group_id": "0",
        "metric_name": name,
        "dimensions": json.dumps({"service": service}),
        "type": "0",
        "values": json.dumps({"value": value}),
        **changes,
    }
    cms.put_custom_metric(
        models.PutCustomMetricRequest(metric_list=[models.PutCustomMetricRequestMetricList(**metric)])
    )
