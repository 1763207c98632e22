"""Alarm rules."""

from typing import Any, Literal

from pydantic import Field

from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.cms.alarm_parameters import CompositeParameters, PutResourceMetricRule
from emulator.services.cms.catalogue import statistics_of
from emulator.services.cms.service import cms, succeeded
from emulator.services.cms.state import AlarmRule, CmsState, Composite, Escalation, Expression, in_ms


class RuleIds(Parameters):
    rule_ids: list[str] = Field(alias="RuleId", min_length=1, max_length=20)


class DeleteMetricRules(Parameters):
    rule_ids: list[str] = Field(alias="Id", min_length=1, max_length=20)


class DescribeMetricRuleList(Parameters):
    rule_ids: str | None = Field(None, alias="RuleIds")
    name: str | None = Field(None, alias="RuleName")
    namespace: str | None = Field(None, alias="Namespace")
    metric: str | None = Field(None, alias="MetricName")
    enabled: bool | None = Field(None, alias="EnableState")
    alert_state: Literal["OK", "ALARM", "INSUFFICIENT_DATA"] | None = Field(None, alias="AlertState")
    page: int = Field(1, alias="Page", ge=1)
    page_size: int = Field(10, alias="PageSize", ge=1, le=100)


@cms.operation("PutResourceMetricRule")
def put_resource_metric_rule(state: CmsState, call: Call, query: PutResourceMetricRule) -> Answer:
    """Makes a rule or replaces it; whether it is enabled, its state and its targets stay."""
    _check_groups(state, query)
    _check_statistics(query)
    old = state.rules.get(query.id)
    rule = AlarmRule(
        id=query.id,
        name=query.name,
        namespace=query.namespace,
        metric=query.metric,
        resources=query.resources if query.resources != "[]" else "",
        period_s=query.period_s,
        contact_groups=query.groups,
        silence_s=query.silence_s,
        effective_interval=query.effective_interval,
        no_effective_interval=query.no_effective_interval,
        no_data_policy=query.no_data_policy,
        email_subject=query.email_subject,
        webhook=query.webhook,
        send_ok=query.send_ok,
        labels={label.key: label.value for label in query.labels},
        escalations=query.escalations.by_level(),
        composite=_composite(query.composite),
        enabled=old.enabled if old else True,
        alert_state=old.alert_state if old else "OK",
        created=old.created if old else call.now,
        updated=call.now,
        targets=old.targets if old else [],
    )
    state.rules.put(rule.id, rule)
    return succeeded()


@cms.operation("EnableMetricRules")
def enable_metric_rules(state: CmsState, query: RuleIds) -> Answer:
    return _switch(state, query.rule_ids, enabled=True)


@cms.operation("DisableMetricRules")
def disable_metric_rules(state: CmsState, query: RuleIds) -> Answer:
    return _switch(state, query.rule_ids, enabled=False)


@cms.operation("DeleteMetricRules")
def delete_metric_rules(state: CmsState, query: DeleteMetricRules) -> Answer:
    """Deleting what does not exist succeeds."""
    for rule_id in query.rule_ids:
        state.rules.delete(rule_id)
        state.alarm_states.delete_all(f"{rule_id}/")
    return succeeded()


@cms.operation("DescribeMetricRuleList")
def describe_metric_rule_list(state: CmsState, query: DescribeMetricRuleList) -> Answer:
    """`RuleName` is found within names; the other filters must be met exactly."""
    found = [rule for rule in state.rules.values() if _matches(rule, query)]
    page = found[(query.page - 1) * query.page_size :][: query.page_size]
    # Here, unlike in CloudMonitor's other answers, the code is a number, and the total is not.
    return {
        "Success": True,
        "Code": 200,
        "Total": str(len(found)),
        "Alarms": {"Alarm": [_answer(rule) for rule in page]},
    }


def _check_groups(state: CmsState, query: PutResourceMetricRule) -> None:
    for name in query.groups:
        if state.groups.get(name) is None:
            message = f"ContactGroups of the rule {query.name} names a group that does not exist: {name}."
            raise ApiError("ContactGroupNotExists", message, 404)


def _check_statistics(query: PutResourceMetricRule) -> None:
    levels = query.escalations.by_level().values()
    used = [(query.metric, escalation.statistics) for escalation in levels]
    if query.composite:
        used += [(expression.metric, expression.statistics) for expression in query.composite.expressions]
    for metric, statistics in used:
        known = statistics_of(query.namespace, metric)
        if statistics not in known:
            message = f"{query.namespace} {metric} has no statistic {statistics!r}; it has {', '.join(known)}."
            raise ApiError("ParameterInvalid", message)


def _composite(given: CompositeParameters | None) -> Composite | None:
    if given is None:
        return None
    expressions = [Expression(**expression.model_dump()) for expression in given.expressions]
    return Composite(level=given.level, times=given.times, expressions=expressions, join=given.join, raw=given.raw)


def _switch(state: CmsState, rule_ids: list[str], *, enabled: bool) -> Answer:
    for rule in [state.rule(rule_id) for rule_id in rule_ids]:
        rule.enabled = enabled
        state.rules.put(rule.id, rule)
    return succeeded()


def _matches(rule: AlarmRule, query: DescribeMetricRuleList) -> bool:
    return (
        (query.rule_ids is None or rule.id in query.rule_ids.split(","))
        and (query.name or "") in rule.name
        and query.namespace in (None, rule.namespace)
        and query.metric in (None, rule.metric)
        and query.enabled in (None, rule.enabled)
        and query.alert_state in (None, rule.alert_state)
    )


def _answer(rule: AlarmRule) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "RuleId": rule.id,
        "RuleName": rule.name,
        "Namespace": rule.namespace,
        "MetricName": rule.metric,
        "Resources": rule.resources,
        "Period": str(rule.period_s),
        "ContactGroups": ",".join(rule.contact_groups),
        "SilenceTime": rule.silence_s,
        "EffectiveInterval": rule.effective_interval,
        "NoEffectiveInterval": rule.no_effective_interval,
        "NoDataPolicy": rule.no_data_policy,
        "MailSubject": rule.email_subject,
        "Webhook": rule.webhook,
        "SendOK": rule.send_ok,
        "EnableState": rule.enabled,
        "AlertState": rule.alert_state,
        "GmtCreate": in_ms(rule.created),
        "GmtUpdate": str(in_ms(rule.updated)),
        "Labels": {"Labels": [{"Key": key, "Value": value} for key, value in sorted(rule.labels.items())]},
        "Escalations": {level: _escalation(escalation) for level, escalation in rule.escalations.items()},
    }
    return answer | ({"CompositeExpression": _composite_answer(rule.composite)} if rule.composite else {})


def _escalation(escalation: Escalation) -> dict[str, Any]:
    return {
        "Statistics": escalation.statistics,
        "ComparisonOperator": escalation.comparison,
        "Threshold": escalation.threshold,
        "Times": escalation.times,
    }


def _composite_answer(composite: Composite) -> dict[str, Any]:
    listed = [
        {
            "MetricName": expression.metric,
            "Statistics": expression.statistics,
            "ComparisonOperator": expression.comparison,
            "Threshold": expression.threshold,
            "Period": expression.period_s,
        }
        for expression in composite.expressions
    ]
    given = {"ExpressionListJoin": composite.join, "ExpressionRaw": composite.raw}
    return {
        "Level": composite.level,
        "Times": composite.times,
        "ExpressionList": {"ExpressionList": listed},
        **{name: value for name, value in given.items() if value},
    }
