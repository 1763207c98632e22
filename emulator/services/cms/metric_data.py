"""What was measured, as the DescribeMetric operations tell it."""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.cms.catalogue import CUSTOM_PREFIX, EAS, METRICS, PERIODS, statistics_of
from emulator.services.cms.points import MINUTE_S, Point
from emulator.services.cms.service import cms, succeeded
from emulator.services.cms.state import CmsState
from emulator.services.cms.times import Moment

LONGEST_RANGE_S = 31 * 86_400
_RESOURCES = TypeAdapter(list[dict[str, str]])


def _resources(value: Any) -> Any:
    """One resource as an object, or up to 50 in a list, as JSON."""
    try:
        given = json.loads(value) if isinstance(value, str) else value
        resources = _RESOURCES.validate_python([given] if isinstance(given, dict) else given)
    except (ValueError, ValidationError, RecursionError):
        raise ValueError('must be JSON like [{"serviceName": "resnet"}]') from None
    if len(resources) > 50:
        raise ValueError(f"at most 50 resources can be asked for at once, found {len(resources)}")
    return resources


class MetricQuery(Parameters):
    namespace: str = Field(alias="Namespace")
    metric: str = Field(alias="MetricName")
    period_s: int = Field(MINUTE_S, alias="Period")
    start: Moment | None = Field(None, alias="StartTime")
    end: Moment | None = Field(None, alias="EndTime")
    resources: Annotated[list[dict[str, str]], BeforeValidator(_resources)] = Field([], alias="Dimensions")


class DescribeMetricList(MetricQuery):
    length: int = Field(1000, alias="Length", ge=1, le=1440)
    next_token: int = Field(0, alias="NextToken", ge=0)


class DescribeMetricData(MetricQuery):
    length: int = Field(1000, alias="Length", ge=1, le=1440)


class DescribeMetricTop(MetricQuery):
    length: int = Field(10, alias="Length", ge=1, le=1440)
    order_by: Literal["Average", "Minimum", "Maximum", "Value"] = Field(alias="Orderby")
    ascending: bool = Field(False, alias="OrderDesc")


@cms.operation("DescribeMetricList")
def describe_metric_list(state: CmsState, call: Call, query: DescribeMetricList) -> Answer:
    """Oldest first; without times of the last hour. `NextToken` is there while more follows."""
    return _paged(query, _found(state, call, query, 3600))


@cms.operation("DescribeMetricLast")
def describe_metric_last(state: CmsState, call: Call, query: DescribeMetricList) -> Answer:
    """The last value of each resource, looked for in at least two hours, of longer periods in two days."""
    span_s = 7200 if query.period_s == MINUTE_S else 2 * 86_400
    start = None if query.start is None else min(query.start, (query.end or call.now.timestamp()) - span_s)
    points = _found(state, call, query.model_copy(update={"start": start}), span_s)
    last = {json.dumps(point.dimensions): point for point in points}
    return _paged(query, list(last.values()))


@cms.operation("DescribeMetricData")
def describe_metric_data(state: CmsState, call: Call, query: DescribeMetricData) -> Answer:
    """Of the last period that is over, or of the last one in the given range."""
    points = _of_last_period(_found(state, call, query, 2 * query.period_s))
    return _answer(query, [_datapoint(query, point) for point in points[: query.length]])


@cms.operation("DescribeMetricTop")
def describe_metric_top(state: CmsState, call: Call, query: DescribeMetricTop) -> Answer:
    """The resources in the order of a statistic in the last period; `OrderDesc` is documented as ascending."""
    points = _of_last_period(_found(state, call, query, 2 * query.period_s))
    points.sort(key=lambda point: point.statistic(query.order_by), reverse=not query.ascending)
    return _answer(
        query,
        [{"order": number, **_datapoint(query, point)} for number, point in enumerate(points[: query.length], start=1)],
    )


def _found(state: CmsState, call: Call, query: MetricQuery, default_span_s: int) -> list[Point]:
    """Only periods that are over have values."""
    _check(state, query)
    end = call.now.timestamp() if query.end is None else query.end
    start = end - default_span_s if query.start is None else query.start
    if not start < end:
        raise ApiError("InvalidParameter.StartTime", "StartTime must be before EndTime.")
    if end - start > LONGEST_RANGE_S:
        raise ApiError("InvalidParameter.StartTime", "StartTime and EndTime must be 31 days apart at most.")
    over = min(end, call.now.timestamp() - MINUTE_S)
    return state.points.find(query.namespace, query.metric, query.resources, start, over, query.period_s)


def _check(state: CmsState, query: MetricQuery) -> None:
    if query.namespace != EAS and not query.namespace.startswith(CUSTOM_PREFIX):
        message = f"The namespace {query.namespace} is not measured; the emulator has {EAS} and {CUSTOM_PREFIX}ACCOUNT."
        raise ApiError("ResourceNotFound", message, 404)
    known = METRICS if query.namespace == EAS else state.points.metrics(query.namespace)
    if query.metric not in known:
        raise ApiError("ResourceNotFound", f"{query.namespace} has no metric {query.metric}.", 404)
    if query.period_s not in PERIODS:
        allowed = ", ".join(map(str, PERIODS))
        raise ApiError(
            "InvalidParameter.Period", f"{query.metric} has the periods {allowed} s, found {query.period_s}."
        )


def _of_last_period(points: list[Point]) -> list[Point]:
    return [point for point in points if point.time == points[-1].time]


def _paged(query: DescribeMetricList, points: Sequence[Point]) -> Answer:
    end = query.next_token + query.length
    answer = _answer(query, [_datapoint(query, point) for point in points[query.next_token : end]])
    return answer | {"Success": True} | ({"NextToken": str(end)} if len(points) > end else {})


def _datapoint(query: MetricQuery, point: Point) -> dict[str, Any]:
    statistics = {name: point.statistic(name) for name in statistics_of(query.namespace, query.metric)}
    return {"timestamp": point.time * 1000, **point.dimensions, **statistics}


def _answer(query: MetricQuery, datapoints: list[dict[str, Any]]) -> Answer:
    answer = succeeded(Period=str(query.period_s), Datapoints=json.dumps(datapoints))
    del answer["Success"]  # only the two paged operations have it
    return answer
