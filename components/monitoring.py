"""Monitoring: contacts, and the alarms that reach them, of all services of a stack."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import Input, Output, ResourceOptions
from pulumi_alicloud import cms

from components.alarm_config import AlarmSettings, ContactSettings, MonitoringSettings
from components.alarm_rules import NAMESPACE, NO_DATA, PERIOD_S, AlarmRule, CloudLevel, alarm_rules
from components.eas_config import EasServiceSettings
from components.monitoring_config import watched_services
from providers.custom_metric_alarm import CustomMetricAlarm
from providers.event_rule import EventRule
from providers.no_data_alarm import NoDataAlarm

# Of events: SMS, mail and DingTalk, as CloudMonitor numbers it; the phone is for a service without any replica.
EVENT_CONTACT_LEVEL = "3"


class Monitoring(pulumi.ComponentResource):
    """`prefix` makes names that are unique in the account. `service_names` are those in EAS, by the keys of
    `services`."""

    rules: Output[list[str]]
    """The names of all rules."""

    def __init__(
        self,
        name: str,
        settings: MonitoringSettings,
        services: Mapping[str, EasServiceSettings],
        *,
        prefix: str,
        service_names: Mapping[str, Input[str]],
        opts: ResourceOptions | None = None,
    ) -> None:
        watched = watched_services(settings, services)
        declared = {
            **settings.model_dump(mode="json", exclude_none=True),
            "alarms": {key: its.alarms.model_dump(mode="json", exclude_none=True) for key, its in watched.items()},
        }
        super().__init__("paistack:cms:Monitoring", name, declared, opts)
        child = ResourceOptions(parent=self)

        contacts = {
            key: _contact(f"{name}-{key}", f"{prefix}-{key}", its, child) for key, its in settings.contacts.items()
        }
        rules: list[Output[str]] = []
        for key, its in watched.items():
            told = its.alarms.contacts or list(contacts)
            group = cms.AlarmContactGroup(
                f"{key}-on-call",
                alarm_contact_group_name=f"{prefix}-{key}",
                describe=f"Told of alarms of the service {key}",
                contacts=[contacts[contact].alarm_contact_name for contact in told],
                opts=child,
            )
            for rule in alarm_rules(its):
                make = _reported_alarms if rule.by else _alarms
                rules += make(
                    key,
                    f"{prefix}-{key}-{rule.key}",
                    rule,
                    its.alarms,
                    service_name=service_names[key],
                    group=group.alarm_contact_group_name,
                    webhook=settings.webhook,
                    opts=child,
                )
            if its.alarms.no_data_min is not None and its.least_replicas:
                missing = NoDataAlarm(
                    f"{key}-no_data",
                    rule_name=f"{prefix}-{key}-no_data",
                    service_name=service_names[key],
                    metric=NO_DATA.metric,
                    statistic=NO_DATA.statistic,
                    minutes=its.alarms.no_data_min,
                    contact_groups=[group.alarm_contact_group_name],
                    silence_s=its.alarms.silence_min * 60,
                    webhook=settings.webhook or "",
                    opts=child,
                )
                rules.append(missing.id)
            if settings.events:
                _events(
                    key,
                    f"{prefix}-{key}-events",
                    its.alarms,
                    service_name=service_names[key],
                    group=group.alarm_contact_group_name,
                    webhook=settings.webhook,
                    opts=child,
                )

        self.rules = Output.all(*rules)
        self.register_outputs({"rules": self.rules})


def _contact(name: str, contact_name: str, settings: ContactSettings, opts: ResourceOptions) -> cms.AlarmContact:
    return cms.AlarmContact(
        name,
        alarm_contact_name=contact_name,
        describe="A contact of paistack",
        channels_mail=settings.mail,
        channels_sms=settings.sms,
        channels_ding_web_hook=Output.secret(settings.dingtalk.get_secret_value()) if settings.dingtalk else None,
        lang=settings.language,
        opts=ResourceOptions.merge(opts, ResourceOptions(additional_secret_outputs=["channelsDingWebHook"])),
    )


def _alarms(
    key: str,
    rule_name: str,
    rule: AlarmRule,
    settings: AlarmSettings,
    *,
    service_name: Input[str],
    group: Input[str],
    webhook: str | None,
    opts: ResourceOptions,
) -> list[Output[str]]:
    """One with all levels. The resource's name tells them: the provider keeps a level that a program no longer names,
    so that the rule is made anew without it."""
    levels = rule.levels
    alarm = cms.Alarm(
        f"{key}-{rule.key}-{'-'.join(levels).lower()}",
        name=rule_name,
        project=NAMESPACE,
        metric=rule.metric,
        metric_dimensions=Output.json_dumps([{"serviceName": service_name}]),
        period=PERIOD_S,
        escalations_info=cms.AlarmEscalationsInfoArgs(**_escalation(rule, "Info")) if "Info" in levels else None,
        escalations_warn=cms.AlarmEscalationsWarnArgs(**_escalation(rule, "Warn")) if "Warn" in levels else None,
        escalations_critical=(
            cms.AlarmEscalationsCriticalArgs(**_escalation(rule, "Critical")) if "Critical" in levels else None
        ),
        contact_groups=[group],
        effective_interval=rule.effective_interval,
        silence_time=settings.silence_min * 60,
        webhook=webhook,
        opts=opts,
    )
    return [alarm.name]


def _reported_alarms(
    key: str,
    rule_name: str,
    rule: AlarmRule,
    settings: AlarmSettings,
    *,
    service_name: Input[str],
    group: Input[str],
    webhook: str | None,
    opts: ResourceOptions,
) -> list[Output[str]]:
    """One for each level: CloudMonitor's rules on custom metrics have no more."""
    return [
        CustomMetricAlarm(
            f"{key}-{rule.key}-{level.lower()}",
            rule_name=f"{rule_name}-{level.lower()}",
            service_name=service_name,
            metric=rule.metric,
            level=level.upper(),
            statistic=rule.statistic,
            comparison=rule.comparison,
            threshold=threshold,
            minutes=times,
            contact_groups=[group],
            silence_s=settings.silence_min * 60,
            effective_interval=rule.effective_interval,
            webhook=webhook or "",
            opts=opts,
        ).id
        for level, (threshold, times) in rule.levels.items()
    ]


def _events(
    key: str,
    rule_name: str,
    settings: AlarmSettings,
    *,
    service_name: Input[str],
    group: Input[str],
    webhook: str | None,
    opts: ResourceOptions,
) -> None:
    """Events of a service's replicas that are more than information."""
    EventRule(
        f"{key}-events",
        rule_name=rule_name,
        service_name=service_name,
        levels=["WARN", "CRITICAL"],
        contact_group=group,
        contact_level=EVENT_CONTACT_LEVEL,
        silence_s=settings.silence_min * 60,
        webhook=webhook or "",
        opts=opts,
    )


def _escalation(rule: AlarmRule, level: CloudLevel) -> dict[str, Any]:
    threshold, times = rule.levels[level]
    return {
        "statistics": rule.statistic,
        "comparison_operator": rule.comparison,
        "threshold": threshold,
        "times": times,
    }
