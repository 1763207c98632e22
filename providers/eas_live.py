"""A service as EAS has it at this moment."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from providers.base import CloudError

if TYPE_CHECKING:
    from alibabacloud_eas20210701.client import Client

GONE = frozenset({"InvalidService.NotFound"})
_SETTLED = ("Running", "Stopped")


@dataclass(frozen=True)
class LiveService:
    """What DescribeService answers, as far as it is used here. The token and the configuration are secrets."""

    name: str
    status: str
    message: str
    running_replicas: int
    replicas: int
    current_version: int
    latest_version: int
    internet_endpoint: str
    intranet_endpoint: str
    access_token: str
    config: dict[str, Any]

    @classmethod
    def describe(cls, client: "Client", cluster_id: str, name: str) -> Self:
        """Raises Tea's exception with a code of `GONE` when there is no such service."""
        from alibabacloud_eas20210701.models import DescribeServiceRequest

        body = client.describe_service(cluster_id, name, DescribeServiceRequest()).body
        return cls(
            name=name,
            status=body.status or "",
            message=body.message or body.reason or "",
            running_replicas=body.running_instance or 0,
            replicas=body.total_instance or 0,
            current_version=body.current_version or 0,
            latest_version=body.latest_version or 0,
            internet_endpoint=body.internet_endpoint or "",
            intranet_endpoint=body.intranet_endpoint or "",
            access_token=body.access_token or "",
            config=json.loads(body.service_config or "{}"),
        )

    @property
    def settled(self) -> bool:
        """It runs, or is stopped, in its newest version."""
        return self.status in _SETTLED and self.current_version == self.latest_version


def await_settled(describe: Callable[[], LiveService], *, timeout_s: float, poll_s: float) -> LiveService:
    """The service once its last update is through; CloudError when EAS gives up or `timeout_s` is over.

    The first look is after `poll_s`, since the status may lag behind an update that was just accepted.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        time.sleep(poll_s)
        live = describe()
        if live.settled:
            return live
        told = f": {live.message}" if live.message else ""
        if live.status == "Failed":
            raise CloudError(f"EAS could not bring up version {live.latest_version} of {live.name}{told}")
        if time.monotonic() > deadline:
            raise CloudError(
                f"waited {timeout_s:.0f} s for {live.name} to run version {live.latest_version}; it is "
                f"{live.status} with {live.running_replicas} of {live.replicas} replicas running{told}. EAS goes on "
                "trying; repair or wait, then run `pulumi up` again, or raise timeouts.update_min of the service"
            )
