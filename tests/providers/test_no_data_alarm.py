"""Alarms for missing values through the real SDK and the emulator."""

from typing import Any

import pytest
from alibabacloud_cms20190101 import models
from alibabacloud_cms20190101.client import Client
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.no_data_alarm import NoDataAlarmProvider
from tests.emulator.cms.conftest import put_contact, put_group
from tests.emulator.conftest import RunningEmulator
from tests.emulator.sdk import connect
from tests.providers.wire import on_the_wire


def inputs(**changes: Any) -> Props:
    whole = {
        "rule_name": "shop-no_data", "service_name": "shop", "metric": "memory_rss", "statistic": "Average",
        "minutes": 5, "contact_groups": ["on-call"], "silence_s": 3600, "webhook": "",
    }  # fmt: skip
    return on_the_wire(**whole | changes)


@pytest.fixture
def cms(emulator: RunningEmulator) -> Client:
    cms = connect(Client, emulator)
    put_contact(cms)
    put_group(cms)
    return cms


@pytest.fixture
def provider(configured: ConfigureRequest, cms: Client) -> NoDataAlarmProvider:
    assert rule(cms) is None
    provider = NoDataAlarmProvider()
    provider.configure(configured)
    return provider


def rule(cms: Client) -> Any:
    request = models.DescribeMetricRuleListRequest(rule_ids="shop-no_data")
    return next(iter(cms.describe_metric_rule_list(request).body.alarms.alarm), None)


def test_an_alarm_is_made_changed_and_removed(provider: NoDataAlarmProvider, cms: Client) -> None:
    created = provider.create(inputs())
    assert rule(cms).no_data_policy == "INSUFFICIENT_DATA"
    assert rule(cms).resources == '[{"serviceName": "shop"}]'
    assert provider.read(created.id, created.outs or {}).inputs == inputs()

    changed = inputs(minutes=3, webhook="http://127.0.0.1:9/", silence_s=600)
    provider.update(created.id, created.outs or {}, changed)
    assert rule(cms).escalations.critical.times == 3
    assert provider.read(created.id, changed).inputs == changed

    provider.delete(created.id, created.outs or {})
    provider.delete(created.id, created.outs or {})
    assert rule(cms) is None
    assert provider.read(created.id, created.outs or {}).id == ""


def test_what_somebody_else_changed_shows(provider: NoDataAlarmProvider, cms: Client) -> None:
    created = provider.create(inputs())
    put_group(cms, "others")
    provider.update(created.id, created.outs or {}, inputs(contact_groups=["others"]))

    assert (provider.read(created.id, inputs()).inputs or {})["contact_groups"] == ["others"]


def test_the_clouds_refusal_reaches_the_user(provider: NoDataAlarmProvider) -> None:
    with pytest.raises(CloudError, match="ContactGroupNotExists"):
        provider.create(inputs(contact_groups=["nobody"]))
