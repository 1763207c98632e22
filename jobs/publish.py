"""`paistack metrics publish`: what EAS knows of services and CloudMonitor does not, reported to it."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from cloud.cms import cms_client
from cloud.eas import eas_client
from jobs.custom_metrics import Measurement, publish
from jobs.load.measured import measured
from jobs.plan import stack_clock
from jobs.stacks import OpenStack
from planning.series import Sample
from stacks.config import StackConfig
from stacks.plans import ScalingPlan, plan_file, read_plan

if TYPE_CHECKING:
    from alibabacloud_cms20190101.client import Client as CmsClient
    from alibabacloud_eas20210701.client import Client

HOURS_A_DAY = 24
PAGE = 100
LOOKED_BACK = timedelta(minutes=15)


def publish_once(stack: OpenStack) -> str:
    """Reports every service of the settings that is deployed; says of how many. Raises Tea's exceptions."""
    credentials, now = stack.credentials(), stack_clock(stack)
    live, cms = replicas_of(eas_client(stack.target, credentials)), cms_client(stack.target, credentials)
    names = stack.config.service_names(stack.pulumi.name)
    told = [*measurements(stack.config, names, live, now), *_forecast_errors(stack, cms, names, now)]
    publish(cms, told)
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


def forecast_error(plan: ScalingPlan, sample: Sample) -> float | None:
    """By how many percent of what was expected the load was another; None where the plan expected nothing."""
    hours = [hour for hour in plan.expected if hour.at <= sample.at < hour.at + timedelta(hours=1)]
    return abs(sample.qps - hours[-1].qps) / hours[-1].qps * 100 if hours and hours[-1].qps > 0 else None


def _forecast_errors(
    stack: OpenStack, cms: "CmsClient", names: Mapping[str, str], now: datetime
) -> Iterator[Measurement]:
    """Of services that have a plan, by the newest five minutes that CloudMonitor has."""
    for key, name in names.items():
        plan = read_plan(plan_file(stack.config, stack.pulumi.name, key))
        samples = list(measured(cms, name, now - LOOKED_BACK, now)) if plan and plan.expected else []
        error = forecast_error(plan, samples[-1]) if plan and samples else None
        if error is not None:
            yield Measurement("forecast_error_percent", name, round(error, 2), now)


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
