"""Alarm rules: kept as they were given, refused when they could not be evaluated."""

import json
from typing import Any

import pytest
from alibabacloud_cms20190101 import models
from alibabacloud_cms20190101.client import Client

from tests.emulator.cms.conftest import put_contact, put_group
from tests.emulator.refusals import refused

Escalations = models.PutResourceMetricRuleRequestEscalations
Critical = models.PutResourceMetricRuleRequestEscalationsCritical
Warn = models.PutResourceMetricRuleRequestEscalationsWarn
Composite = models.PutResourceMetricRuleRequestCompositeExpression
Expression = models.PutResourceMetricRuleRequestCompositeExpressionExpressionList
HIGH = {"statistics": "Average", "comparison_operator": "GreaterThanThreshold", "threshold": "80", "times": 3}

RAW = Composite(level="WARN", times=1, expression_raw="$Average > 1")
EMPTY = Composite(level="WARN", times=1)
CRITICAL = "InvalidParameter.Escalations.Critical"


@pytest.fixture(autouse=True)
def _on_call(cms: Client) -> None:
    put_contact(cms)
    put_group(cms)


def critical(**changes: object) -> Any:
    return Escalations(critical=Critical(**{**HIGH, **changes}))


def put(cms: Client, **changes: object) -> None:
    settings = {
        "rule_id": "slow",
        "rule_name": "resnet is slow",
        "namespace": "acs_learn",
        "metric_name": "rt",
        "contact_groups": "on-call",
        "escalations": critical(),
        **changes,
    }
    cms.put_resource_metric_rule(models.PutResourceMetricRuleRequest(**settings))


def rules(cms: Client, **filters: object) -> dict[str, Any]:
    body = cms.describe_metric_rule_list(models.DescribeMetricRuleListRequest(**filters)).body
    return {rule.rule_id: rule for rule in body.alarms.alarm}


def test_a_rule_is_kept_as_it_was_given(cms: Client) -> None:
    resources = json.dumps([{"serviceName": "resnet"}])
    put(
        cms,
        escalations=Escalations(critical=Critical(**HIGH), warn=Warn(**{**HIGH, "threshold": "60"})),
        resources=resources,
        period="60",
        silence_time=600,
        effective_interval="08:00-20:00",
        webhook="http://127.0.0.1:9000/alarm",
        no_data_policy="INSUFFICIENT_DATA",
        labels=[models.PutResourceMetricRuleRequestLabels(key="team", value="vision")],
    )

    rule = rules(cms)["slow"]

    assert (rule.rule_name, rule.namespace, rule.metric_name) == ("resnet is slow", "acs_learn", "rt")
    assert (rule.resources, rule.period, rule.silence_time) == (resources, "60", 600)
    assert (rule.effective_interval, rule.no_data_policy) == ("08:00-20:00", "INSUFFICIENT_DATA")
    assert rule.webhook == "http://127.0.0.1:9000/alarm"
    assert rule.escalations.critical.to_map() == {
        "Statistics": "Average", "ComparisonOperator": "GreaterThanThreshold", "Threshold": "80", "Times": 3,
    }  # fmt: skip
    assert (rule.escalations.warn.threshold, rule.escalations.info) == ("60", None)
    assert [(label.key, label.value) for label in rule.labels.labels] == [("team", "vision")]
    assert (rule.enable_state, rule.alert_state, rule.contact_groups) == (True, "OK", "on-call")


def test_a_second_put_replaces_the_rule_but_not_its_switch_and_targets(cms: Client) -> None:
    put(cms, silence_time=600)
    cms.disable_metric_rules(models.DisableMetricRulesRequest(rule_id=["slow"]))
    put_target(cms)
    put(cms, rule_name="renamed")

    rule = rules(cms)["slow"]

    assert (rule.rule_name, rule.silence_time, rule.enable_state) == ("renamed", 86400, False)
    assert targets(cms) == {"queue": "CRITICAL"}


def test_rules_can_be_switched_off_and_on(cms: Client) -> None:
    put(cms)
    put(cms, rule_id="errors", metric_name="rps_status_5xx")

    cms.disable_metric_rules(models.DisableMetricRulesRequest(rule_id=["slow", "errors"]))
    cms.enable_metric_rules(models.EnableMetricRulesRequest(rule_id=["errors"]))

    assert list(rules(cms, enable_state=True)) == ["errors"]
    assert list(rules(cms, enable_state=False)) == ["slow"]
    with refused("ResourceNotFound", 404):
        cms.enable_metric_rules(models.EnableMetricRulesRequest(rule_id=["nothing"]))


def test_rules_are_found_by_id_name_and_metric_and_in_pages(cms: Client) -> None:
    put(cms)
    put(cms, rule_id="errors", metric_name="rps_status_5xx")

    assert list(rules(cms, rule_ids="slow,nothing")) == ["slow"]
    assert list(rules(cms, rule_name="resnet", metric_name="rps_status_5xx")) == ["errors"]
    assert list(rules(cms, namespace="acs_ecs_dashboard")) == []
    assert list(rules(cms, page=2, page_size=1)) == ["slow"]


