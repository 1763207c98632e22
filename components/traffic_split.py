"""The traffic of services that are versions of each other: the address they share, their parts in it, and copies.

The three are made in this order, and services between them (see `stacks.services`), so that no request is lost:

- A service is in the group from its creation on, without traffic. What gives it a part waits until it runs as declared.
- Weights are relative to each other, and those that rise do so before others fall to nothing: at every moment the parts
  are the old ones, or some of the new ones are there already. What is given up only at the end of an update, because it
  is no longer in the settings, is given up later still: Pulumi deletes last.
- A service without a part changes after all of that: neither its leaving the group nor its failing to come up stands
  in the way of moving the traffic elsewhere.
"""

from collections.abc import Mapping

import pulumi
from pulumi import Input, Output, ResourceOptions

from components.eas_service import EasService
from components.traffic_config import ShadowSettings, TrafficSplitSettings
from providers.service_group import ServiceGroup
from providers.service_mirror import ServiceMirror
from providers.service_release import ServiceRelease


class TrafficGroup(pulumi.ComponentResource):
    """What the versions of a service have in common: a group, whose traffic goes by weights."""

    group_name: Output[str]
    endpoint: Output[str]
    """Where requests go, with the token in the header Authorization."""
    token: Output[str]
    """Secret. Not that of any of the services."""

    def __init__(
        self,
        name: str,
        *,
        group_name: str,
        region: str,
        adopt: bool,
        tags: Mapping[str, str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("paistack:eas:TrafficGroup", name, {"group_name": group_name}, opts)
        group = ServiceGroup(
            f"{name}-group",
            cluster_id=region,
            group_name=group_name,
            traffic_mode="customized",
            labels=dict(tags),
            adopt=adopt,
            opts=ResourceOptions(parent=self),
        )
        self.group_name = group.group_name
        self.endpoint = group.internet_endpoint
        self.token = group.access_token
        self.register_outputs({"group_name": self.group_name, "endpoint": self.endpoint, "token": self.token})


class TrafficSplit(pulumi.ComponentResource):
    """The part of each version in the group's traffic.

    `service_names` are those of all versions, by version; `serving` has the services of the versions that get requests.
    The others need not be there yet.
    """

    endpoint: Output[str]
    token: Output[str]
    """Secret."""

    def __init__(
        self,
        name: str,
        settings: TrafficSplitSettings,
        *,
        region: str,
        group: TrafficGroup,
        service_names: Mapping[str, str],
        serving: Mapping[str, EasService],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("paistack:eas:TrafficSplit", name, settings.model_dump(mode="json", exclude_none=True), opts)
        weights = settings.weights()

        def release(version: str, after: list[pulumi.Resource]) -> ServiceRelease:
            return ServiceRelease(
                f"{name}-release-{version}",
                cluster_id=region,
                service_name=service_names[version],
                group_name=group.group_name,
                traffic_state="grouping" if weights[version] else "standalone",
                weight=weights[version],
                adopt=True,  # of services that are ours, whoever released them
                opts=ResourceOptions(parent=self, depends_on=after),
            )

        raised: list[pulumi.Resource] = [
            release(version, [serving[version]]) for version, weight in weights.items() if weight
        ]
        for version, weight in weights.items():
            if not weight:
                release(version, raised)

        self.endpoint = group.endpoint
        self.token = group.token
        self.register_outputs({"endpoint": self.endpoint, "token": self.token})


class ShadowTraffic(pulumi.ComponentResource):
    """Copies of the requests to every version of a split, for a service on trial."""

    def __init__(
        self,
        name: str,
        settings: ShadowSettings,
        *,
        region: str,
        sources: Mapping[str, Input[str]],
        target: Input[str],
        opts: ResourceOptions | None = None,
    ) -> None:
        """`sources` are the versions' services, by version; `target` is the shadow's service."""
        super().__init__("paistack:eas:ShadowTraffic", name, settings.model_dump(mode="json"), opts)
        for version, source in sources.items():
            ServiceMirror(
                f"{name}-mirror-{version}",
                cluster_id=region,
                service_name=source,
                targets=[target],
                percent=settings.percent,
                adopt=True,  # of services that are ours, whoever made it
                opts=ResourceOptions(parent=self),
            )
        self.register_outputs({})
