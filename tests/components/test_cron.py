"""Cron expressions: which are taken, what is said about others, when they are due, and when two of them meet."""

import re
from datetime import date
from zoneinfo import ZoneInfo

import pytest

from components.cron import Cron, Schedule, checked_day, checked_schedule, checked_zone

SHANGHAI = "Asia/Shanghai"


def schedule(expression: str, zone: str = SHANGHAI, *excluded: str) -> Schedule:
    return Schedule(Cron.parse(expression), ZoneInfo(zone), tuple(Cron.parse(day) for day in excluded))


@pytest.mark.parametrize(
    "expression",
    [
        "0 0 8 * * *",
        "0 15,45 * * * *",
        "30 0 9-17 * * MON-FRI",
        "0 0 0 1 JAN,jul *",
        "0 */10 6 * * 0,6",
        "0 0 8 29 2 *",
        "0 0 8 31 * 5",
    ],
)
def test_what_eas_documents_is_taken(expression: str) -> None:
    assert checked_schedule(expression) == expression.upper()


def test_spaces_between_the_fields_do_not_count() -> None:
    assert checked_schedule("  0 0   8 * * * ") == "0 0 8 * * *"


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("0 8 * * *", "EAS has six fields, and the second comes first: write '0 0 8 * * *'"),
        ("30 22 * * MON-FRI", "write '0 30 22 * * MON-FRI'"),
        (
            "0 0 8 * * * 2026",
            "a cron expression has six fields: second, minute, hour, day-of-month, month, day-of-week",
        ),
        ("@daily", "a cron expression has six fields"),
        ("", "a cron expression has six fields"),
        ("61 8 * * *", "a cron expression has six fields"),
        ("0 60 8 * * *", "the minute cannot be '60'"),
        ("0 0 24 * * *", "the hour cannot be '24'"),
        ("0 0 18-8 * * *", "the hour cannot be '18-8'"),
        ("0 0 8 0 * *", "the day-of-month cannot be '0'"),
        ("0 0 8 * 13 *", "the month cannot be '13'"),
        ("0 0 8 * * FUN", "the day-of-week cannot be 'FUN'"),
        ("0 0 8 * * 7", "the day-of-week is 0 (Sunday) to 6, or SUN to SAT"),
        ("0 0 8 * * 5-7", "the day-of-week is 0 (Sunday) to 6"),
        ("0 0 8 ? * *", "EAS has no ? for the day-of-month; write *"),
        ("0 0 8 L * *", "the day-of-month 'L' is none: EAS takes numbers"),
        ("0 0 8 * * 5#2", "the day-of-week '5#2' is none"),
        ("0 0 */0 * * *", "the hour cannot be '*/0'"),
        ("0 0 8 30 2 *", "it would never be due: no month 2 has a day 30"),
        ("0 0 8 31 APR,JUN *", "it would never be due: no month APR,JUN has a day 31"),
        ("* 0 8 * * *", "it would be due several times a minute, for the same: write '0 0 8 * * *'"),
        ("*/5 * * * * *", "write '0 * * * * *'"),
    ],
)
def test_what_is_wrong_is_told_with_what_would_be_right(expression: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        checked_schedule(expression)


@pytest.mark.parametrize(
    ("day", "problem"),
    [
        ("0 0 8 1 10 *", "only whole days can be excluded: write '* * * 1 10 *'"),
        ("0 0 0 1 10 *", "only whole days can be excluded"),
        ("2026-10-01", "a date is a cron expression, and it is every year's: write '* * * 1 10 *'"),
        ("10-01", "write '* * * 1 10 *'"),
        ("* * 1 10 *", "write '0 * * 1 10 *'"),
        ("* * * 31 2 *", "it would never be due: no month 2 has a day 31"),
    ],
)
def test_a_day_that_cannot_be_excluded_is_told_with_what_can(day: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        checked_day(day)


@pytest.mark.parametrize("day", ["* * * 15 11 *", "* * * * * 6,0"])
def test_whole_days_can_be_excluded(day: str) -> None:
    assert checked_day(day) == day


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../../etc/passwd", "/etc", "GMT+8:00"])
def test_what_is_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="a time zone such as Asia/Shanghai, Europe/Berlin or UTC"):
        checked_zone(name)


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 0 8 * * MON", [date(2026, 3, 2), date(2026, 3, 9)]),
        ("0 0 8 2 3 *", [date(2026, 3, 2)]),
        # Both day fields given: one of them is enough.
        ("0 0 8 4 * 1", [date(2026, 3, 2), date(2026, 3, 4), date(2026, 3, 9)]),
    ],
)
def test_an_expression_falls_on_its_days(expression: str, days: list[date]) -> None:
    cron = Cron.parse(expression)

    assert [day for day in (date(2026, 3, number) for number in range(1, 11)) if cron.falls_on(day)] == days


@pytest.mark.parametrize(
    ("excluded", "due"),
    [
        (("* * * * * 6,0",), True),
        (("* * * * * 1-5",), False),
        (("* * * * * 1,2,3", "* * * * * 4-5"), False),
        (("* * * * 1-11 *",), True),
        (("* * * * * *",), False),
    ],
)
def test_a_schedule_is_never_due_when_all_of_its_days_are_excluded(excluded: tuple[str, ...], due: bool) -> None:
    assert schedule("0 0 8 * * MON-FRI", SHANGHAI, *excluded).is_ever_due is due


def test_a_leap_day_is_a_day_on_which_a_schedule_is_due() -> None:
    assert schedule("0 0 8 29 2 *").is_ever_due


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (schedule("0 0 8 * * *"), schedule("0 0 20 * * *"), None),
        (schedule("0 0 8 * * *"), schedule("0 30 8 * * *"), None),
        (schedule("0 0 8 * * MON-FRI"), schedule("0 0 8 * * SAT,SUN"), None),
        (schedule("0 0 8 * * *"), schedule("0 0 8 1 * *"), "2024-01-01 08:00:00+08:00"),
        (schedule("0 0 8 * * WED"), schedule("0 0 * 29 2 *"), None),
        (schedule("0 0 8 * * THU"), schedule("0 0 * 29 2 *"), "2024-02-29 08:00:00+08:00"),
        # The same moment by two clocks.
        (schedule("0 0 8 * * *"), schedule("0 0 0 * * *", "UTC"), "2024-01-01 08:00:00+08:00"),
        (schedule("0 0 8 * * *"), schedule("0 0 8 * * *", "UTC"), None),
        (schedule("0 30 12 * * *", "Asia/Kolkata"), schedule("0 0 7 * * *", "UTC"), "2024-01-01 12:30:00+05:30"),
        # Only while Berlin has summer time.
        (schedule("0 0 8 * * *", "Europe/Berlin"), schedule("0 0 6 * * *", "UTC"), "2024-03-31 08:00:00+02:00"),
        # A day that is excluded by one of the clocks is one on which they do not meet.
        (schedule("0 0 4 * * MON", SHANGHAI, "* * * * * 0"), schedule("0 0 20 * * *", "UTC", "* * * * * 0"), None),
        (schedule("0 0 8 * * *", SHANGHAI, "* * * * * 1-6"), schedule("0 0 8 * * 1", SHANGHAI, "* * * * * 1-6"), None),
    ],
)
def test_two_schedules_meet_when_both_are_due_at_one_moment(one: Schedule, other: Schedule, meet: str | None) -> None:

    found = one.meets(other)
    assert (str(found) if found else None) == meet
    assert (other.meets(one) is None) == (meet is None)
