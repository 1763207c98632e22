"""What the newest minutes change: the load of the next steps from the last ones and the season."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from planning.backtest import Counts
from planning.regression import Linear, Spread, fit_linear, lagged
from planning.seasons import LogLoad, SeasonModel
from planning.series import Floats, Series

# Steps ahead that have a model of their own; those between take the mean of their neighbours' corrections.
AHEAD = (0, 1, 2, 4, 8, 12)
_LAGS = 8
_FIRST_DAYS = 2


@dataclass(frozen=True)
class _Step:
    """The model of one number of steps ahead: what is added to the season, and how far that may miss."""

    ahead: int
    added: Linear
    spread: Spread


@dataclass(frozen=True)
class Correction:
    """Fitted on a history; applied wherever newer values are known."""

    season: SeasonModel
    offset: float
    steps: Mapping[int, _Step]

    @classmethod
    def fit(cls, history: Series, ahead: Sequence[int] = AHEAD) -> "Correction":
        """From at least four days; `ahead` begins with 0, whose errors tell how wide the others are."""
        load = LogLoad.of(history.qps)
        season = SeasonModel.fit(load.values, history.steps_per_day)
        view = _View(load.values, season)
        steps: dict[int, _Step] = {}
        for count in ahead:
            rows = np.arange(_FIRST_DAYS * season.day, len(load.values) - count)
            wanted = load.values[rows + count] - view.expected[rows + count]
            features = view.features(count)
            added = fit_linear(features[rows], wanted, shrink=10.0, robust=True)
            errors = np.zeros(len(view.expected))
            errors[rows] = wanted - added(features[rows])
            first = errors if count == 0 else view.errors_of(steps[0].added)
            spread = Spread.fit(errors[rows], view.sizes(first, count)[rows])
            steps[count] = _Step(count, added, spread)
        return cls(season, load.offset, steps)

    def levels(self, series: Series, origins: Counts, ahead: int) -> Floats:
        """Origins x LEVELS in qps: the load of step `origin + ahead`, of which all before `origin` was known."""
        load = LogLoad(np.log(series.qps + self.offset), self.offset)
        view, step = _View(load.values, self.season), self.steps[ahead]
        rows = origins
        middle = view.expected[rows + ahead] + step.added(view.features(ahead)[rows])
        sizes = view.sizes(view.errors_of(self.steps[0].added), ahead)[rows]
        return load.to_qps(step.spread.around(middle, sizes))

    def next_steps(self, history: Series) -> Floats:
        """The steps after the history x LEVELS in qps, up to the last of those that were fitted."""
        load = LogLoad(np.log(history.qps + self.offset), self.offset)
        view, now = _View(load.values, self.season), len(history)
        counts = sorted(self.steps)
        first = view.errors_of(self.steps[0].added)
        added = np.array(
            [
                step.spread.around(step.added(view.features(count)[now : now + 1]), view.sizes(first, count)[[now]])[0]
                for count, step in sorted(self.steps.items())
            ]
        )
        every = np.arange(counts[-1] + 1)
        smooth = np.column_stack([np.interp(every, counts, column) for column in added.T])
        return load.to_qps(view.expected[now : now + len(every), None] + smooth)


class _View:
    """What is known at each step of a series, and at the step after its end: only earlier values, and the season."""

    def __init__(self, values: Floats, season: SeasonModel) -> None:
        expected = season.expected(values)
        self.values = np.concatenate([values, np.full(season.day, np.nan)])
        self.expected = np.where(np.isnan(expected), values[: season.day].mean(), expected)
        self.day = season.day
        self.away = self.values - self.expected

    def features(self, ahead: int) -> Floats:
        """How far the last steps were from the season, and how the season and earlier days went on from here."""
        lags = [lagged(self.away, 1 + count) for count in range(_LAGS)]
        moves = [
            lagged(of, back - ahead) - lagged(of, back + 1)
            for of, back in ((self.expected, 0), (self.values, self.day), (self.values, 7 * self.day))
        ]
        return np.nan_to_num(np.column_stack([*lags, *moves]))

    def errors_of(self, added: Linear) -> Floats:
        """By how much each step was missed one step ahead."""
        return np.nan_to_num(self.away - added(self.features(0)))

    def sizes(self, errors: Floats, ahead: int) -> Floats:
        """Recent errors at three paces, those around the step's time on earlier days, and the season's own change."""
        size = np.abs(errors)
        before = np.nan_to_num(lagged(size, 1))
        paces = [_fading_mean(before, pace) for pace in (0.5, 0.1, 0.01)]
        around = np.maximum.reduce([np.nan_to_num(lagged(size, shift)) for shift in (-1, 0, 1)])
        earlier = np.nan_to_num(np.column_stack([lagged(around, count * self.day - ahead) for count in (1, 2, 3, 7)]))
        moved = np.abs(np.nan_to_num(lagged(self.expected, -ahead) - lagged(self.expected, 1)))
        return np.column_stack([*paces, earlier[:, :3].mean(axis=1), earlier.max(axis=1), moved])


def _fading_mean(values: Floats, pace: float) -> Floats:
    """The mean of all values so far, each of which counts `1 - pace` of the one after it."""
    reach = int(7 / pace)
    return np.convolve(values, pace * (1 - pace) ** np.arange(reach))[: len(values)]
