"""A service's load as a series of equal steps, and what had to be mended to make it one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

DAY_S = 86_400
# Longer gaps than this are filled from the days around them, not by a straight line.
_SHORT_GAP_S = 1_800
# One value alone that is so many times what is around it, and above all but the highest, is an outlier.
_OUTLIER_TIMES = 5.0
_OUTLIER_QUANTILE = 0.995
_OUTLIER_REACH = 3


class SeriesError(ValueError):
    """The samples are no series to plan by; the message says what is wrong and what would do."""


@dataclass(frozen=True)
class Sample:
    at: datetime
    qps: float


@dataclass(frozen=True)
class Series:
    """`qps[i]` is the mean load, in requests per second, of the `step_s` seconds that begin at `start + i * step_s`."""

    start: datetime
    step_s: int
    qps: Floats

    def __len__(self) -> int:
        return len(self.qps)

    @property
    def end(self) -> datetime:
        """The first moment that is not in the series."""
        return self.at(len(self))

    @property
    def steps_per_day(self) -> int:
        return DAY_S // self.step_s

    def at(self, index: int) -> datetime:
        return self.start + timedelta(seconds=index * self.step_s)

    def before(self, index: int) -> "Series":
        """The part that was known at step `index`."""
        return Series(self.start, self.step_s, self.qps[:index])

    def latest(self, steps: int) -> "Series":
        """The last `steps` steps, or all when there are fewer."""
        first = max(0, len(self) - steps)
        return Series(self.at(first), self.step_s, self.qps[first:])


@dataclass(frozen=True)
class Repairs:
    """What was done to the samples; `filled` and `outliers` are moments of steps."""

    filled: tuple[datetime, ...] = ()
    outliers: tuple[datetime, ...] = ()
    merged: int = 0

    def told(self) -> str:
        """In words, for the person who reads the plan; empty when nothing was mended."""
        parts = [
            f"{len(self.filled)} missing steps filled" if self.filled else "",
            f"{len(self.outliers)} outliers replaced" if self.outliers else "",
            f"{self.merged} samples of the same step averaged" if self.merged else "",
        ]
        return ", ".join(part for part in parts if part)


def regular(samples: Sequence[Sample], step_s: int) -> tuple[Series, Repairs]:
    """The samples as a series of `step_s` seconds, which begins with the first of them.

    Several samples of a step are averaged. A step without one, or with a value that is not finite or below zero, is
    filled: by a line across half an hour at most, else with the mean of the same time on the days before and after.
    One step alone that stands out fivefold is replaced by the mean of its neighbours. Raises SeriesError.
    """
    if step_s <= 0 or DAY_S % step_s:
        raise SeriesError(f"the step is {step_s} s: it has to divide a day, as 60, 300 and 600 do")
    if len(samples) < 2:
        raise SeriesError(f"there are {len(samples)} samples: a series has at least two")
    start = min(sample.at for sample in samples)
    places = np.array([round((sample.at - start).total_seconds() / step_s) for sample in samples])
    values = np.array([sample.qps for sample in samples], dtype=float)
    sound = np.isfinite(values) & (values >= 0)
    if not sound.any():
        raise SeriesError("no sample has a load: each is missing or below zero")
    length = int(places.max()) + 1
    if length > 20 * len(samples):
        raise SeriesError(f"{len(samples)} samples spread over {length} steps of {step_s} s: is that the step?")
    count = np.bincount(places[sound], minlength=length)
    total = np.bincount(places[sound], weights=values[sound], minlength=length)
    known = count > 0
    qps = np.where(known, total / np.maximum(count, 1), np.nan)
    series = Series(start, step_s, _filled(qps, known, step_s))
    outliers = _outliers(series.qps)
    mended = series.qps.copy()
    mended[outliers] = (series.qps[outliers - 1] + series.qps[outliers + 1]) / 2
    return Series(start, step_s, mended), Repairs(
        filled=tuple(series.at(int(index)) for index in np.flatnonzero(~known)),
        outliers=tuple(series.at(int(index)) for index in outliers),
        merged=int((count[known] - 1).sum()),
    )


def finer(series: Series, step_s: int) -> Series:
    """The series with a shorter step, by lines between its values; itself when its step is not longer."""
    times = series.step_s // step_s
    if times <= 1:
        return series
    length = (len(series) - 1) * times + 1
    return Series(series.start, step_s, np.interp(np.arange(length) / times, np.arange(len(series)), series.qps))


def _filled(qps: Floats, known: npt.NDArray[np.bool_], step_s: int) -> Floats:
    places = np.arange(len(qps))
    filled = np.interp(places, places[known], qps[known])
    day = DAY_S // step_s
    for first, last in _runs(~known):
        if (last - first) * step_s <= _SHORT_GAP_S:
            continue
        for place in range(first, last):
            around = [qps[near] for near in (place - day, place + day) if 0 <= near < len(qps) and known[near]]
            if around:
                filled[place] = float(np.mean(around))
    return filled


def _runs(wanted: npt.NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First and one past the last index of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate(([0], wanted.astype(int), [0]))))
    return [(int(first), int(last)) for first, last in zip(edges[::2], edges[1::2], strict=True)]


def _outliers(qps: Floats) -> npt.NDArray[np.int64]:
    """Single values far above everything within three steps; what lasts two steps is load, and stays."""
    if len(qps) < 4 * _OUTLIER_REACH:
        return np.empty(0, dtype=np.int64)
    around = np.stack([np.roll(qps, shift) for shift in range(-_OUTLIER_REACH, _OUTLIER_REACH + 1) if shift])
    alone = qps > _OUTLIER_TIMES * around.max(axis=0)
    alone[:_OUTLIER_REACH] = alone[-_OUTLIER_REACH:] = False
    return np.flatnonzero(alone & (qps > np.quantile(qps, _OUTLIER_QUANTILE)))
