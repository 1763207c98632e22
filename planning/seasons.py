"""Forecasts from earlier days: the same time a day ago, and a mixture of the same time on several days."""

import warnings
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from planning.forecast import LEVELS, Forecast, needs_days
from planning.regression import Spread, lagged
from planning.series import Floats, Series

# What is added before the logarithm, as a share of the highest load: keeps an idle service finite.
_OFFSET = 0.02
_FIT_DAYS = 7
_LEAST_DAYS = 3


@dataclass(frozen=True)
class LogLoad:
    """Loads as logarithms, in which a change of so many percent is the same at any load."""

    values: Floats
    offset: float

    @classmethod
    def of(cls, qps: Floats) -> "LogLoad":
        offset = _OFFSET * float(np.quantile(qps, 0.99)) + 1e-9
        return cls(np.log(qps + offset), offset)

    def to_qps(self, values: Floats) -> Floats:
        return np.maximum(np.exp(np.minimum(values, 50.0)) - self.offset, 0.0)


@dataclass(frozen=True)
class SeasonalNaive:
    """The same time `days` days ago, with the spread of the changes from one such time to the next."""

    days: int = 1

    @property
    def name(self) -> str:
        return "seasonal naive" if self.days == 1 else f"seasonal naive of {self.days} days"

    def forecast(self, history: Series, steps: int) -> Forecast:
        needs_days(history, self.days + 1, self.name)
        load, season = LogLoad.of(history.qps), self.days * history.steps_per_day
        errors = np.quantile(load.values[season:] - load.values[:-season], LEVELS)
        ahead = load.values[-season:][np.arange(steps) % season]
        return Forecast(load.to_qps(ahead[:, None] + errors[None, :]))


@dataclass(frozen=True)
class Seasons:
    """The same time on the last days and a week ago, mixed by weights that fitted best lately.

    Fitted on the logarithm by least squares with weights that are not negative and add up to one. The spread follows
    the time of day: where the mixture missed on the last days, or where the season is steep, it is wide.
    """

    name: str = "seasons"

    def forecast(self, history: Series, steps: int) -> Forecast:
        needs_days(history, _LEAST_DAYS + 1, self.name)
        load, day = LogLoad.of(history.qps), history.steps_per_day
        model = SeasonModel.fit(load.values, day)
        parts: list[Floats] = []
        known = load.values
        while sum(map(len, parts)) < steps:
            parts.append(model.next_day(known))
            known = np.concatenate([known, parts[-1][:, _MEDIAN]])
        return Forecast(load.to_qps(np.concatenate(parts)[:steps]))


_MEDIAN = int(np.flatnonzero(LEVELS == 0.5)[0])


@dataclass(frozen=True)
class SeasonModel:
    """The fitted mixture, in logarithms; it can be applied to newer values than it was fitted on."""

    day: int
    weights: Floats
    spread: Spread

    @classmethod
    def fit(cls, values: Floats, day: int) -> "SeasonModel":
        """From at least four days."""
        weights = _weights(values, day)
        middle = _mixture(_bases(values, day), weights)
        rows = slice(min(_LEAST_DAYS * day, len(values) - day), None)
        error = values - middle
        spread = Spread.fit(error[rows], _sizes(error, middle, day)[rows])
        return cls(day, weights, spread)

    def expected(self, values: Floats) -> Floats:
        """The mixture for each step of `values` and of the day after them; NaN on the first day."""
        longer = np.concatenate([values, np.full(self.day, np.nan)])
        return _mixture(_bases(longer, self.day), self.weights)

    def next_day(self, values: Floats) -> Floats:
        """A day's steps x LEVELS."""
        expected = self.expected(values)
        error = np.concatenate([values, np.full(self.day, np.nan)]) - expected
        return self.spread.around(expected[-self.day :], _sizes(error, expected, self.day)[-self.day :])


def _bases(values: Floats, day: int) -> Floats:
    """For each step: the load one, two, three and seven days ago, and the median of the last seven days."""
    days = np.column_stack([lagged(values, count * day) for count in range(1, 8)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # the first day has nothing before it
        median = np.nanmedian(days, axis=1)
    return np.column_stack([days[:, 0], days[:, 1], days[:, 2], days[:, 6], median])


def _weights(values: Floats, day: int) -> Floats:
    """Of the bases; without a week and a day of history, those that need a week count nothing."""
    bases = _bases(values, day)
    usable = np.array([0, 1, 2, 3, 4] if len(values) >= 8 * day else [0, 1, 2, 4])
    rows = np.arange(max(len(values) - _FIT_DAYS * day, (7 if 3 in usable else 3) * day), len(values))
    weights = np.zeros(bases.shape[1])
    weights[usable] = _shares(bases[rows][:, usable], values[rows])
    return weights


def _shares(bases: Floats, wanted: Floats) -> Floats:
    """The least-squares weights that are not negative and add up to one.

    They are the best among the solutions of every subset of the bases, of which there are few.
    """
    count = bases.shape[1]
    gram, pull = bases.T @ bases, bases.T @ wanted
    best, least = np.full(count, 1 / count), np.inf
    for size in range(1, count + 1):
        for chosen in map(list, combinations(range(count), size)):
            system = np.ones((size + 1, size + 1))
            system[:size, :size], system[size, size] = gram[np.ix_(chosen, chosen)] + 1e-9 * np.eye(size), 0.0
            found = np.linalg.solve(system, np.append(pull[chosen], 1.0))[:size]
            weights = np.zeros(count)
            weights[chosen] = found
            error = float(weights @ gram @ weights - 2 * weights @ pull)
            if (found >= 0).all() and error < least:
                best, least = weights, error
    return best


def _mixture(bases: Floats, weights: Floats) -> Floats:
    """Where a base is not known, the median stands for it."""
    whole = np.where(np.isnan(bases), bases[:, -1:], bases)
    return np.asarray(whole @ weights)


def _sizes(error: Floats, middle: Floats, day: int) -> Floats:
    """What tells how far a step may be missed: errors around its time on earlier days, and how steep the season is."""
    size = np.nan_to_num(np.abs(error))
    around = np.maximum.reduce([np.nan_to_num(lagged(size, shift)) for shift in (-1, 0, 1)])
    earlier = np.nan_to_num(np.column_stack([lagged(around, count * day) for count in (1, 2, 3, 7)]))
    steep = np.maximum(np.abs(middle - lagged(middle, 1)), np.abs(middle - lagged(middle, -1)))
    return np.column_stack([earlier[:, :3].mean(axis=1), earlier.max(axis=1), np.nan_to_num(steep)])
