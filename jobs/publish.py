"""`paistack metrics publish`: what EAS knows of services and CloudMonitor does not, reported to it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from cloud.cms import cms_client
from cloud.eas import eas_client
from jobs.custom_metrics import Measurement, publish
from jobs.plan import stack_clock
from jobs.stacks import OpenStack
from stacks.config import StackConfig

if TYPE_CHECKING:
    from alibabacloud_eas20210701.client import Client

HOURS_A_DAY = 24
PAGE = 100


def publish_once(stack: OpenStack) -> str:
    """Reports every service of the settings that is deployed; says of how many. Raises Tea's exceptions."""
    credentials = stack.credentials()
    live = replicas_of(eas_client(stack.target, credentials))
    told = list(measurements(stack.config, stack.config.service_names(stack.pulumi.name), live, stack_clock(stack)))
    publish(cms_client(stack.target, credentials), told)
    there = len({each.service for each in told})
    return f"reported {len(told)} values of {there} services; {len(stack.config.services) - there} are not deployed"


def measurements(
    config: StackConfig, names: Mapping[str, str], live: Mapping[str, tuple[int, int]], at: datetime
) -> Iterator[Measurement]:
    """`live` are the ready and the wanted replicas by the services' names in EAS.

    Every wanted replica costs, ready or not: EAS bills an instance from its creation on.
    """
    for key, name in names.items():
        if name not in live:
            continue
        ready, wanted = live[name]
        yield Measurement("ready_replicas", name, ready, at)
        yield Measurement("missing_replicas", name, max(0, wanted - ready), at)
        price = config.services[key].billing.price_cny_per_replica_hour
        if price is not None:
            yield Measurement("cost_cny_per_day", name, round(wanted * price * HOURS_A_DAY, 2), at)


def replicas_of(client: "Client") -> dict[str, tuple[int, int]]:
    """The ready and the wanted replicas of the account's services, by name."""
    from alibabacloud_eas20210701.models import ListServicesRequest

    found: dict[str, tuple[int, int]] = {}
    page = 1
    while True:
        body = client.list_services(ListServicesRequest(page_number=page, page_size=PAGE)).body
        for service in body.services or []:
            found[service.service_name] = (service.running_instance or 0, service.total_instance or 0)
        if page * PAGE >= (body.total_count or 0):
            return found
        page += 1
