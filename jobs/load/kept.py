"""A service's load beyond what CloudMonitor keeps: a small object for each day in the stack's bucket.

`history/SERVICE/qps-300s/YYYY-MM-DD.csv.gz` has the columns timestamp and qps and a row for each five minutes of a day
of UTC; what was not measured is empty. A day is written once, when it is over, and read by whoever plans.
"""

import csv
import gzip
import io
import math
import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from jobs.load.measured import KEPT, PERIOD, measured
from jobs.problem import JobError
from planning.series import Sample

if TYPE_CHECKING:
    from alibabacloud_cms20190101.client import Client
    from oss2 import Bucket

DAY = timedelta(days=1)
# Values come some minutes after their time.
_SETTLED_AFTER = timedelta(minutes=15)
_KEY = re.compile(r".*/(\d{4}-\d\d-\d\d)\.csv\.gz")
COLUMNS = ("timestamp", "qps")


@dataclass(frozen=True)
class KeptDays:
    """The kept days of one service. Calls raise oss2's exceptions, and JobError without a bucket."""

    bucket: "Bucket"
    service: str

    def days(self) -> list[date]:
        """Those that are kept, in order; none where there is no bucket yet."""
        import oss2

        try:
            keys = [item.key for item in oss2.ObjectIteratorV2(self.bucket, prefix=self._prefix)]
        except oss2.exceptions.NoSuchBucket:
            return []
        return sorted(date.fromisoformat(found[1]) for key in keys if (found := _KEY.fullmatch(key)))

    def read(self, day: date) -> list[Sample]:
        """A row for each five minutes; NaN where nothing was measured."""
        content = self.bucket.get_object(self._key(day)).read()
        try:
            return [_sample(row) for row in csv.DictReader(io.StringIO(gzip.decompress(content).decode()))]
        except (gzip.BadGzipFile, zlib.error, EOFError, KeyError, ValueError, TypeError):
            raise JobError(
                f"oss://{self.bucket.bucket_name}/{self._key(day)} is no load of a day; delete it, and "
                f"`paistack history keep {self.service}` writes it anew if CloudMonitor still has it"
            ) from None

    def write(self, day: date, samples: Iterable[Sample]) -> None:
        """The same bytes for the same values, so that two who write at once do no harm."""
        import oss2

        content = gzip.compress(as_csv(_whole_day(day, samples)).encode(), mtime=0)
        try:
            self.bucket.put_object(self._key(day), content)
        except oss2.exceptions.NoSuchBucket:
            raise JobError(f"the bucket {self.bucket.bucket_name} is not there: `paistack up` makes it") from None

    def _key(self, day: date) -> str:
        return f"{self._prefix}{day.isoformat()}.csv.gz"

    @property
    def _prefix(self) -> str:
        return f"history/{self.service}/qps-300s/"


def keep(kept: KeptDays, client: "Client", service_name: str, now: datetime) -> list[date]:
    """Writes the days that are over and not there yet, as far as CloudMonitor has them; these days.

    What came before the first value is no day of the service. Raises Tea's and oss2's exceptions and JobError.
    """
    there = set(kept.days())
    over = (now - _SETTLED_AFTER).date()
    first = (now - KEPT).date() + DAY  # of which CloudMonitor still has the whole
    missing = [first + number * DAY for number in range((over - first).days) if first + number * DAY not in there]
    if not missing:
        return []
    by_day: dict[date, list[Sample]] = {day: [] for day in missing}
    for sample in measured(client, service_name, midnight(missing[0]), now):
        by_day.get(sample.at.date(), []).append(sample)
    begun = min([*there, *(day for day, samples in by_day.items() if samples)], default=over)
    written = [day for day in missing if day >= begun]
    for day in written:
        kept.write(day, by_day[day])
    return written


def joined(kept: KeptDays, client: "Client", service_name: str, begin: datetime, now: datetime) -> list[Sample]:
    """What was measured from `begin` on: kept days as they are kept, and the others from CloudMonitor."""
    days = [day for day in kept.days() if begin.date() <= day <= now.date()]
    samples = [sample for day in days for sample in kept.read(day) if begin <= sample.at <= now - PERIOD]
    there = set(days)
    first = begin
    while first.date() in there:
        first = midnight(first.date() + DAY)
    fresh = [each for each in measured(client, service_name, first, now) if each.at.date() not in there]
    return sorted([*samples, *fresh], key=lambda sample: sample.at)


def as_csv(samples: Sequence[Sample]) -> str:
    """`timestamp,qps`, as `paistack forecast --history` and `backtest` read it."""
    rows = [f"{each.at.isoformat()},{'' if math.isnan(each.qps) else f'{each.qps:.6g}'}\n" for each in samples]
    return "".join([",".join(COLUMNS), "\n", *rows])


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _whole_day(day: date, samples: Iterable[Sample]) -> list[Sample]:
    """A sample for each five minutes, the mean of several, NaN without any."""
    by_time: dict[datetime, list[float]] = {at: [] for at in _times(day)}
    for sample in samples:
        by_time[midnight(day) + (sample.at - midnight(day)) // PERIOD * PERIOD].append(sample.qps)
    return [Sample(at, sum(found) / len(found) if found else math.nan) for at, found in by_time.items()]


def _times(day: date) -> Iterator[datetime]:
    at = midnight(day)
    while at.date() == day:
        yield at
        at += PERIOD


def _sample(row: dict[str, str]) -> Sample:
    at = datetime.fromisoformat(row["timestamp"])
    if at.tzinfo is None:
        raise ValueError(row["timestamp"])
    return Sample(at, float(row["qps"]) if row["qps"] else math.nan)
