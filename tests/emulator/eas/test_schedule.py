"""Cron expressions: what they match, what they leave out, what is refused."""

from datetime import UTC, datetime

import pytest

from emulator.services.eas.scaling.schedule import check_exclusion, check_schedule, occurrences

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)


def times(expression: str, until: datetime, zone: str = "UTC", excluded: tuple[str, ...] = ()) -> list[str]:
    return [f"{time:%m-%d %H:%M:%S}" for time, _ in occurrences([(expression, zone)], excluded, MONDAY, until)]


@pytest.mark.parametrize(
    ("expression", "until", "expected"),
    [
        ("0 0 * * * *", MONDAY.replace(hour=2), ["03-02 01:00:00", "03-02 02:00:00"]),
        ("*/20 0 0 * * *", MONDAY.replace(hour=1), ["03-02 00:00:20", "03-02 00:00:40"]),
        ("0 15,45 9 * * *", MONDAY.replace(hour=12), ["03-02 09:15:00", "03-02 09:45:00"]),
        ("0 0 9-11 * * *", MONDAY.replace(hour=12), ["03-02 09:00:00", "03-02 10:00:00", "03-02 11:00:00"]),
        ("0 30/10 9 * * *", MONDAY.replace(hour=12), ["03-02 09:30:00", "03-02 09:40:00", "03-02 09:50:00"]),
        ("0 0 8 * * MON,wed", MONDAY.replace(day=5), ["03-02 08:00:00", "03-04 08:00:00"]),
        ("0 0 0 1 * *", MONDAY.replace(month=5), ["04-01 00:00:00", "05-01 00:00:00"]),
        ("0 0 0 1 JAN-APR *", MONDAY.replace(month=7), ["04-01 00:00:00"]),
        ("0 0 8 ? * SUN", MONDAY.replace(day=9), ["03-08 08:00:00"]),
        ("0 0 8 * * 0", MONDAY.replace(day=9), ["03-08 08:00:00"]),
        # Both day fields given: one of them is enough.
        ("0 0 8 4 * 5", MONDAY.replace(day=9), ["03-04 08:00:00", "03-06 08:00:00"]),
        ("0 0 0 31 2 *", MONDAY.replace(year=2027), None),
    ],
)
def test_a_schedule_is_due_at(expression: str, until: datetime, expected: list[str] | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match="day-of-month"):
            check_schedule(expression)
    else:
        assert times(expression, until) == expected


def test_a_schedule_keeps_to_its_own_time_zone() -> None:
    assert times("0 0 8 * * *", MONDAY.replace(day=4), "Asia/Shanghai") == ["03-03 00:00:00", "03-04 00:00:00"]


def test_a_change_of_the_clocks_neither_doubles_nor_loses_an_evening() -> None:
    due = times("0 0 20 * * *", MONDAY.replace(day=31), "Europe/Berlin", ("* * * 1-27 * *",))

    assert due == ["03-28 19:00:00", "03-29 18:00:00", "03-30 18:00:00"]


def test_excluded_days_are_left_out() -> None:
    weekdays = times("0 0 8 * * *", MONDAY.replace(day=10), excluded=("* * * * * 6,0", "* * * 4 3 *"))

    assert weekdays == [f"03-0{day} 08:00:00" for day in (2, 3, 5, 6, 9)]


def test_jobs_of_one_moment_run_as_they_are_listed() -> None:
    jobs = [("0 0 8 * * *", "UTC"), ("0 0 7,8 * * *", "UTC")]

    order = [(time.hour, job) for time, job in occurrences(jobs, (), MONDAY, MONDAY.replace(hour=23))]

    assert order == [(7, 1), (8, 0), (8, 1)]


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("0 8 * * *", "six fields"),
        ("0 0 8 * * * 2026", "six fields"),
        ("60 0 8 * * *", "Bad second"),
        ("0 0 24 * * *", "Bad hour"),
        ("0 0 8 0 * *", "Bad day-of-month"),
        ("0 0 8 * * 7", "are allowed"),
        ("0 0 8 L * *", "are allowed"),
        ("0 0 8 * * 5#2", "are allowed"),
        ("0 0 18-8 * * *", "Bad hour"),
        ("@daily", "six fields"),
        ("0 0 */0 * * *", "Bad hour"),
        ("0 0 8 * FEB-XYZ *", "Bad month"),
        ("", "six fields"),
    ],
)
def test_what_is_not_a_schedule_is_refused(expression: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        check_schedule(expression)


def test_less_than_a_day_cannot_be_excluded() -> None:
    with pytest.raises(ValueError, match="a day or more"):
        check_exclusion("0 0 8 * * *")
