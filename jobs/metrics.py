"""`paistack metrics`: whether CloudMonitor has what the alarms of a stack need."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cloud.cms import cms_client
from jobs.problem import JobError
from jobs.stacks import OpenStack
from stacks.alarms import UsedMetric, used_metrics

if TYPE_CHECKING:
    from alibabacloud_cms20190101.client import Client

PAGE_SIZE = 100


def verify(stack: OpenStack) -> tuple[int, list[str]]:
    """How many rules were looked at, and what is wrong with those that would never fire."""
    used = used_metrics(stack.config)
    if not used:
        raise JobError("the stack has no alarms: add people to monitoring.contacts")
    client = cms_client(stack.target, stack.credentials())
    known = {namespace: metrics_of(client, namespace) for namespace in {metric.namespace for metric in used}}
    return len(used), [problem for metric in used for problem in problems(metric, known[metric.namespace])]


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
