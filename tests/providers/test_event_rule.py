"""Rules on events through the real SDK and the emulator."""

from typing import Any

import pytest
from alibabacloud_cms20190101 import models
from alibabacloud_cms20190101.client import Client
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.event_rule import EventRuleProvider
from tests.emulator.cms.conftest import put_contact, put_group
from tests.emulator.conftest import RunningEmulator
from tests.emulator.sdk import connect
from tests.providers.wire import on_the_wire


def inputs(**changes: Any) -> Props:
    whole = {
        "rule_name": "shop-events", "service_name": "shop", "levels": ["WARN", "CRITICAL"],
        "contact_group": "on-call", "contact_level": "3", "silence_s": 3600, "webhook": "",
    }  # fmt: skip
    return on_the_wire(**whole | changes)


@pytest.fixture
def cms(emulator: RunningEmulator) -> Client:
    cms = connect(Client, emulator)
    put_contact(cms)
    put_group(cms)
    return cms


@pytest.fixture
def provider(configured: ConfigureRequest, cms: Client) -> EventRuleProvider:
    assert rule(cms) is None
    provider = EventRuleProvider()
    provider.configure(configured)
    return provider


def rule(cms: Client) -> Any:
    request = models.DescribeEventRuleListRequest(name_prefix="shop-events")
    return next(iter(cms.describe_event_rule_list(request).body.event_rules.event_rule), None)


def test_a_rule_is_made_changed_and_removed(provider: EventRuleProvider, cms: Client) -> None:
    created = provider.create(inputs())
    (pattern,) = rule(cms).event_pattern.event_pattern
    assert (pattern.product, pattern.event_type_list.event_type_list) == ("learn", ["ServiceInstance"])
    assert (pattern.level_list.level_list, pattern.sqlfilter) == (["WARN", "CRITICAL"], '"shop"')
    assert provider.read(created.id, created.outs or {}).inputs == inputs()

    changed = inputs(levels=["CRITICAL"], contact_level="2", webhook="http://127.0.0.1:9/", silence_s=600)
    provider.update(created.id, created.outs or {}, changed)
    assert provider.read(created.id, changed).inputs == changed

    provider.update(created.id, changed, inputs())
    assert provider.read(created.id, created.outs or {}).inputs == inputs()

    provider.delete(created.id, created.outs or {})
    provider.delete(created.id, created.outs or {})
    assert rule(cms) is None
    assert provider.read(created.id, created.outs or {}).id == ""


def test_another_name_is_another_rule(provider: EventRuleProvider) -> None:
    assert provider.diff("shop-events", inputs(), inputs(rule_name="shop-told")).replaces == ["rule_name"]
    assert provider.diff("shop-events", inputs(), inputs(silence_s=600)).replaces == []


def test_what_somebody_else_changed_shows(provider: EventRuleProvider, cms: Client) -> None:
    created = provider.create(inputs())
    cms.delete_event_rule_targets(models.DeleteEventRuleTargetsRequest(rule_name="shop-events", ids=["1"]))
    assert (provider.read(created.id, inputs()).inputs or {})["contact_group"] == ""

    cms.disable_event_rules(models.DisableEventRulesRequest(rule_names=["shop-events"]))
    assert (provider.read(created.id, inputs()).inputs or {})["levels"] == []

    provider.update(created.id, created.outs or {}, inputs())
    assert rule(cms).state == "ENABLED"
    assert provider.read(created.id, inputs()).inputs == inputs()


def test_a_group_that_does_not_exist_is_an_error(provider: EventRuleProvider) -> None:
    with pytest.raises(CloudError, match="cannot tell the contact group nobody"):
        provider.create(inputs(contact_group="nobody"))
