"""A service as EAS has it at this moment, and what the resources around it have in common."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pulumi.dynamic import ConfigureRequest
from typing_extensions import override

from cloud.eas import eas_client
from providers.base import CloudError, DeclaredProvider, ResourceInputs, wait_until

if TYPE_CHECKING:
    from alibabacloud_eas20210701.client import Client

GONE = frozenset({"InvalidService.NotFound"})
SCALERS_GONE = frozenset({"InvalidAutoScaler.NotFound", "InvalidCronScaler.NotFound"})
_SETTLED = ("Running", "Stopped")

Inputs = TypeVar("Inputs", bound=ResourceInputs)


class EasProvider(DeclaredProvider[Inputs]):
    """A provider with a client of EAS. What belongs to a service is gone with it."""

    gone = GONE
    poll_s = 2.0

    @override
    def configure(self, req: ConfigureRequest) -> None:
        super().configure(req)
        self.eas = eas_client(self.target, self.credentials)


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
    """The service once its last update is through; CloudError when EAS gives up or `timeout_s` is over."""

    def settled(live: LiveService) -> bool:
        if live.status == "Failed":
            raise CloudError(f"EAS could not bring up version {live.latest_version} of {live.name}{_told(live)}")
        return live.settled

    return wait_until(describe, settled, timeout_s=timeout_s, poll_s=poll_s, late=_late)


def _late(live: LiveService) -> str:
    return (
        f"{live.name} to run version {live.latest_version}; it is {live.status} with {live.running_replicas} of "
        f"{live.replicas} replicas running{_told(live)}. EAS goes on trying; repair or wait, then run `pulumi up` "
        "again, or raise timeouts.update_min of the service"
    )


def _told(live: LiveService) -> str:
    return f": {live.message}" if live.message else ""
