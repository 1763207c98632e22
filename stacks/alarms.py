"""The alarm rules of a stack, as its settings say, for commands that look at them before they are made."""

from dataclasses import dataclass

from components.alarm_rules import NAMESPACE, NO_DATA, PERIOD_S, alarm_rules
from components.monitoring_config import watched_services
from stacks.config import StackConfig


@dataclass(frozen=True)
class UsedMetric:
    """What a rule needs CloudMonitor to have: `path` says where its settings stand. `by` is the command that reports a
    custom metric, of the service of that name in EAS."""

    path: str
    namespace: str
    metric: str
    statistic: str
    period_s: int
    dimensions: tuple[str, ...] = ("serviceName",)
    service_name: str = ""
    by: str | None = None


def used_metrics(config: StackConfig, stack: str) -> list[UsedMetric]:
    """Of every rule that the stack of that name makes."""
    used = []
    names, custom = config.service_names(stack), f"acs_customMetric_{config.target.account_id}"
    for key, service in watched_services(config.monitoring, config.services).items():
        at = f"services.{key}.alarms"
        for rule in alarm_rules(service):
            path = f"{at}.rules.{rule.key.removesuffix('_quiet')}"
            if rule.by is None:
                used.append(UsedMetric(path, NAMESPACE, rule.metric, rule.statistic, PERIOD_S))
            else:
                own = (("service",), names[key], rule.by)
                used.append(UsedMetric(path, custom, rule.metric, rule.statistic, PERIOD_S, *own))
        if service.alarms.no_data_min is not None and service.least_replicas:
            used.append(UsedMetric(f"{at}.no_data_min", NAMESPACE, NO_DATA.metric, NO_DATA.statistic, PERIOD_S))
    return list(dict.fromkeys(used))
