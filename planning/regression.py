"""Small linear models that are fitted in milliseconds, and the spread of what they miss."""

from dataclasses import dataclass

import numpy as np

from planning.forecast import LEVELS
from planning.series import Floats

_ROUNDS = 3
# Errors beyond so many robust standard deviations weigh less.
_HUBER = 3.0


@dataclass(frozen=True)
class Linear:
    """y = x @ weights + offset."""

    weights: Floats
    offset: float

    def __call__(self, features: Floats) -> Floats:
        return np.asarray(features @ self.weights + self.offset)


def fit_linear(features: Floats, wanted: Floats, *, shrink: float, robust: bool = False) -> Linear:
    """Ridge regression on standardised features; `robust` lets large errors pull less, by Huber's weights."""
    weight = np.ones(len(wanted))
    spread = features.std(axis=0) + 1e-9
    model = Linear(np.zeros(features.shape[1]), 0.0)
    for _ in range(_ROUNDS if robust else 1):
        centre = np.average(features, axis=0, weights=weight)
        middle = float(np.average(wanted, weights=weight))
        scaled = (features - centre) / spread
        weighted = scaled * weight[:, None]
        gram = weighted.T @ scaled + shrink * np.eye(features.shape[1])
        slopes = np.linalg.solve(gram, weighted.T @ (wanted - middle)) / spread
        model = Linear(slopes, middle - float(centre @ slopes))
        error = np.abs(wanted - model(features))
        weight = np.minimum(1.0, _HUBER * 1.4826 * (np.median(error) + 1e-9) / np.maximum(error, 1e-12))
    return model


@dataclass(frozen=True)
class Spread:
    """How far a model's errors reach: a scale that depends on features, times errors that were seen."""

    model: Linear
    floor: float
    errors: Floats
    """The errors at LEVELS, in units of the scale."""

    @classmethod
    def fit(cls, errors: Floats, features: Floats) -> "Spread":
        """`features` are sizes of errors, at or above zero, that were known beforehand."""
        size = np.abs(errors)
        floor = 0.3 * float(np.median(size)) + 1e-4
        model = fit_linear(np.log(features + floor), np.log(size + floor), shrink=20.0)
        scaled = errors / np.exp(model(np.log(features + floor)))
        return cls(model, floor, np.quantile(scaled, LEVELS))

    def around(self, middle: Floats, features: Floats) -> Floats:
        """Steps x LEVELS."""
        scale = np.exp(self.model(np.log(features + self.floor)))
        return middle[:, None] + scale[:, None] * self.errors[None, :]


def lagged(values: Floats, steps: int) -> Floats:
    """Each value `steps` steps earlier; NaN where there is none."""
    out = np.full(len(values), np.nan)
    if steps == 0:
        out[:] = values
    elif abs(steps) >= len(values):
        return out
    elif steps > 0:
        out[steps:] = values[:-steps]
    else:
        out[:steps] = values[-steps:]
    return out
