"""NoDataAlarm: an alarm of CloudMonitor for values that do not come, which the alicloud provider cannot declare."""

import json
from typing import Any

from pulumi import Input, ResourceOptions
from pulumi.dynamic import ConfigureRequest, Resource
from pydantic import Field
from Tea.exceptions import TeaException
from typing_extensions import override

from cloud.cms import cms_client
from providers.base import DeclaredProvider, Found, Immutable, Props, ResourceInputs

PERIOD_S = 60


class NoDataAlarmInputs(ResourceInputs):
    """`contact_groups` get a critical alarm when `metric` of an EAS service had no value for `minutes` in a row. The
    metric must be one that is never below 0: values raise no alarm.

    `rule_name` is the rule's id too.
    """

    rule_name: Immutable[str]
    service_name: str
    metric: str
    statistic: str
    minutes: int = Field(ge=1)
    contact_groups: list[str]
    silence_s: int = Field(ge=300, le=86_400)
    webhook: str


class NoDataAlarmProvider(DeclaredProvider[NoDataAlarmInputs]):
    inputs = NoDataAlarmInputs
    gone = frozenset({"ResourceNotFound"})

    @override
    def configure(self, req: ConfigureRequest) -> None:
        super().configure(req)
        self.cms = cms_client(self.target, self.credentials)

    @override
    def make(self, wanted: NoDataAlarmInputs) -> tuple[str, Props]:
        self._put(wanted)
        return wanted.rule_name, {}

    @override
    def find(self, id_: str, known: NoDataAlarmInputs, outputs: Props) -> Found[NoDataAlarmInputs]:
        from alibabacloud_cms20190101.models import DescribeMetricRuleListRequest

        answer = self.cms.describe_metric_rule_list(DescribeMetricRuleListRequest(rule_ids=id_)).body
        if not answer.alarms.alarm:
            raise TeaException({"code": "ResourceNotFound", "message": f"there is no rule {id_}"})
        (live,) = answer.alarms.alarm
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
    def change(self, id_: str, before: NoDataAlarmInputs, wanted: NoDataAlarmInputs) -> Props:
        self._put(wanted)
        return {}

    @override
    def remove(self, id_: str, known: NoDataAlarmInputs) -> None:
        from alibabacloud_cms20190101.models import DeleteMetricRulesRequest

        self.cms.delete_metric_rules(DeleteMetricRulesRequest(id=[id_]))

    def _put(self, wanted: NoDataAlarmInputs) -> None:
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