def test_deleted_rules_are_gone_and_deleting_them_again_succeeds(cms: Client) -> None:
    put(cms)

    for _ in range(2):
        cms.delete_metric_rules(models.DeleteMetricRulesRequest(id=["slow"]))

    assert rules(cms) == {}


def test_a_composite_rule_is_kept_as_it_was_given(cms: Client) -> None:
    slow = Expression(metric_name="rt", period=60, **without_times(HIGH))
    busy = Expression(metric_name="qps_total", period=60, **without_times(HIGH))
    composite = Composite(level="CRITICAL", times=3, expression_list_join="&&", expression_list=[slow, busy])

    put(cms, escalations=None, composite_expression=composite)

    found = rules(cms)["slow"].composite_expression
    assert (found.level, found.times, found.expression_list_join) == ("CRITICAL", 3, "&&")
    assert [part.metric_name for part in found.expression_list.expression_list] == ["rt", "qps_total"]


def without_times(escalation: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in escalation.items() if name != "times"}


def put_target(cms: Client, **changes: str) -> None:
    settings = {"id": "queue", "arn": "acs:mns:cn-hangzhou:1:/queues/alarms/message", "level": "CRITICAL", **changes}
    target = models.PutMetricRuleTargetsRequestTargets(**settings)
    cms.put_metric_rule_targets(models.PutMetricRuleTargetsRequest(rule_id="slow", targets=[target]))


def targets(cms: Client) -> dict[str, str]:
    request = models.DescribeMetricRuleTargetsRequest(rule_id="slow")
    return {target.id: target.level for target in cms.describe_metric_rule_targets(request).body.targets.target}


def test_targets_are_added_replaced_and_deleted(cms: Client) -> None:
    put(cms)
    put_target(cms)
    put_target(cms, id="function", arn="acs:fc:cn-hangzhou:1:services/s/functions/f", level="WARN")
    put_target(cms, level="INFO")

    assert targets(cms) == {"queue": "INFO", "function": "WARN"}
    request = models.DeleteMetricRuleTargetsRequest(rule_id="slow", target_ids=["queue", "nothing"])
    failed = cms.delete_metric_rule_targets(request).body.fail_ids
    assert (targets(cms), failed.target_ids.target_id) == ({"function": "WARN"}, ["nothing"])


def test_a_target_that_is_no_resource_is_refused(cms: Client) -> None:
    put(cms)

    with refused("InvalidParameter.Targets.0.Arn"):
        put_target(cms, arn="http://127.0.0.1/")


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"contact_groups": None}, "MissingParameter", "ContactGroups"),
        ({"period": "45"}, "InvalidParameter.Period", "a multiple of 60"),
        ({"period": "0"}, "InvalidParameter.Period", "a multiple of 60"),
        ({"silence_time": 299}, "InvalidParameter.SilenceTime", "300"),
        ({"silence_time": 86401}, "InvalidParameter.SilenceTime", "86400"),
        ({"effective_interval": "8-20"}, "InvalidParameter.EffectiveInterval", "8-20"),
        ({"effective_interval": "00:00-24:00"}, "InvalidParameter.EffectiveInterval", "24:00"),
        ({"webhook": "mail:me"}, "InvalidParameter.Webhook", "mail:me"),
        ({"no_data_policy": "IGNORE"}, "InvalidParameter.NoDataPolicy", "KEEP_LAST_STATE"),
        ({"resources": "resnet"}, "InvalidParameter.Resources", "serviceName"),
        ({"resources": '{"serviceName": "resnet"}'}, "InvalidParameter.Resources", "serviceName"),
        ({"escalations": None}, "InvalidParameter", "one of Escalations"),
        ({"escalations": critical(comparison_operator=">")}, f"{CRITICAL}.ComparisonOperator", "GreaterThanThreshold"),
        ({"escalations": critical(threshold="high")}, f"{CRITICAL}.Threshold", "high"),
        ({"escalations": critical(threshold="nan")}, f"{CRITICAL}.Threshold", "finite"),
        ({"escalations": critical(times=0)}, f"{CRITICAL}.Times", "1"),
        ({"escalations": critical(times=None)}, "MissingParameter", "Escalations.Critical.Times"),
        ({"escalations": critical(statistics="Sum")}, "ParameterInvalid", "Average, Maximum, Minimum"),
        ({"composite_expression": RAW}, "InvalidParameter", "one of Escalations"),
        ({"escalations": None, "composite_expression": EMPTY}, "InvalidParameter.CompositeExpression", "ExpressionRaw"),
    ],
)  # fmt: skip
def test_a_wrong_rule_is_refused(cms: Client, changes: dict[str, object], code: str, message: str) -> None:
    with refused(code, 400, message):
        put(cms, **changes)

    assert rules(cms) == {}


def test_a_rule_that_nobody_would_hear_is_refused(cms: Client) -> None:
    with refused("ContactGroupNotExists", 404, "nobody"):
        put(cms, contact_groups="on-call,nobody")
