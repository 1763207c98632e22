"""Values that CloudMonitor cannot measure itself, reported to it as custom metrics.

Source: PutCustomMetric of CMS 2019-01-01, at most 21 values a call. They are found again in the namespace
`acs_customMetric_<account>` under the dimensions that they were reported with, and `groupId` 0: no group.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from alibabacloud_cms20190101.client import Client

NO_GROUP = "0"
MOST_IN_A_CALL = 21
_RAW = "0"


@dataclass(frozen=True)
class Measurement:
    """One value of a metric of an EAS service at one moment; `of` tells whose it is within the service, such as
    {"class": "Bag"}. Keys and values have 64 characters at most, the rest is cut off by CloudMonitor."""

    metric: str
    service: str
    value: float
    at: datetime
    of: Mapping[str, str] = field(default_factory=dict)

    @property
    def dimensions(self) -> str:
        return json.dumps({"service": self.service, **self.of})


def publish(client: "Client", measurements: Sequence[Measurement]) -> None:
    """Reports all of them, in as many calls as it takes; raises the SDK's exceptions."""
    from alibabacloud_cms20190101.models import PutCustomMetricRequest, PutCustomMetricRequestMetricList

    for first in range(0, len(measurements), MOST_IN_A_CALL):
        listed = [
            PutCustomMetricRequestMetricList(
                group_id=NO_GROUP,
                metric_name=each.metric,
                dimensions=each.dimensions,
                type=_RAW,
                time=str(round(each.at.timestamp() * 1000)),
                values=json.dumps({"value": each.value}),
            )
            for each in measurements[first : first + MOST_IN_A_CALL]
        ]
        client.put_custom_metric(PutCustomMetricRequest(metric_list=listed))
