"""The lower bound of a service's autoscaler, and the replicas that run."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alibabacloud_eas20210701.client import Client


@dataclass(frozen=True)
class LiveFloor:
    """What EAS answers: the bounds of the autoscaler, and how many replicas run."""

    floor: int
    most: int
    replicas: int


class ServiceFloor:
    """Of one service in EAS; calls raise Tea's exceptions."""

    def __init__(self, client: "Client", region: str, service_name: str) -> None:
        self._client, self._service = client, (region, service_name)

    def read(self) -> LiveFloor:
        from alibabacloud_eas20210701.models import DescribeServiceRequest

        live = self._describe()
        running = self._client.describe_service(*self._service, DescribeServiceRequest()).body.running_instance
        return LiveFloor(live.min_replica, live.max_replica, running or 0)

    def move(self, floor: int) -> None:
        """Sets the lower bound, and sends back all else as it is: UpdateServiceAutoScaler replaces the whole."""
        from alibabacloud_eas20210701.models import UpdateServiceAutoScalerRequest

        document = _document(self._describe()) | {"min": floor}
        self._client.update_service_auto_scaler(*self._service, UpdateServiceAutoScalerRequest().from_map(document))

    def _describe(self) -> Any:
        from alibabacloud_eas20210701.models import DescribeServiceAutoScalerRequest

        request = DescribeServiceAutoScalerRequest()
        return self._client.describe_service_auto_scaler(*self._service, request).body


def _document(live: Any) -> dict[str, Any]:
    """What was answered, as UpdateServiceAutoScaler takes it; `Behavior` is documented with and without an envelope."""
    strategies = [
        {"metricName": _metric(each.metric_name), "threshold": each.threshold, "service": each.service}
        for each in live.scale_strategies or []
    ]
    behavior = (live.behavior or {}).get("behavior", live.behavior or {})
    return {"min": live.min_replica, "max": live.max_replica, "scaleStrategies": strategies, "behavior": behavior}


def _metric(answered: str) -> str:
    """EAS documents answers in upper case and requests in lower case, and `gpu` for `gpu[util]`."""
    name = answered.lower()
    return "gpu[util]" if name == "gpu" else name
