"""Which metrics there are."""

import json
from typing import Any

from pydantic import Field

from emulator.operations import Answer, Parameters
from emulator.services.cms.catalogue import DIMENSIONS, EAS, METRICS, PERIODS, Metric
from emulator.services.cms.service import cms, succeeded
from emulator.services.cms.state import CmsState


class DescribeMetricMetaList(Parameters):
    namespace: str | None = Field(None, alias="Namespace")
    metric: str | None = Field(None, alias="MetricName")
    page: int = Field(1, alias="PageNumber", ge=1)
    page_size: int = Field(30, alias="PageSize", ge=1, le=10_000)


@cms.operation("DescribeMetricMetaList")
def describe_metric_meta_list(state: CmsState, query: DescribeMetricMetaList) -> Answer:  # noqa: ARG001 - all know it
    """The metrics of the cloud's own services; custom ones have an operation of their own."""
    found = [
        metric for metric in METRICS.values() if query.namespace in (None, EAS) and query.metric in (None, metric.name)
    ]
    page = found[(query.page - 1) * query.page_size :][: query.page_size]
    return succeeded(TotalCount=str(len(found)), Resources={"Resource": [_answer(metric) for metric in page]})


def _answer(metric: Metric) -> dict[str, Any]:
    return {
        "Namespace": EAS,
        "MetricName": metric.name,
        "Description": metric.description,
        "Unit": metric.unit,
        "Statistics": ",".join(metric.statistics),
        "Periods": ",".join(map(str, PERIODS)),
        "Dimensions": ",".join(DIMENSIONS),
        "Labels": json.dumps([{"name": "minAlertPeriod", "value": str(PERIODS[0])}]),
    }
