"""A service's load as CloudMonitor has measured it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from planning.series import Sample

if TYPE_CHECKING:
    from alibabacloud_cms20190101.client import Client

NAMESPACE, METRIC, PERIOD_S = "acs_learn", "qps_total", 300
PERIOD = timedelta(seconds=PERIOD_S)
# CloudMonitor keeps values of five minutes for 31 days, and answers for no more at once.
KEPT = timedelta(days=31)


def measured(client: "Client", service_name: str, begin: datetime, now: datetime) -> Iterator[Sample]:
    """Requests per second of each five minutes that began at `begin` or later and are over, the oldest first.

    Raises Tea's exceptions.
    """
    from alibabacloud_cms20190101.models import DescribeMetricListRequest

    # Values from after `start_time` are answered, and not those of that moment.
    after = max(begin, now - KEPT + PERIOD) - timedelta(seconds=1)
    token: str | None = None
    while after < now:
        body = client.describe_metric_list(
            DescribeMetricListRequest(
                namespace=NAMESPACE,
                metric_name=METRIC,
                period=str(PERIOD_S),
                start_time=str(int(after.timestamp() * 1000)),
                end_time=str(int(now.timestamp() * 1000)),
                dimensions=json.dumps([{"serviceName": service_name}]),
                length="1440",
                next_token=token,
            )
        ).body
        for point in json.loads(body.datapoints or "[]"):
            sample = Sample(datetime.fromtimestamp(point["timestamp"] / 1000, UTC), float(point["Average"]))
            if begin <= sample.at <= now - PERIOD:
                yield sample
        token = body.next_token
        if not token:
            return
