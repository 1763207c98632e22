"""Alarms on custom metrics through the real SDK and the emulator."""

from typing import Any

import pytest
from alibabacloud_cms20190101 import models
from alibabacloud_cms20190101.client import Client
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.custom_metric_alarm import CustomMetricAlarmProvider
from tests.emulator.cms.calls import next_minute, report, states
from tests.emulator.cms.conftest import put_contact, put_group
from tests.emulator.conftest import RunningEmulator
from tests.emulator.sdk import connect
from tests.providers.wire import on_the_wire

NAME = "shop-accuracy-critical"


def inputs(**changes: Any) -> Props:
    whole = {
        "rule_name": NAME, "service_name": "shop", "metric": "accuracy", "level": "CRITICAL", "statistic": "Average",
        "comparison": "<", "threshold": "80", "minutes": 1, "contact_groups": ["on-call"], "silence_s": 3600,
        "effective_interval": "00:00-23:59", "webhook": "",
    }  # fmt: skip
    return on_the_wire(**whole | changes)


@pytest.fixture
def cms(emulator: RunningEmulator) -> Client:
    cms = connect(Client, emulator)
    put_contact(cms)
    put_group(cms)
    return cms


@pytest.fixture
def provider(configured: ConfigureRequest, cms: Client) -> CustomMetricAlarmProvider:
    assert rule(cms) is None
    provider = CustomMetricAlarmProvider()
    provider.configure(configured)
    return provider


def rule(cms: Client) -> Any:
    request = models.DescribeMetricRuleListRequest(rule_ids=NAME)
    return next(iter(cms.describe_metric_rule_list(request).body.alarms.alarm), None)


def test_an_alarm_is_made_changed_and_removed(provider: CustomMetricAlarmProvider, cms: Client) -> None:
    created = provider.create(inputs())
    assert rule(cms).namespace == "acs_customMetric_1234567890123456"
    assert rule(cms).escalations.critical.comparison_operator == "LessThanThreshold"
    assert provider.read(created.id, created.outs or {}).inputs == inputs()

    changed = inputs(
        level="WARN", comparison=">", threshold="0.25", minutes=3, metric="drift", service_name="other",
        effective_interval="07:00-22:59", silence_s=600, webhook="http://127.0.0.1:9/",
    )  # fmt: skip
    provider.update(created.id, created.outs or {}, changed)
    assert rule(cms).escalations.critical is None or rule(cms).escalations.critical.times is None
    assert provider.read(created.id, changed).inputs == changed

    provider.delete(created.id, created.outs or {})
    provider.delete(created.id, created.outs or {})
    assert rule(cms) is None
    assert provider.read(created.id, created.outs or {}).id == ""


def test_it_fires_by_the_values_of_its_service_and_recovers(
    provider: CustomMetricAlarmProvider, cms: Client, emulator: RunningEmulator
) -> None:
    provider.create(inputs())
    next_minute(emulator)
    seen = []
    for value, service in ((90, "shop"), (70, "another"), (70, "shop"), (None, ""), (90, "shop")):
        if value is not None:
            report(cms, service=service, value=value)
        next_minute(emulator)
        seen.append(states(cms)[NAME])
    assert seen == ["OK", "OK", "ALARM", "ALARM", "OK"]


def test_what_somebody_else_changed_shows(provider: CustomMetricAlarmProvider) -> None:
    created = provider.create(inputs())
    provider.update(created.id, created.outs or {}, inputs(threshold="50", minutes=9))

    seen = provider.read(created.id, inputs()).inputs or {}
    assert (seen["threshold"], seen["minutes"]) == ("50", 9)


def test_the_clouds_refusal_reaches_the_user(provider: CustomMetricAlarmProvider) -> None:
    with pytest.raises(CloudError, match="ContactGroupNotExists"):
        provider.create(inputs(contact_groups=["nobody"]))
