"""Cron expressions as EAS takes them: six fields, of which the first is the second.

Fields and characters: https://www.alibabacloud.com/help/en/pai/developer-reference/api-eas-2021-07-01-createservicecronscaler
("Cron expressions"). That only whole days are excluded is documented for the same syntax at
https://www.alibabacloud.com/help/en/cs/user-guide/cronhpa. Parsing is cronsim's.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

_FIELDS = ("second", "minute", "hour", "day-of-month", "month", "day-of-week")
_FIELD = re.compile(r"(?:[0-9]+|[A-Z]{3}|[*/,-])+")

# Any time without a change of the clocks: only the sets of a parsed expression are used.
_ANY_TIME = datetime(2024, 1, 1, tzinfo=UTC)
# Every date of the calendar, each on several days of the week.
_CALENDAR = [date(2024, 1, 1) + timedelta(days=count) for count in range(4 * 365 + 1)]


@dataclass(frozen=True)
class Cron:
    """A parsed expression; its times are those of a clock on a wall."""

    expression: str
    times: frozenset[tuple[int, int, int]]
    """Hour, minute and second."""
    _days: CronSim

    @classmethod
    def parse(cls, expression: str) -> Self:
        """ValueError with what is wrong and how it would be right."""
        fields = expression.upper().split()
        if len(fields) == 5 and _parses(["0", *fields]):
            raise ValueError(f"EAS has six fields, and the second comes first: write '0 {' '.join(fields)}'")
        if len(fields) != 6:
            raise ValueError(f"a cron expression has six fields: {', '.join(_FIELDS)}")
        _check_characters(fields)
        try:
            days = CronSim(" ".join(fields), _ANY_TIME)
        except CronSimError as error:
            raise ValueError(_told(error, fields)) from None
        return cls(" ".join(fields), frozenset(product(days.hours, days.minutes, days.seconds)), days)

    def falls_on(self, day: date) -> bool:
        """Whether it is due on that day at some time."""
        return day.month in self._days.months and self._days.match_day(day)

    def falls_at(self, moment: datetime) -> bool:
        """Whether it is due at `moment`, by the clock of the zone that `moment` is in."""
        return (moment.hour, moment.minute, moment.second) in self.times and self.falls_on(moment.date())


@dataclass(frozen=True)
class Schedule:
    """When something is due: by whose clock, and without which days of that clock."""

    cron: Cron
    zone: ZoneInfo
    excluded: tuple[Cron, ...] = ()

    @property
    def is_ever_due(self) -> bool:
        """Whether there is a day that is not excluded."""
        return any(self._takes_place_on(day) for day in _CALENDAR)

    def meets(self, other: "Schedule") -> datetime | None:
        """The first moment in four years at which both are due, in this one's zone; None when there is none."""
        rare, frequent = sorted((self, other), key=lambda schedule: len(schedule.cron.times))
        for moment in rare._moments(same_clock=frequent if rare.zone == frequent.zone else None):
            if frequent._is_due(moment.astimezone(frequent.zone)):
                return moment.astimezone(self.zone)
        return None

    def _moments(self, *, same_clock: "Schedule | None") -> Iterator[datetime]:
        """When it is due; of two with the same clock only at the times that both have."""
        times = sorted(self.cron.times & same_clock.cron.times if same_clock else self.cron.times)
        for day in _CALENDAR if times else ():
            if self._takes_place_on(day):
                yield from (datetime(day.year, day.month, day.day, *time, tzinfo=self.zone) for time in times)

    def _is_due(self, moment: datetime) -> bool:
        return self.cron.falls_at(moment) and self._takes_place_on(moment.date())

    def _takes_place_on(self, day: date) -> bool:
        return self.cron.falls_on(day) and not any(excluded.falls_on(day) for excluded in self.excluded)


def checked_schedule(expression: str) -> str:
    """`expression` with single spaces; ValueError when it is not one moment, or several, of some days."""
    cron = Cron.parse(expression)
    second, *rest = cron.expression.split()
    if not second.isdigit():
        raise ValueError(f"it would be due several times a minute, for the same: write '0 {' '.join(rest)}'")
    return cron.expression


def checked_day(expression: str) -> str:
    """`expression` with single spaces; ValueError when it is not some whole days."""
    if match := re.fullmatch(r"(?:\d{4}-)?(\d{1,2})-(\d{1,2})", expression.strip()):
        month, day = match.groups()
        raise ValueError(
            f"a date is a cron expression, and it is every year's: write '* * * {int(day)} {int(month)} *'"
        )
    cron = Cron.parse(expression)
    *time, day, month, weekday = cron.expression.split()
    if time != ["*", "*", "*"]:
        raise ValueError(f"only whole days can be excluded: write '* * * {day} {month} {weekday}'")
    return cron.expression


def checked_zone(name: str) -> str:
    """`name` when it is a time zone of IANA's; ValueError when it is not."""
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("it should be a time zone such as Asia/Shanghai, Europe/Berlin or UTC") from None


def _check_characters(fields: Iterable[str]) -> None:
    for name, field in zip(_FIELDS, fields, strict=True):
        if field == "?":
            raise ValueError(f"EAS has no ? for the {name}; write *")
        if not _FIELD.fullmatch(field):
            raise ValueError(f"the {name} {field!r} is none: EAS takes numbers, names such as MON or JAN, and * / , -")
        if name == "day-of-week" and "7" in re.split(r"[,/-]", field):
            raise ValueError("the day-of-week is 0 (Sunday) to 6, or SUN to SAT")


def _told(error: CronSimError, fields: list[str]) -> str:
    name = str(error).removeprefix("Bad ")
    if name not in _FIELDS:
        return f"it is no cron expression: {error}"
    found = fields[_FIELDS.index(name)]
    if name == "day-of-month" and _parses([*fields[:4], "*", fields[5]]):
        return f"it would never be due: no month {fields[4]} has a day {found}"
    return f"the {name} cannot be {found!r}"


def _parses(fields: list[str]) -> bool:
    try:
        CronSim(" ".join(fields), _ANY_TIME)
    except CronSimError:
        return False
    return True
