"""Forecasts by a small LSTM with quantile loss, in PyTorch."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from planning.forecast import LEVELS, Forecast, needs_days
from planning.regression import lagged
from planning.seasons import LogLoad
from planning.series import Floats, Series

if TYPE_CHECKING:
    import torch

# It sees quarters of an hour: a day before, a day ahead.
_COARSE_S = 900
# The highest level is learnt as this one: the loss of a level of 1 has no finite minimum.
_HIGHEST = 0.9995


@dataclass(frozen=True)
class Lstm:
    """One layer reads the day before, with its load, and goes on through the day ahead, without it.

    Each step comes with the load a day and a week (or a day) ago and the time of day. Inputs are logarithms, centred.
    Seeded and on one thread: the same history gives the same forecast.
    """

    name: str = "lstm"
    hidden: int = 32
    rounds: int = 150
    batch: int = 32
    seed: int = 1

    def forecast(self, history: Series, steps: int) -> Forecast:
        needs_days(history, 4, self.name)
        import torch

        load, day = LogLoad.of(history.qps), history.steps_per_day
        times = max(1, _COARSE_S // history.step_s)
        whole = len(history) // times * times
        coarse = load.values[len(history) - whole :].reshape(-1, times).mean(axis=1)
        threads, state = torch.get_num_threads(), torch.random.get_rng_state()
        torch.set_num_threads(1)
        torch.manual_seed(self.seed)
        try:
            ahead = self._next_day(coarse, day // times)
        finally:
            torch.set_num_threads(threads)
            torch.random.set_rng_state(state)
        fine = (np.arange(day) - (times - 1) / 2) / times
        columns = [np.interp(fine, np.arange(len(ahead)), column) for column in ahead.T]
        return Forecast(load.to_qps(np.column_stack(columns)[np.arange(steps) % day]))

    def _next_day(self, values: Floats, day: int) -> Floats:
        """The day's steps x LEVELS, in logarithms."""
        import torch

        centre, scale = values.mean(), values.std() + 1e-6
        scaled = (values - centre) / scale
        inputs = _inputs(scaled, day)
        layer = torch.nn.LSTM(inputs.shape[1] + 2, self.hidden, batch_first=True)
        head = torch.nn.Linear(self.hidden, len(LEVELS))
        optimiser = torch.optim.Adam([*layer.parameters(), *head.parameters()], lr=0.01)
        origins = np.random.default_rng(self.seed)
        levels = torch.tensor(np.minimum(LEVELS, _HIGHEST), dtype=torch.float32)
        for _ in range(self.rounds):
            starts = origins.integers(2 * day, len(values) - day + 1, self.batch)
            windows = torch.stack([_window(inputs, scaled, int(start), day) for start in starts])
            wanted = torch.stack([_tensor((scaled - inputs[: len(scaled), 0])[at : at + day]) for at in starts])
            error = wanted[..., None] - head(layer(windows)[0][:, day:])
            loss = torch.maximum(levels * error, (levels - 1) * error).mean()
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
        with torch.no_grad():
            found: Floats = (
                head(layer(_window(inputs, scaled, len(values), day)[None])[0][0, day:]).numpy().astype(float)
            )
        changes: Floats = np.maximum.accumulate(found, axis=1)
        return np.asarray((inputs[len(values) :, :1] + changes) * float(scale) + float(centre))


def _inputs(scaled: Floats, day: int) -> Floats:
    """For each step and the day after them: the load a day ago and a week (else a day) ago, and the time of day."""
    longer = np.concatenate([scaled, np.full(day, np.nan)])
    yesterday, week = lagged(longer, day), lagged(longer, 7 * day)
    angle = 2 * np.pi * (np.arange(len(longer)) % day) / day
    same = np.where(np.isnan(week), yesterday, week)
    return np.asarray(np.nan_to_num(np.column_stack([yesterday, same, np.sin(angle), np.cos(angle)])))


def _window(inputs: Floats, scaled: Floats, origin: int, day: int) -> "torch.Tensor":
    """The day before `origin` with how it differed from the day before, and the day ahead with nothing in its place."""
    differed = np.zeros((2 * day, 2))
    differed[:day, 0] = (scaled - inputs[: len(scaled), 0])[origin - day : origin]
    differed[:day, 1] = 1.0
    return _tensor(np.concatenate([inputs[origin - day : origin + day], differed], axis=1))


def _tensor(values: Floats) -> "torch.Tensor":
    import torch

    return torch.tensor(values, dtype=torch.float32)
