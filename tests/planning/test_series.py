"""A series from samples: what is missing, wrong or doubled."""

from datetime import timedelta

import numpy as np
import pytest

from planning.load import Load
from planning.series import Sample, Series, SeriesError, regular
from tests.planning.loads import START, daily


def samples(values: list[float | None], step_s: int = 300) -> list[Sample]:
    return [
        Sample(START + timedelta(seconds=place * step_s), value)
        for place, value in enumerate(values)
        if value is not None
    ]


def test_a_whole_series_is_left_as_it_is() -> None:
    series, repairs = regular(samples([1.0, 2.0, 3.0]), 300)

    assert series.qps.tolist() == [1.0, 2.0, 3.0]
    assert series.end == START + timedelta(minutes=15)
    assert repairs.told() == ""


def test_a_short_gap_is_filled_by_a_line_and_reported() -> None:
    series, repairs = regular(samples([1.0, None, None, 4.0]), 300)

    assert series.qps.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert repairs.filled == (START + timedelta(minutes=5), START + timedelta(minutes=10))
    assert repairs.told() == "2 missing steps filled"


def test_a_long_gap_is_filled_from_the_days_around_it() -> None:
    whole = daily(3, noise=0)
    missing = range(288 + 8 * 12, 288 + 12 * 12)
    kept: list[float | None] = [None if place in missing else float(qps) for place, qps in enumerate(whole.qps)]

    series, repairs = regular(samples(kept), 300)

    assert series.qps == pytest.approx(whole.qps)
    assert len(repairs.filled) == len(missing)


def test_what_is_no_load_counts_as_missing() -> None:
    series, repairs = regular(samples([1.0, float("nan"), 3.0, -1.0, 5.0]), 300)

    assert series.qps.tolist() == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert len(repairs.filled) == 2


def test_samples_of_the_same_step_are_averaged() -> None:
    doubled = [*samples([1.0, 2.0]), Sample(START + timedelta(seconds=310), 4.0)]

    series, repairs = regular(doubled, 300)

    assert series.qps.tolist() == [1.0, 3.0]
    assert repairs.merged == 1


def test_one_value_that_stands_out_is_replaced_and_two_in_a_row_are_load() -> None:
    values: list[float | None] = [10.0] * 600
    values[100] = 900.0
    values[300] = values[301] = 900.0

    series, repairs = regular(samples(values), 300)

    assert repairs.outliers == (START + timedelta(seconds=100 * 300),)
    assert series.qps[100] == 10.0
    assert series.qps[300] == series.qps[301] == 900.0


@pytest.mark.parametrize(
    ("given", "step_s", "told"),
    [
        ([1.0], 300, "a series has at least two"),
        ([1.0, 2.0], 7000, "has to divide a day"),
        ([-1.0, float("nan")], 300, "no sample has a load"),
        ([1.0, 2.0], 5, "is that the step?"),
    ],
)
def test_samples_that_are_no_series_are_refused(given: list[float | None], step_s: int, told: str) -> None:
    with pytest.raises(SeriesError, match=told.replace("?", r"\?")):
        regular(samples(given), step_s)


def test_planning_sees_the_highest_minute_of_five_up_to_the_last_one() -> None:
    load = Load.of(Series(START, 60, np.arange(13.0)))

    assert load.blocks.qps.tolist() == [7.0, 12.0]
    assert load.end == load.blocks.end == START + timedelta(minutes=13)


def test_steps_of_ten_minutes_become_minutes_on_a_line() -> None:
    load = Load.of(Series(START, 600, np.array([10.0, 20.0])))

    assert load.blocks.qps.tolist() == [10.0, 15.0, 20.0, 20.0]
