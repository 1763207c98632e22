"""What CloudMonitor measured of services: the newest values of all of them, and the course of one.

Names and units of metrics: CloudMonitor's appendix "PAI-EAS inference service"; those of percentiles are not published
(docs/emulator.md), and a metric that an account does not have is left out.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from Tea.exceptions import TeaException

if TYPE_CHECKING:
    from alibabacloud_cms20190101.client import Client

EAS = "acs_learn"
# CloudMonitor answers for so many services at once.
RESOURCES_IN_A_CALL = 50
PAGE = 1440
# An older value is not of now.
FRESH = timedelta(minutes=5)
_CALLS_AT_ONCE = 8
_UNKNOWN = "ResourceNotFound"

_Asked = TypeVar("_Asked")
_Row = TypeVar("_Row")


class Shown(NamedTuple):
    """A metric of CloudMonitor, which of its statistics, and what to divide it by for the unit of the page."""

    metric: str
    statistic: str = "Average"
    divisor: float = 1.0


# By the names that the page has for them.
SHOWN: Mapping[str, Shown] = {
    "qps": Shown("qps_total"),
    "latency_ms": Shown("rt", divisor=1000),
    "latency_p90_ms": Shown("rt_tp90", divisor=1000),
    "latency_p99_ms": Shown("rt_tp99", divisor=1000),
    "ok_percent": Shown("rps_status_2xx_ratio"),
    "client_errors_percent": Shown("rps_status_4xx_ratio"),
    "server_errors_percent": Shown("rps_status_5xx_ratio"),
    "cpu_cores": Shown("cpu_core_usage"),
    "memory_mib": Shown("memory_rss", divisor=2**20),
}
IN_OVERVIEW = ("qps", "latency_ms", "latency_p99_ms", "client_errors_percent", "server_errors_percent", "cpu_cores")

# What jobs report as custom metrics, see jobs/custom_metrics.py.
REPORTED = (
    "ready_replicas", "accuracy_percent", "recall_percent", "f1_percent", "prediction_drift_psi", "input_drift_psi",
    "forecast_error_percent", "cost_cny_per_day",
)  # fmt: skip


@dataclass(frozen=True)
class Range:
    """A stretch of time until now, and the period of the values that are shown of it."""

    span: timedelta
    period_s: int


RANGES: Mapping[str, Range] = {
    "1h": Range(timedelta(hours=1), 60),
    "6h": Range(timedelta(hours=6), 60),
    "1d": Range(timedelta(days=1), 60),
    "7d": Range(timedelta(days=7), 300),
}


def newest(client: "Client", services: Sequence[str], now: datetime) -> dict[str, dict[str, float]]:
    """The newest values of `IN_OVERVIEW`, by the service's name in EAS; those that are not of now are left out."""

    def of(asked: tuple[str, Sequence[str]]) -> Iterator[tuple[str, str, float]]:
        name, some = asked
        shown = SHOWN[name]
        dimensions = [{"serviceName": service} for service in some]
        for point in _last(client, EAS, shown.metric, dimensions):
            if now - FRESH <= _time(point):
                yield point["serviceName"], name, point[shown.statistic] / shown.divisor

    parts = [services[at : at + RESOURCES_IN_A_CALL] for at in range(0, len(services), RESOURCES_IN_A_CALL)]
    found: dict[str, dict[str, float]] = {service: {} for service in services}
    for service, name, value in _all(of, [(name, some) for some in parts for name in IN_OVERVIEW]):
        found.setdefault(service, {})[name] = value
    return found


def course(client: "Client", service: str, range_: Range, now: datetime) -> dict[str, Any]:
    """`times` in seconds since 1970, ascending, at equal distances, and for each name of `SHOWN` as many values, None
    where there is none."""

    def of(name: str) -> Iterator[tuple[str, int, float]]:
        shown = SHOWN[name]
        for point in _points(client, EAS, shown.metric, {"serviceName": service}, range_, now):
            yield name, point["timestamp"] // 1000, point[shown.statistic] / shown.divisor

    return _aligned(list(_all(of, list(SHOWN))), list(SHOWN), range_, now)


def reported(client: "Client", account: str, service: str, range_: Range, now: datetime) -> dict[str, Any]:
    """Custom metrics of a service as a whole: for each name that has values, pairs of seconds since 1970 and value."""

    def of(name: str) -> Iterator[tuple[str, int, float]]:
        dimensions = {"groupId": "0", "service": service}
        for point in _points(client, f"acs_customMetric_{account}", name, dimensions, range_, now):
            if point.keys().isdisjoint(("class", "source", "region", "business")):
                yield name, point["timestamp"] // 1000, point["Average"]

    values: dict[str, list[tuple[int, float]]] = {}
    for name, at, value in _all(of, REPORTED):
        values.setdefault(name, []).append((at, value))
    return values


def _aligned(found: list[tuple[str, int, float]], names: list[str], range_: Range, now: datetime) -> dict[str, Any]:
    period = range_.period_s
    end = int(now.timestamp()) // period * period
    count = int(range_.span.total_seconds()) // period
    first = end - count * period
    values: dict[str, list[float | None]] = {name: [None] * count for name in names}
    for name, at, value in found:
        index = (at - first) // period
        if 0 <= index < count:
            values[name][index] = round(value, 4)
    return {"times": [first + number * period for number in range(count)], "values": values}


def _all(of: Callable[[_Asked], Iterator[_Row]], asked: Sequence[_Asked]) -> Iterator[_Row]:
    """What each is answered with, asked at once."""
    with ThreadPoolExecutor(_CALLS_AT_ONCE) as pool:
        for rows in pool.map(lambda one: list(of(one)), asked):
            yield from rows


def _last(client: "Client", namespace: str, metric: str, dimensions: list[dict[str, str]]) -> list[dict[str, Any]]:
    from alibabacloud_cms20190101.models import DescribeMetricLastRequest

    request = DescribeMetricLastRequest(
        namespace=namespace, metric_name=metric, period="60", dimensions=json.dumps(dimensions), length="1000"
    )
    try:
        return list(json.loads(client.describe_metric_last(request).body.datapoints or "[]"))
    except TeaException as error:
        if error.code == _UNKNOWN:
            return []
        raise


def _points(
    client: "Client", namespace: str, metric: str, dimensions: dict[str, str], range_: Range, now: datetime
) -> Iterator[dict[str, Any]]:
    from alibabacloud_cms20190101.models import DescribeMetricListRequest

    token: str | None = None
    while True:
        request = DescribeMetricListRequest(
            namespace=namespace,
            metric_name=metric,
            period=str(range_.period_s),
            start_time=str(int((now - range_.span).timestamp() * 1000)),
            end_time=str(int(now.timestamp() * 1000)),
            dimensions=json.dumps([dimensions]),
            length=str(PAGE),
            next_token=token,
        )
        try:
            body = client.describe_metric_list(request).body
        except TeaException as error:
            if error.code == _UNKNOWN:
                return
            raise
        yield from json.loads(body.datapoints or "[]")
        token = body.next_token
        if not token:
            return


def _time(point: dict[str, Any]) -> datetime:
    return datetime.fromtimestamp(point["timestamp"] / 1000, UTC)
