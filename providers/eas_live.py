"""A service as EAS has it at this moment, and what the resources around it have in common."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

from cloud.eas import eas_client
from providers.base import CloudError, DeclaredProvider, ResourceInputs, wait_until

if TYPE_CHECKING:
    from alibabacloud_eas20210701.client import Client
    from alibabacloud_eas20210701.models import Service

GONE = frozenset({"InvalidService.NotFound"})
SCALERS_GONE = frozenset({"InvalidAutoScaler.NotFound", "InvalidCronScaler.NotFound"})
_SETTLED = ("Running", "Stopped")
_DOWN = ("Stopping", "Stopped", "Deleting")

Inputs = TypeVar("Inputs", bound=ResourceInputs)


class EasProvider(DeclaredProvider[Inputs]):
    """A provider with a client of EAS. What belongs to a service is gone with it."""

    gone = GONE
    poll_s = 2.0

    @cached_property
    def eas(self) -> "Client":
        """Built when it is first used, which is not in a preview: importing the SDK takes a second."""
        return eas_client(self.target, self.credentials)

    @cached_property
    def eas_once(self) -> "Client":
        """For purchases: what EAS did not answer may have been done, and the next run looks whether it was."""
        return eas_client(self.target, self.credentials, once=True)


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
    group: str
    traffic_state: str
    weight: int
    safety_lock: str
    config: dict[str, Any]

    @classmethod
    def describe(cls, client: "Client", cluster_id: str, name: str) -> Self:
        """Raises Tea's exception with a code of `GONE` when there is no such service."""
        from alibabacloud_eas20210701.models import DescribeServiceRequest

        return cls._of(client.describe_service(cluster_id, name, DescribeServiceRequest()).body)

    @classmethod
    def members(cls, client: "Client", group: str) -> list[Self]:
        """The services of a group in the client's region, without endpoints, which lists do not tell."""
        from alibabacloud_eas20210701.models import ListServicesRequest

        request = ListServicesRequest(group_name=group, page_size=100)
        return [cls._of(service) for service in client.list_services(request).body.services or []]

    @classmethod
    def _of(cls, body: "Service") -> Self:
        return cls(
            name=body.service_name,
            status=body.status or "",
            message=body.message or body.reason or "",
            running_replicas=body.running_instance or 0,
            replicas=body.total_instance or 0,
            current_version=body.current_version or 0,
            latest_version=body.latest_version or 0,
            internet_endpoint=body.internet_endpoint or "",
            intranet_endpoint=body.intranet_endpoint or "",
            access_token=body.access_token or "",
            group=body.service_group or "",
            traffic_state=body.traffic_state or "standalone",
            weight=body.weight or 0,
            safety_lock=body.safety_lock or "none",
            config=json.loads(body.service_config or "{}"),
        )

    def runs(self, version: int) -> bool:
        """It runs, or is stopped, in that version, as far as a rollout lets it, and nothing is under way."""
        return self.status in _SETTLED and self.current_version == version

    @property
    def rolled_back(self) -> bool:
        """It runs a kept version for good, and not its newest one."""
        return self.runs(self.current_version) and self.current_version < self.latest_version

    @property
    def can_answer(self) -> bool:
        """A replica is there, or one would be started by a request, as of a service that was scaled to zero."""
        return self.status not in _DOWN and (self.running_replicas > 0 or self.replicas == 0)

    @property
    def takes_traffic(self) -> bool:
        """It has a share of its group's requests."""
        return self.traffic_state == "grouping" and self.weight > 0


def kept_versions(client: "Client", cluster_id: str, name: str) -> dict[int, dict[str, Any]]:
    """The configurations of a service's newest hundred versions, by number."""
    from alibabacloud_eas20210701.models import ListServiceVersionsRequest

    listed = client.list_service_versions(cluster_id, name, ListServiceVersionsRequest(page_size=100)).body.versions
    return {int(version.image_id): json.loads(version.service_config or "{}") for version in listed or []}


def await_running(
    describe: Callable[[], LiveService], version: Callable[[LiveService], int], *, timeout_s: float, poll_s: float
) -> LiveService:
    """The service once it runs `version`, or is stopped in it; CloudError when EAS gives up or `timeout_s` is over."""

    def settled(live: LiveService) -> bool:
        if live.status == "Failed":
            raise CloudError(f"EAS could not bring up version {version(live)} of {live.name}{_told(live)}")
        return live.runs(version(live))

    return wait_until(
        describe, settled, timeout_s=timeout_s, poll_s=poll_s, late=lambda live: _late(live, version(live))
    )


def _late(live: LiveService, version: int) -> str:
    return (
        f"{live.name} to run version {version}; it is {live.status} with {live.running_replicas} of "
        f"{live.replicas} replicas running{_told(live)}. EAS goes on trying; repair or wait, then run `pulumi up` "
        "again, or raise timeouts.update_min of the service"
    )


def _told(live: LiveService) -> str:
    return f": {live.message}" if live.message else ""
