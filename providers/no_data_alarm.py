"""NoDataAlarm: an alarm of CloudMonitor for values that do not come, which the alicloud provider cannot declare."""

import json
from typing import Any

from pulumi import Input, ResourceOptions
from pulumi.dynamic import Resource
from pydantic import Field
from typing_extensions import override

from providers.base import Found, Props
from providers.cms_live import PERIOD_S, CmsProvider, RuleInputs


class NoDataAlarmInputs(RuleInputs):
    """`contact_groups` get a critical alarm when `metric` of an EAS service had no value for `minutes` in a row. The
    metric must be one that is never below 0: values raise no alarm.
    """

    service_name: str
    metric: str
    statistic: str
    minutes: int = Field(ge=1)
    contact_groups: list[str]
    silence_s: int = Field(ge=300, le=86_400)
    webhook: str


class NoDataAlarmProvider(CmsProvider[NoDataAlarmInputs]):
    inputs = NoDataAlarmInputs

    @override
    def find(self, id_: str, known: NoDataAlarmInputs, outputs: Props) -> Found[NoDataAlarmInputs]:
        live = self.alarm_rule(id_)
        critical = live.escalations.critical
        resources: list[dict[str, str]] = json.loads(live.resources or "[]")
        seen: dict[str, Any] = {
            "service_name": resources[0].get("serviceName", "") if resources else "",
            "metric": live.metric_name,
            "statistic": critical.statistics if critical else "",
            # Without its policy or its level the rule is as good as switched off.
            "minutes": critical.times if critical and live.no_data_policy == "INSUFFICIENT_DATA" else 1,
            "contact_groups": live.contact_groups.split(","),
            "silence_s": int(live.silence_time),
            "webhook": live.webhook or "",
        }
        return Found(known.model_copy(update=seen), {})

    @override
    def put(self, wanted: NoDataAlarmInputs) -> None:
        from alibabacloud_cms20190101 import models

        never = models.PutResourceMetricRuleRequestEscalationsCritical(
            statistics=wanted.statistic, comparison_operator="LessThanThreshold", threshold="0", times=wanted.minutes
        )
        self.cms.put_resource_metric_rule(
            models.PutResourceMetricRuleRequest(
                rule_id=wanted.rule_name,
                rule_name=wanted.rule_name,
                namespace="acs_learn",
                metric_name=wanted.metric,
                resources=json.dumps([{"serviceName": wanted.service_name}]),
                period=str(PERIOD_S),
                contact_groups=",".join(wanted.contact_groups),
                silence_time=wanted.silence_s,
                webhook=wanted.webhook or None,
                no_data_policy="INSUFFICIENT_DATA",
                escalations=models.PutResourceMetricRuleRequestEscalations(critical=never),
            )
        )


class NoDataAlarm(Resource, module="cms", name="NoDataAlarm"):
    def __init__(
        self,
        name: str,
        *,
        rule_name: Input[str],
        service_name: Input[str],
        metric: Input[str],
        statistic: Input[str],
        minutes: Input[int],
        contact_groups: Input[list[Input[str]]],
        silence_s: Input[int],
        webhook: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "rule_name": rule_name,
            "service_name": service_name,
            "metric": metric,
            "statistic": statistic,
            "minutes": minutes,
            "contact_groups": contact_groups,
            "silence_s": silence_s,
            "webhook": webhook,
        }
        super().__init__(NoDataAlarmProvider(), name, props, opts)
