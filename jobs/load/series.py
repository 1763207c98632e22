"""The load of a service of a stack as a series to plan by: what is kept of it and what CloudMonitor has."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from itertools import groupby

from rich.table import Table

from cloud.cms import cms_client
from cloud.oss import oss_bucket
from jobs.load.kept import KeptDays, joined
from jobs.load.measured import PERIOD_S, measured
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
    """Of so many days until now. Raises Tea's exceptions and JobError."""
    name = stack.config.service_names(stack.pulumi.name)[service]
    client, kept = cms_client(stack.target, stack.credentials()), kept_days(stack, service)
    with asking_oss(kept.bucket.bucket_name):
        return joined(kept, client, name, now - timedelta(days=days), now)


def series_of(samples: list[Sample], service_name: str) -> tuple[Series, Repairs]:
    """As equal steps from the first value on, and what was mended. Raises JobError."""
    begun = next((place for place, sample in enumerate(samples) if not math.isnan(sample.qps)), 0)
    try:
        return regular(samples[begun:], PERIOD_S)
    except SeriesError as error:
        raise JobError(f"CloudMonitor has no load of {service_name} to plan by: {error}") from None


def table_of(samples: list[Sample]) -> Table:
    """The load by the day of UTC: what was measured, its mean and its highest five minutes."""
    table = Table("day")
    for title in ("measured", "mean qps", "highest qps"):
        table.add_column(title, justify="right")
    for day, its in groupby(samples, key=_day_of):
        values = [sample.qps for sample in its if not math.isnan(sample.qps)]
        share = len(values) * PERIOD_S / 86_400
        mean, most = (f"{sum(values) / len(values):.1f}", f"{max(values):.1f}") if values else ("", "")
        table.add_row(day.isoformat(), f"{share:.0%}", mean, most)
    return table


@contextmanager
def asking_oss(bucket: str) -> Iterator[None]:
    """JobError for what OSS answers instead."""
    import oss2

    try:
        yield
    except oss2.exceptions.OssError as error:
        raise JobError(f"oss://{bucket}: {told(error)}") from None


def told(error: Exception) -> str:
    """What OSS or an OpenAPI product answered, or why nothing, in a line."""
    code, message = getattr(error, "code", None), getattr(error, "message", None)
    if code and message:
        return f"{code}: {message}"
    return " ".join(str(getattr(error, "body", None) or error or type(error).__name__).split())


class LoadFeed:
    """The newest load of a service, of which each look asks only for what is new."""

    def __init__(self, stack: OpenStack, service: str, days: float) -> None:
        self._stack, self._service, self._days = stack, service, days
        self._samples: dict[datetime, Sample] = {}

    @property
    def newest(self) -> datetime | None:
        """When the newest five minutes with a value were over."""
        known = [at for at, sample in self._samples.items() if not math.isnan(sample.qps)]
        return max(known) + timedelta(seconds=PERIOD_S) if known else None

    @property
    def samples(self) -> list[Sample]:
        return [self._samples[at] for at in sorted(self._samples)]

    def look(self, now: datetime) -> None:
        """Asks for what came since the last look, and an hour before: values may come late. Raises as `samples_of`."""
        name = self._stack.config.service_names(self._stack.pulumi.name)[self._service]
        newest = self.newest
        if newest is None or now - newest > timedelta(days=1):
            found = samples_of(self._stack, self._service, now, self._days)
        else:
            client = cms_client(self._stack.target, self._stack.credentials())
            found = list(measured(client, name, newest - timedelta(hours=1), now))
        begin = now - timedelta(days=self._days)
        self._samples = {at: its for at, its in self._samples.items() if begin <= at <= now}
        self._samples |= _by_time(found)


def _by_time(samples: list[Sample]) -> dict[datetime, Sample]:
    """One for each moment: the mean where there are several."""
    found: dict[datetime, list[float]] = {}
    for sample in samples:
        found.setdefault(sample.at, []).append(sample.qps)
    return {at: Sample(at, sum(values) / len(values)) for at, values in found.items()}


def _day_of(sample: Sample) -> date:
    return sample.at.date()
