"""Every method: a distribution for each step, from the past alone, that holds what comes."""

import numpy as np
import pytest

from planning.arima import Arima
from planning.boosting import Boosting
from planning.forecast import LEVELS, Ensemble, Forecast, ForecastError, Method
from planning.lstm import Lstm
from planning.seasons import SeasonalNaive, Seasons
from planning.series import Series
from tests.planning.loads import START, daily

DAY = 288
QUICK: list[Method] = [SeasonalNaive(), Seasons()]
SLOW: list[Method] = [Boosting(rounds=20), Lstm(rounds=60, hidden=16), Arima()]
ALL = [*QUICK, *SLOW, Ensemble(QUICK)]


def name(method: Method) -> str:
    return method.name


@pytest.mark.parametrize("method", ALL, ids=name)
def test_a_day_that_is_like_the_others_is_forecast(method: Method) -> None:
    series = daily(7, noise=0.05)

    forecast = method.forecast(series.before(6 * DAY), DAY)

    truth = series.qps[-DAY:]
    assert forecast.qps.shape == (DAY, len(LEVELS))
    assert (np.diff(forecast.qps, axis=1) >= 0).all()
    assert np.abs(forecast.median - truth).mean() < 0.25 * truth.mean()
    assert (truth <= forecast.at_level(0.98)).mean() > 0.8


@pytest.mark.parametrize("method", [*QUICK, SLOW[1]], ids=name)
def test_the_same_history_gives_the_same_forecast(method: Method) -> None:
    history = daily(5)

    assert (method.forecast(history, 12).qps == method.forecast(history, 12).qps).all()


@pytest.mark.parametrize("method", [*QUICK, *SLOW], ids=name)
def test_too_little_history_is_refused_with_what_is_needed(method: Method) -> None:
    with pytest.raises(ForecastError, match=r"needs \d days of history, found 1\.5"):
        method.forecast(daily(2).before(432), DAY)


def test_a_week_can_be_forecast_day_by_day() -> None:
    forecast = Seasons().forecast(daily(9), 7 * DAY)

    assert len(forecast) == 7 * DAY
    assert forecast.median[6 * DAY + 120] == pytest.approx(forecast.median[120], rel=0.05)


def test_seasons_takes_the_week_before_where_days_of_the_week_differ() -> None:
    days = [1.0, 1, 1, 1, 1, 3, 3] * 3
    series = Series(
        START, 300, np.concatenate([day * daily(1, noise=0.01, seed=place).qps for place, day in enumerate(days)])
    )

    saturday = Seasons().forecast(series.before(19 * DAY), DAY)

    assert saturday.median == pytest.approx(series.qps[19 * DAY : 20 * DAY], rel=0.3)


def test_chances_are_those_of_the_levels() -> None:
    forecast = Forecast(LEVELS[None] * 100)

    assert forecast.chance_above(np.array([0.0, 50.0, 98.0, 100.0, 101.0]))[0].tolist() == pytest.approx(
        [1.0, 0.5, 0.02, 0.0, 0.0]
    )


def test_the_nearer_forecast_replaces_the_first_steps() -> None:
    near, far = (Forecast(np.full((count, len(LEVELS)), value)) for count, value in ((2, 1.0), (4, 9.0)))

    assert far.after(near).median.tolist() == [1.0, 1.0, 9.0, 9.0]
