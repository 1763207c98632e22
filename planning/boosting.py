"""Forecasts by gradient-boosted trees on earlier days and the calendar, one model for each of some levels."""

from dataclasses import dataclass

import numpy as np

from planning.forecast import LEVELS, Forecast, needs_days
from planning.regression import lagged
from planning.seasons import LogLoad
from planning.series import Floats, Series

_FITTED = (0.1, 0.5, 0.9, 0.98)
_DAYS = (1, 2, 3, 7)


@dataclass(frozen=True)
class Boosting:
    """scikit-learn's HistGradientBoostingRegressor with quantile loss, on logarithms.

    It learns how a step differs from the same time a day ago, from all but the last day; on that one each level is
    moved to where it should have been (conformal quantile regression). Levels between those that are fitted are on
    lines, those beyond lie further out by the ratios of a normal distribution.
    """

    name: str = "boosting"
    rounds: int = 60
    seed: int = 1

    def forecast(self, history: Series, steps: int) -> Forecast:
        needs_days(history, 4, self.name)
        from sklearn.ensemble import HistGradientBoostingRegressor
        from threadpoolctl import threadpool_limits

        load, day = LogLoad.of(history.qps), history.steps_per_day
        longer = np.concatenate([load.values, np.full(day, np.nan)])
        features, yesterday = _features(longer, day), lagged(longer, day)
        known = len(load.values)
        rows, last, ahead = slice(2 * day, known - day), slice(known - day, known), slice(known, None)
        columns: list[Floats] = []
        for level in _FITTED:
            model = HistGradientBoostingRegressor(
                loss="quantile", quantile=level, max_iter=self.rounds, max_leaf_nodes=15, random_state=self.seed
            )
            with threadpool_limits(limits=1):  # on few cores its threads mostly wait for each other
                model.fit(features[rows], (longer - yesterday)[rows])
                moved = float(np.quantile((longer - yesterday)[last] - model.predict(features[last]), level))
                columns.append(model.predict(features[ahead]) + yesterday[ahead] + moved)
        fitted = np.maximum.accumulate(np.column_stack(columns), axis=1)
        every = _at_levels(fitted)
        return Forecast(load.to_qps(every[np.arange(steps) % day]))


def _features(values: Floats, day: int) -> Floats:
    """Values around the same time on earlier days, the level of the last day, and the time of day."""
    place = np.arange(len(values))
    known = [count for count in _DAYS if (count + 2) * day <= len(values)]
    same = [lagged(values, count * day + shift) for count in known for shift in (-2, -1, 0, 1, 2)]
    since_start = np.concatenate([[0.0], np.nancumsum(values)])
    begin = np.maximum(place - 2 * day, 0)
    level = (since_start[np.maximum(place - day, 0)] - since_start[begin]) / day
    angle = 2 * np.pi * (place % day) / day
    return np.column_stack([*same, level, np.sin(angle), np.cos(angle), place // day % 7])


def _at_levels(fitted: Floats) -> Floats:
    """Steps x LEVELS from steps x the fitted levels."""
    middle, top = fitted[:, _FITTED.index(0.5)], fitted[:, -1]
    low = fitted[:, 0]
    # Standard normal quantiles of 0.02, 0.1, and of those above 0.98, the highest taken at 0.9995.
    beyond = {0.02: 2.054 / 1.282, 0.99: 2.326 / 2.054, 0.995: 2.576 / 2.054, 0.998: 2.878 / 2.054, 1.0: 3.291 / 2.054}
    columns = [
        middle + ((low if level < 0.5 else top) - middle) * beyond[level]
        if level in beyond
        else np.array([np.interp(level, _FITTED, row) for row in fitted])
        for level in LEVELS.tolist()
    ]
    return np.maximum.accumulate(np.column_stack(columns), axis=1)
