"""Cron expressions of six fields: second, minute, hour, day of month, month, day of week."""

import heapq
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

# "The time zone for the scheduled scaling task" has no documented default; the vendor's regions keep this time.
DEFAULT_TIME_ZONE = "Asia/Shanghai"

FIELD = re.compile(r"(?:[0-9]+|[A-Z]{3}|[*/,-])+")


class Occurrence(NamedTuple):
    """A moment at which the job of the number `job` is due; in this order: by time, then as the jobs are listed."""

    time: datetime
    job: int


def check_schedule(expression: str) -> None:
    """ValueError when `expression` is not a schedule.

    Numbers, names (`JAN`, `SUN`), `*`, `/`, `,` and `-` are taken, Sunday is 0, and a day must match both day fields
    unless both are given; then one of the two is enough ("Cron expressions" of CreateServiceCronScaler; the
    implementation that the vendor published, kubernetes-cronhpa-controller, adds `?` for either day field).
    """
    _simulated(expression, datetime(2024, 1, 1, tzinfo=UTC))


def check_exclusion(expression: str) -> None:
    """ValueError when `expression` does not say which days to leave out, as `* * * 15 11 *` does."""
    check_schedule(expression)
    if expression.split()[:3] != ["*", "*", "*"]:
        raise ValueError(f"a day or more is excluded, as in '* * * 15 11 *', found {expression!r}")


def time_zone(name: str) -> ZoneInfo:
    """ValueError for a name that is not in the IANA database."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"a time zone such as {DEFAULT_TIME_ZONE} or UTC is needed, found {name!r}") from None


def occurrences(
    schedules: Sequence[tuple[str, str]], excluded: Sequence[str], after: datetime, until: datetime
) -> Iterator[Occurrence]:
    """Everything that is due later than `after` and not later than `until`, in order.

    `schedules` are pairs of expression and time zone. `excluded` days are days of the schedule's own time zone.
    """
    runs = [_runs(number, *schedule, excluded, after, until) for number, schedule in enumerate(schedules)]
    return heapq.merge(*runs)


def _runs(
    number: int, expression: str, zone: str, excluded: Sequence[str], after: datetime, until: datetime
) -> Iterator[Occurrence]:
    local = after.astimezone(time_zone(zone))
    days_off = [_simulated(day, local) for day in excluded]
    for moment in _simulated(expression, local):
        if moment.astimezone(UTC) > until:
            return
        if not any(day.match_day(moment) and moment.month in day.months for day in days_off):
            yield Occurrence(moment.astimezone(UTC), number)


def _simulated(expression: str, after: datetime) -> CronSim:
    fields = expression.upper().split()
    if len(fields) != 6:
        raise ValueError(
            "a cron expression of six fields (second, minute, hour, day of month, month, day of week) is needed, "
            f"found {expression!r}"
        )
    for position in (3, 5):
        if fields[position] == "?":
            fields[position] = "*"
    if not all(FIELD.fullmatch(field) for field in fields) or "7" in re.split(r"[,/-]", fields[5]):
        raise ValueError(f"numbers, names, * / , and - are allowed in a cron expression, found {expression!r}")
    try:
        return CronSim(" ".join(fields), after)
    except CronSimError as error:
        raise ValueError(f"{error} in the cron expression {expression!r}") from None
