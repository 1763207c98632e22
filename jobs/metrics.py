"""`paistack metrics`: whether CloudMonitor has what the alarms of a stack need."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cloud.cms import cms_client
from jobs.custom_metrics import NO_GROUP
from jobs.problem import JobError
from jobs.stacks import OpenStack
from stacks.alarms import UsedMetric, used_metrics

if TYPE_CHECKING:
    from alibabacloud_cms20190101.client import Client

PAGE_SIZE = 100


@dataclass(frozen=True)
class Verified:
    """Of so many rules, what is wrong with those that would never fire, and which wait for a first report."""

    count: int
    problems: list[str]
    unreported: list[str]


def verify(stack: OpenStack) -> Verified:
    """Raises JobError for a stack without alarms, and Tea's exceptions."""
    used = used_metrics(stack.config, stack.pulumi.name)
    if not used:
        raise JobError("the stack has no alarms: add people to monitoring.contacts")
    client = cms_client(stack.target, stack.credentials())
    measured = [metric for metric in used if metric.by is None]
    known = {namespace: metrics_of(client, namespace) for namespace in {metric.namespace for metric in measured}}
    reported = reported_metrics(client)
    return Verified(
        len(used),
        [problem for metric in measured for problem in problems(metric, known[metric.namespace])],
        [
            f"{metric.path}: nothing has reported {metric.metric} of {metric.service_name} yet; `{metric.by}` does"
            for metric in used
            if metric.by is not None and (metric.metric, metric.service_name) not in reported
        ],
    )


def reported_metrics(client: "Client") -> set[tuple[str, str]]:
    """The custom metrics that anybody has reported of a service, with the service's name."""
    from alibabacloud_cms20190101.models import DescribeCustomMetricListRequest

    found: set[tuple[str, str]] = set()
    page = 1
    while True:
        request = DescribeCustomMetricListRequest(group_id=NO_GROUP, page_number=str(page), page_size=str(PAGE_SIZE))
        listed = json.loads(client.describe_custom_metric_list(request).body.result or "{}")
        for metric in listed.get("result", []):
            dimensions = dict(part.split("=", 1) for part in metric["dimension"].split("&") if "=" in part)
            if "service" in dimensions:
                found.add((metric["metricName"], dimensions["service"]))
        if page * PAGE_SIZE >= int(listed.get("size", 0)):
            return found
        page += 1


def metrics_of(client: "Client", namespace: str) -> dict[str, Any]:
    """CloudMonitor's descriptions of the metrics of a namespace, by name."""
    from alibabacloud_cms20190101.models import DescribeMetricMetaListRequest

    found: dict[str, Any] = {}
    page = 1
    while True:
        request = DescribeMetricMetaListRequest(namespace=namespace, page_number=page, page_size=PAGE_SIZE)
        body = client.describe_metric_meta_list(request).body
        resources = body.resources.resource if body.resources else []
        found |= {metric.metric_name: metric for metric in resources or []}
        if not resources or len(found) >= int(body.total_count or 0):
            return found
        page += 1


def problems(used: UsedMetric, known: dict[str, Any]) -> Iterator[str]:
    """Why a rule would never fire, if it would not."""
    metric = known.get(used.metric)
    if metric is None:
        named = f"it has {', '.join(sorted(known))}" if known else "it has none, or the account may not list them"
        yield f"{used.path}: CloudMonitor has no metric {used.metric} in {used.namespace}; {named}"
        return
    if used.statistic not in (statistics := _listed(metric.statistics)):
        yield f"{used.path}: {used.metric} has no statistic {used.statistic}; it has {', '.join(statistics)}"
    if missing := [name for name in used.dimensions if name not in _listed(metric.dimensions)]:
        yield f"{used.path}: {used.metric} has no dimension {missing[0]}; it has {metric.dimensions}"
    periods = [int(period) for period in _listed(metric.periods)]
    if periods and used.period_s not in periods:
        yield f"{used.path}: {used.metric} has no period of {used.period_s} s; it has {metric.periods}"


def _listed(text: str | None) -> Sequence[str]:
    return [part.strip() for part in (text or "").split(",") if part.strip()]
