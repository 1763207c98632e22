"""The services of a stack and the traffic between them, in the order in which no request is lost."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from pulumi import Output, Resource

from components.eas_service import EasService
from components.traffic_config import services_in_traffic
from components.traffic_split import ShadowTraffic, TrafficGroup, TrafficSplit
from stacks.config import StackConfig, default_name


class MakeService(Protocol):
    """Makes the service of a key in the settings, under `service_name`, as a member of `group`; it changes after
    `change_after`."""

    def __call__(
        self, key: str, *, service_name: str, group: Output[str] | None, change_after: Sequence[Resource]
    ) -> EasService: ...


class Deployed(NamedTuple):
    services: Mapping[str, EasService]
    splits: Mapping[str, TrafficSplit]


def deploy_services(config: StackConfig, stack: str, tags: Mapping[str, str], make: MakeService) -> Deployed:
    """Services with traffic, then their parts in it, then services without; `components/traffic_split.py` says why."""
    region, traffic = config.target.region, config.traffic
    names = config.service_names(stack)
    groups = {
        key: TrafficGroup(
            key, group_name=its.group_name or default_name(key, stack), region=region, adopt=its.adopt, tags=tags
        )
        for key, its in traffic.items()
    }
    group_of = {
        version.service: groups[key].group_name for key, its in traffic.items() for version in its.versions.values()
    }

    def service(key: str, change_after: Sequence[Resource]) -> EasService:
        return make(key, service_name=names[key], group=group_of.get(key), change_after=change_after)

    in_traffic = services_in_traffic(traffic)
    serving = {key: service(key, ()) for key in config.services if key in in_traffic}
    splits = {
        key: TrafficSplit(
            key,
            its,
            region=region,
            group=groups[key],
            service_names={version: names[of.service] for version, of in its.versions.items()},
            serving={version: serving[of.service] for version, of in its.versions.items() if of.service in serving},
        )
        for key, its in traffic.items()
    }
    others = {key: service(key, [*splits.values()]) for key in config.services if key not in in_traffic}

    services = {key: (serving | others)[key] for key in config.services}
    for key, its in traffic.items():
        if its.shadow is not None:
            ShadowTraffic(
                key,
                its.shadow,
                region=region,
                sources={version: services[of.service].service_name for version, of in its.versions.items()},
                target=services[its.shadow.service].service_name,
            )
    return Deployed(services, splits)
