"""Alarm rules on custom metrics: PutCustomMetricRule, one level for each rule.

What the documentation leaves open, and how it is here: such a rule is listed, switched and deleted like any other, with
its resources as they were given, and it is about every series that has the given dimensions.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, TypeAdapter, ValidationError

from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.cms.alarm_parameters import Interval, Period, Threshold
from emulator.services.cms.catalogue import CUSTOM_PREFIX, statistics_of
from emulator.services.cms.service import cms, succeeded
from emulator.services.cms.state import AlarmRule, CmsState, Escalation, Level

_COMPARISONS = {
    ">=": "GreaterThanOrEqualToThreshold",
    "=": "EqualToThreshold",
    "<=": "LessThanOrEqualToThreshold",
    ">": "GreaterThanThreshold",
    "<": "LessThanThreshold",
    "!=": "NotEqualToThreshold",
}
_LEVELS: dict[str, Level] = {"CRITICAL": "Critical", "WARN": "Warn", "INFO": "Info"}


class _Series(BaseModel):
    """`dimension` is name=value, several joined by &."""

    group_id: int = Field(alias="groupId")
    dimension: str = Field(min_length=1)


_SERIES = TypeAdapter(list[_Series])


def _resources(value: str) -> str:
    try:
        given = _SERIES.validate_json(value)
    except ValidationError as error:
        example = '[{"groupId": 0, "dimension": "service=resnet"}]'
        raise ValueError(f"must be JSON like {example}: {error.errors()[0]['msg']}") from None
    if not given or any("=" not in part for series in given for part in series.dimension.split("&")):
        raise ValueError("must name at least one series, each by name=value")
    return value


class PutCustomMetricRule(Parameters):
    id: str = Field(alias="RuleId", min_length=1)
    name: str | None = Field(None, alias="RuleName", max_length=128)
    group_id: str = Field("0", alias="GroupId")
    metric: str = Field(alias="MetricName", min_length=1)
    resources: Annotated[str, AfterValidator(_resources)] = Field(alias="Resources")
    contact_groups: str = Field(alias="ContactGroups", min_length=1)
    level: Literal["CRITICAL", "WARN", "INFO"] = Field(alias="Level")
    statistics: str = Field(alias="Statistics")
    comparison: Literal[">=", "=", "<=", ">", "<", "!="] = Field(alias="ComparisonOperator")
    threshold: Threshold = Field(alias="Threshold")
    evaluations: int = Field(alias="EvaluationCount", ge=1)
    period_s: Period = Field(60, alias="Period")
    silence_s: int = Field(86_400, alias="SilenceTime", ge=1)
    effective_interval: Interval = Field("00:00-23:59", alias="EffectiveInterval")
    email_subject: str = Field("", alias="EmailSubject")
    webhook: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = Field("", alias="Webhook")


@cms.operation("PutCustomMetricRule")
def put_custom_metric_rule(state: CmsState, call: Call, query: PutCustomMetricRule) -> Answer:
    """Makes a rule or replaces it; whether it is enabled and its state stay."""
    namespace = f"{CUSTOM_PREFIX}{state.account_id}"
    groups = [name.strip() for name in query.contact_groups.split(",")]
    for name in groups:
        if state.groups.get(name) is None:
            message = f"ContactGroups of the rule {query.id} names a group that does not exist: {name}."
            raise ApiError("ContactGroupNotExists", message, 404)
    if query.statistics not in (known := statistics_of(namespace, query.metric)):
        raise ApiError("ParameterInvalid", f"There is no statistic {query.statistics!r}; there are {', '.join(known)}.")
    old = state.rules.get(query.id)
    escalation = Escalation(
        statistics=query.statistics,
        comparison=_COMPARISONS[query.comparison],
        threshold=query.threshold,
        times=query.evaluations,
    )
    rule = AlarmRule(
        id=query.id,
        name=query.name or query.id,
        namespace=namespace,
        metric=query.metric,
        resources=query.resources,
        period_s=query.period_s,
        contact_groups=groups,
        silence_s=query.silence_s,
        effective_interval=query.effective_interval,
        no_effective_interval="",
        no_data_policy="KEEP_LAST_STATE",
        email_subject=query.email_subject,
        webhook=query.webhook,
        send_ok=True,
        labels={},
        escalations={_LEVELS[query.level]: escalation},
        composite=None,
        enabled=old.enabled if old else True,
        alert_state=old.alert_state if old else "OK",
        created=old.created if old else call.now,
        updated=call.now,
        targets=old.targets if old else [],
    )
    state.rules.put(rule.id, rule)
    return succeeded()
