"""CustomMetricAlarm: an alarm of CloudMonitor on a custom metric, which the alicloud provider cannot declare."""

import json
from typing import Any, Literal

from pulumi import Input, ResourceOptions
from pulumi.dynamic import Resource
from pydantic import Field
from typing_extensions import override

from providers.base import Found, Props
from providers.cms_live import PERIOD_S, CmsProvider, RuleInputs

NO_GROUP = "0"
# DescribeMetricRuleList has its own words for what PutCustomMetricRule has in signs.
_COMPARISONS = {">": "GreaterThanThreshold", "<": "LessThanThreshold"}


class CustomMetricAlarmInputs(RuleInputs):
    """`contact_groups` get an alarm of `level` when `metric`, reported with the dimension `service`, was `comparison`
    `threshold` in so many minutes in a row.

    PutCustomMetricRule knows one level for each rule.
    """

    service_name: str
    metric: str
    level: Literal["CRITICAL", "WARN", "INFO"]
    statistic: str
    comparison: Literal[">", "<"]
    threshold: str
    minutes: int = Field(ge=1)
    contact_groups: list[str]
    silence_s: int = Field(ge=300, le=86_400)
    effective_interval: str
    webhook: str


class CustomMetricAlarmProvider(CmsProvider[CustomMetricAlarmInputs]):
    inputs = CustomMetricAlarmInputs

    @override
    def find(self, id_: str, known: CustomMetricAlarmInputs, outputs: Props) -> Found[CustomMetricAlarmInputs]:
        live = self.alarm_rule(id_)
        level, escalation = _level(live.escalations)
        seen: dict[str, Any] = {
            "service_name": _service(live.resources),
            "metric": live.metric_name,
            "level": level or known.level,
            "statistic": escalation.statistics if escalation else "",
            "comparison": _sign(escalation.comparison_operator) if escalation else known.comparison,
            "threshold": escalation.threshold if escalation else "",
            "minutes": int(escalation.times) if escalation else 1,
            "contact_groups": live.contact_groups.split(","),
            "silence_s": int(live.silence_time),
            "effective_interval": live.effective_interval,
            "webhook": live.webhook or "",
        }
        return Found(known.model_copy(update=seen), {})

    @override
    def put(self, wanted: CustomMetricAlarmInputs) -> None:
        from alibabacloud_cms20190101.models import PutCustomMetricRuleRequest

        self.cms.put_custom_metric_rule(
            PutCustomMetricRuleRequest(
                rule_id=wanted.rule_name,
                rule_name=wanted.rule_name,
                group_id=NO_GROUP,
                metric_name=wanted.metric,
                resources=json.dumps([{"groupId": int(NO_GROUP), "dimension": f"service={wanted.service_name}"}]),
                level=wanted.level,
                statistics=wanted.statistic,
                comparison_operator=wanted.comparison,
                threshold=wanted.threshold,
                evaluation_count=wanted.minutes,
                period=str(PERIOD_S),
                contact_groups=",".join(wanted.contact_groups),
                silence_time=wanted.silence_s,
                effective_interval=wanted.effective_interval,
                webhook=wanted.webhook or None,
            )
        )


class CustomMetricAlarm(Resource, module="cms", name="CustomMetricAlarm"):
    def __init__(
        self,
        name: str,
        *,
        rule_name: Input[str],
        service_name: Input[str],
        metric: Input[str],
        level: Input[str],
        statistic: Input[str],
        comparison: Input[str],
        threshold: Input[str],
        minutes: Input[int],
        contact_groups: Input[list[Input[str]]],
        silence_s: Input[int],
        effective_interval: Input[str],
        webhook: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "rule_name": rule_name,
            "service_name": service_name,
            "metric": metric,
            "level": level,
            "statistic": statistic,
            "comparison": comparison,
            "threshold": threshold,
            "minutes": minutes,
            "contact_groups": contact_groups,
            "silence_s": silence_s,
            "effective_interval": effective_interval,
            "webhook": webhook,
        }
        super().__init__(CustomMetricAlarmProvider(), name, props, opts)


def _level(escalations: Any) -> tuple[str, Any]:
    """The one level that the rule has; of a rule that has none, nothing."""
    for name in ("critical", "warn", "info"):
        found = getattr(escalations, name, None)
        if found is not None and found.times is not None:
            return name.upper(), found
    return "", None


def _sign(comparison: str) -> str:
    return next((sign for sign, name in _COMPARISONS.items() if comparison in (name, sign)), comparison)


def _service(resources: str | None) -> str:
    """The service of the only resource; somebody else's form of it is drift."""
    named: list[dict[str, Any]] = json.loads(resources or "[]")
    dimension = str(named[0].get("dimension", "")) if len(named) == 1 else ""
    return dimension.removeprefix("service=") if dimension.startswith("service=") else dimension
