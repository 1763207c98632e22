"""The load of a service of a stack as a series to plan by: what is kept of it and what CloudMonitor has."""

import math
from datetime import datetime, timedelta

from cloud.cms import cms_client
from cloud.oss import oss_bucket
from jobs.load.kept import KeptDays, joined
from jobs.load.measured import PERIOD_S
from jobs.problem import JobError
from jobs.stacks import OpenStack
from planning.series import Repairs, Sample, Series, SeriesError, regular

# The choice of a method looks back at sixteen days.
HISTORY_DAYS = 16


def kept_days(stack: OpenStack, service: str) -> KeptDays:
    """What is kept of a service in the stack's bucket."""
    bucket = stack.config.store.bucket_name(stack.pulumi.name, stack.target.account_id)
    return KeptDays(oss_bucket(stack.target, stack.credentials(), bucket), service)


def samples_of(stack: OpenStack, service: str, now: datetime, days: float) -> list[Sample]:
    """Of so many days until now. Raises Tea's and oss2's exceptions, and JobError."""
    name = stack.config.service_names(stack.pulumi.name)[service]
    client = cms_client(stack.target, stack.credentials())
    return joined(kept_days(stack, service), client, name, now - timedelta(days=days), now)


def series_of(samples: list[Sample], service_name: str) -> tuple[Series, Repairs]:
    """As equal steps from the first value on, and what was mended. Raises JobError."""
    begun = next((place for place, sample in enumerate(samples) if not math.isnan(sample.qps)), 0)
    try:
        return regular(samples[begun:], PERIOD_S)
    except SeriesError as error:
        raise JobError(f"CloudMonitor has no load of {service_name} to plan by: {error}") from None
