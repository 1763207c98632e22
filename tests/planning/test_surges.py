"""Short rises: which count, when they may come again, and what stays out."""

import numpy as np
import pytest

from planning.backtest import Rule
from planning.floor import Floor, Outlook
from planning.forecast import LEVELS, Forecast
from planning.load import Load
from planning.series import Floats, Series
from planning.surges import Surges, peak_of
from tests.planning.loads import START, daily

DAY = 288


def with_surge(qps: float, *, day: int, block: int, lasts: int = 1) -> Series:
    """Ten days of 100 requests per second, but for one rise."""
    load = np.full(10 * DAY, 100.0)
    load[day * DAY + block : day * DAY + block + lasts] = qps
    return Series(START, 300, load)


def test_a_surge_may_come_an_hour_earlier_or_later_and_half_as_high_again() -> None:
    heights = Surges.of(with_surge(180, day=8, block=100)).heights

    assert np.flatnonzero(heights).tolist() == [*range(88, 113)]
    assert heights[88:113].tolist() == pytest.approx([1.5 * 80] * 25)


def test_near_midnight_it_may_come_on_the_other_day() -> None:
    heights = Surges.of(with_surge(180, day=8, block=2)).heights

    assert np.flatnonzero(heights).tolist() == [*range(15), *range(278, 288)]


@pytest.mark.parametrize(
    "calm",
    [
        pytest.param(with_surge(180, day=2, block=100), id="more than a week ago"),
        pytest.param(with_surge(109, day=8, block=100), id="less than a tenth of the peak"),
        pytest.param(with_surge(300, day=8, block=100, lasts=9), id="most of an hour: load, that the season has"),
        pytest.param(daily(10), id="a jump of every morning"),
    ],
)
def test_what_is_no_surge(calm: Series) -> None:
    assert not Surges.of(calm).heights.any()


def test_blocks_ahead_begin_at_the_end_of_the_history() -> None:
    surges = Surges.of(with_surge(180, day=8, block=100).before(9 * DAY + 96))

    assert surges.ahead(6).tolist() == pytest.approx([120.0] * 6)
    assert surges.ahead(20, skipped=6).nonzero()[0].tolist() == [*range(11)]
    assert surges.ahead(2 * DAY)[DAY:].tolist() == surges.ahead(DAY).tolist()


def outlook(median: float, surge: float, peak: float) -> Outlook:
    spread = np.interp(LEVELS, [0, 0.5, 1], [0.9, 1.0, 1.1])
    return Outlook(Forecast(median * spread[None, :]), np.array([surge]), peak, Rule(capacity=10.0, least=2, most=30))


@pytest.mark.parametrize(
    ("floor", "needed"),
    [
        (Floor(), 2),
        (Floor(surges=1.0), 15),
        (Floor(surges=0.5), 13),
        (Floor(margin=0.3), 16),
        (Floor(surges=1.0, margin=0.3), 16),
        (Floor(margin=9.0), 30),
        (Floor(weight=1.0), 11),
        (Floor(weight=1.0, surges=0.5), 13),
    ],
)
def test_a_floor_is_the_highest_of_what_it_makes_sure_of(floor: Floor, needed: int) -> None:
    """100 requests per second are expected, 110 at most; a surge is up to 50, and the peak is 200."""
    assert floor.needed(outlook(100.0, 50.0, 200.0), price=1000.0).tolist() == [needed]


def test_the_peak_is_hardly_ever_exceeded() -> None:
    assert peak_of(Series(START, 300, np.arange(101.0))) == pytest.approx(99.0)


def silent(days: int, blocks: slice, of_days: range) -> Floats:
    load = np.full(days * DAY, 50.0)
    for day in of_days:
        load[day * DAY :][blocks] = 0.0
    return load


def test_silence_of_a_service_that_is_otherwise_busy_is_replayed_and_not_forecast() -> None:
    load = Load.of(Series(START, 300, silent(9, slice(100, 120), range(8, 9))))

    assert load.blocks.qps.tolist() == [50.0] * (9 * DAY)
    assert (load.ticks == 0).sum() == 20 * 5


def test_nights_without_load_stay_without() -> None:
    qps = silent(9, slice(0, 60), range(9))

    assert Load.of(Series(START, 300, qps)).blocks.qps.tolist() == qps.tolist()


def test_a_service_that_has_stopped_is_idle_for_good_after_four_days() -> None:
    qps = silent(12, slice(0, DAY), range(4, 12))

    blocks = Load.of(Series(START, 300, qps)).blocks.qps.reshape(12, DAY)

    assert blocks.mean(axis=1).tolist() == [50.0] * 8 + [0.0] * 4
