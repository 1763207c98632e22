"""How good a model is on what it is asked now, by labels that came later, and how far its input has moved.

Everything is an interval or an answer in words: "too few to tell" is a result. Shares are from 0 to 1.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Z_95 = 1.959964
"""Standard deviations that 95 % of a normal distribution lie within."""
WIDEST = 0.10
"""An interval that reaches further than this to either side tells too little."""
RESAMPLES = 1000
SOME_DRIFT, MUCH_DRIFT = 0.1, 0.25
"""Usual limits of the population stability index."""


@dataclass(frozen=True)
class Estimate:
    """A share with its 95 % confidence interval, of `count` labelled answers."""

    value: float
    low: float
    high: float
    count: int

    @property
    def tells(self) -> bool:
        return max(self.high - self.value, self.value - self.low) <= WIDEST


@dataclass(frozen=True)
class ClassQuality:
    """One class; None where no answer or no label names it, so that there is nothing to be right about."""

    label: str
    precision: Estimate | None
    recall: Estimate | None
    f1: Estimate | None


@dataclass(frozen=True)
class Quality:
    """Recall and F1 are plain means over the classes that have labels."""

    accuracy: Estimate
    recall: Estimate
    f1: Estimate
    per_class: tuple[ClassQuality, ...]


@dataclass(frozen=True)
class Drift:
    """The population stability index of `count` values against a reference, and what chance alone would give."""

    psi: float
    by_chance: float
    count: int

    @property
    def verdict(self) -> Literal["none", "some", "much", "too few to tell"]:
        """Where chance alone reaches half of what would matter, nothing can be told."""
        if self.by_chance > SOME_DRIFT / 2:
            return "too few to tell"
        return "none" if self.psi < SOME_DRIFT else "some" if self.psi < MUCH_DRIFT else "much"


def quality(pairs: Sequence[tuple[str, str]], labels: Sequence[str], *, seed: int = 0) -> Quality:
    """Of pairs of the predicted and the true class, both from `labels`; there must be some."""
    place = {label: number for number, label in enumerate(labels)}
    confusion = np.zeros((len(labels), len(labels)), np.int64)  # true class, predicted class
    for predicted, true in pairs:
        confusion[place[true], place[predicted]] += 1
    right, truly, said = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    again = _resampled(confusion, seed)
    return Quality(
        accuracy=wilson(int(right.sum()), len(pairs)),
        recall=_bootstrap(_recall(confusion[None]), _recall(again), len(pairs)),
        f1=_bootstrap(_macro_f1(confusion[None]), _macro_f1(again), len(pairs)),
        per_class=tuple(
            ClassQuality(
                label,
                wilson(int(right[i]), int(said[i])) if said[i] else None,
                wilson(int(right[i]), int(truly[i])) if truly[i] else None,
                _bootstrap(_f1(confusion[None])[:, i], _f1(again)[:, i], int(truly[i])) if truly[i] else None,
            )
            for i, label in enumerate(labels)
        ),
    )


def wilson(right: int, count: int) -> Estimate:
    """A share with Wilson's score interval, which holds for small counts and shares near 0 and 1 too."""
    share, z2 = right / count, Z_95**2
    middle = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z_95 * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return Estimate(share, max(0.0, middle - half), min(1.0, middle + half), count)


def drift(reference: Sequence[int], now: Sequence[int]) -> Drift:
    """Of counts in the same bins. Empty bins count as half a value, so that the index stays finite.

    By chance alone the index is about (bins - 1) * (1/n + 1/m), a scaled chi-square: only bins that either has count.
    """
    before, after = np.asarray(reference, float), np.asarray(now, float)
    used = (before + after) > 0
    before, after = before[used], after[used]
    p, q = (np.maximum(each, 0.5) / np.maximum(each, 0.5).sum() for each in (before, after))
    n, m = max(before.sum(), 1.0), max(after.sum(), 1.0)
    # One bin alone has nothing to differ in; that a few values are in it tells as little as were there two.
    chance = max(int(used.sum()) - 1, 1) * (1 / n + 1 / m)
    return Drift(float(((p - q) * np.log(p / q)).sum()), float(chance), int(after.sum()))


def counted(values: Sequence[float], bins: int, end: float) -> list[int]:
    """How many of `values` fall into each of `bins` of equal width from 0 to `end`."""
    found: list[int] = np.histogram(np.asarray(values, np.float32), bins, (0.0, end))[0].tolist()
    return found


def by_label(predicted: Sequence[str], reference: Mapping[str, int]) -> list[int]:
    """How often each class of the reference was predicted, in its order."""
    return [sum(label == each for each in predicted) for label in reference]


def _resampled(confusion: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """So many tables of as many answers, drawn from those that there are."""
    count, rng = confusion.sum(), np.random.default_rng(seed)
    drawn = rng.multinomial(count, confusion.ravel() / count, RESAMPLES)
    return drawn.reshape(RESAMPLES, *confusion.shape)


def _bootstrap(value: NDArray[np.float64], again: NDArray[np.float64], count: int) -> Estimate:
    """A sample that the figure does not depend on has it everywhere; how little that tells, the count says."""
    low, high = np.nanquantile(again, (0.025, 0.975))
    least = wilson(round(float(value[0]) * count), count)
    return Estimate(float(value[0]), min(float(low), least.low), max(float(high), least.high), count)


def _recall(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean over the classes that have labels, for each table."""
    truly = tables.sum(2)
    shares = np.divide(tables.diagonal(0, 1, 2), truly, out=np.full(truly.shape, np.nan), where=truly > 0)
    return np.asarray(np.nanmean(shares, axis=1))


def _f1(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """2 right / (said + truly), for each table and class; NaN where neither names the class."""
    named = tables.sum(1) + tables.sum(2)
    shares: NDArray[np.float64] = np.divide(
        2 * tables.diagonal(0, 1, 2), named, out=np.full(named.shape, np.nan), where=named > 0
    )
    return shares


def _macro_f1(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean over the classes that have labels, for each table."""
    scores = np.where(tables.sum(2) > 0, _f1(tables), np.nan)
    return np.asarray(np.nanmean(scores, axis=1))
