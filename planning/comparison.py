"""Policies compared on the last days of a history: what each would have held, missed and cost.

Every day is planned from what was known before it. Target and weight of the floor are chosen, before each day, with the
default methods (planning/choice.py); the methods that are compared differ in their forecast alone.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from planning.backtest import Counts, Rule, clairvoyant_hours, replay
from planning.choice import Choice, choose
from planning.floor import Outlook, ask_in_time, ask_with_every_block
from planning.forecast import Forecast, Method
from planning.load import BLOCK_TICKS, DAY_BLOCKS, Load
from planning.series import Floats
from planning.surges import Surges, peak_of
from planning.trial import near_correction, near_outlooks
from planning.wish import Wish


@dataclass(frozen=True)
class Policy:
    """One row: hours over all days; `fit_s` is the mean time of a forecast, `missed` its mean error as a share of the
    mean load; both are None where nothing is forecast. `replicas` that served, by minute."""

    name: str
    replica_hours: float
    short_hours: float
    unserved: float
    fit_s: float | None
    missed: float | None
    replicas: Counts | None

    def cost(self, overload_price: float) -> float:
        return self.replica_hours + overload_price * self.short_hours


@dataclass(frozen=True)
class Comparison:
    """`load` by minute from `start`; `forecasts` by method, one for each day; `choices` one for each day."""

    start: datetime
    load: Floats
    blocks: Floats
    policies: tuple[Policy, ...]
    forecasts: dict[str, Forecast]
    choices: tuple[Choice, ...]


@dataclass(frozen=True)
class _Planned:
    floors: Counts
    forecast: Forecast
    took_s: float


def compare(load: Load, wish: Wish, methods: Sequence[Method], days: int) -> Comparison:
    """On the last `days` days of `load`; ForecastError when a method has too little history before them."""
    rule, first = wish.rule, len(load.blocks) - days * DAY_BLOCKS
    ticks = load.ticks[first * BLOCK_TICKS - 1 :]
    blocks = load.blocks.qps[first:]
    choices: list[Choice] = []
    planned: dict[str, list[_Planned]] = {method.name: [] for method in methods}
    often: list[_Planned] = []
    for origin in range(first, len(load.blocks), DAY_BLOCKS):
        known = load.before(origin)
        choice = choose(known, wish)
        choices.append(choice)
        for method in methods:
            planned[method.name].append(_plan_of_a_day(known, method, choice, wish))
        often.append(_renewed(load, origin, choice, wish))
    targets = _by_tick([choice.target or wish.present_target for choice in choices])
    peak = int(np.ceil(load.blocks.qps[max(0, first - 7 * DAY_BLOCKS) : first].max() / rule.capacity))
    nothing, fixed = (np.full(len(ticks), count, dtype=np.int64) for count in (0, min(peak, rule.most)))
    present = np.full(len(ticks), wish.present_target)
    rows = [
        _played(f"reactive at {wish.present_target:g}", ticks, rule, present, nothing),
        _played("reactive at the chosen target", ticks, rule, targets, nothing),
        _played("last week's peak, always", ticks, rule, np.zeros(len(ticks)), fixed),
    ]
    for name, days_of in planned.items():
        rows.append(_played(f"daily plan, {name}", ticks, rule, targets, _joined(days_of), days_of, blocks))
    rows.append(_played("plan renewed every 5 minutes", ticks, rule, targets, _joined(often), often, blocks))
    ideal = clairvoyant_hours(ticks[1:], rule)
    rows.append(Policy("clairvoyant", ideal, 0.0, 0.0, None, None, None))
    forecasts = {name: Forecast(np.concatenate([its.forecast.qps for its in each])) for name, each in planned.items()}
    forecasts["5 minutes ahead"] = Forecast(np.concatenate([its.forecast.qps for its in often]))
    return Comparison(load.blocks.at(first), ticks[1:], blocks, tuple(rows), forecasts, tuple(choices))


def _plan_of_a_day(known: Load, method: Method, choice: Choice, wish: Wish) -> _Planned:
    began = time.perf_counter()
    forecast = method.forecast(known.blocks, DAY_BLOCKS)
    took = time.perf_counter() - began
    surges = Surges.of(known.blocks).ahead(DAY_BLOCKS)
    outlook = Outlook(forecast, surges, peak_of(known.blocks), wish.rule)
    needed = choice.far.needed(outlook, wish.price)
    return _Planned(_if_planned(choice, ask_in_time(needed, wish.rule)), forecast, took)


def _renewed(load: Load, origin: int, choice: Choice, wish: Wish) -> _Planned:
    """A day of plans that each hold for a block: fitted before the day, applied to what was known at each block."""
    began = time.perf_counter()
    known = load.before(origin)
    correction, surges = near_correction(known, wish.rule), Surges.of(known.blocks)
    took = time.perf_counter() - began
    until = load.blocks.before(origin + DAY_BLOCKS)
    outlooks = near_outlooks(correction, known, until, surges, wish.rule)
    needed = [choice.near.needed(outlook, wish.price) for outlook in outlooks]
    return _Planned(_if_planned(choice, ask_with_every_block(needed, wish.rule)), outlooks[0].forecast, took)


def _if_planned(choice: Choice, floors: Counts) -> Counts:
    return floors if choice.method is not None else np.zeros_like(floors)


def _joined(days: Sequence[_Planned]) -> Counts:
    """Floors by tick, with the one before the first day."""
    return np.concatenate([[0], *(day.floors for day in days)])


def _by_tick(by_day: Sequence[float]) -> Floats:
    return np.concatenate([by_day[:1], np.repeat(by_day, DAY_BLOCKS * BLOCK_TICKS)])


def _played(
    name: str,
    ticks: Floats,
    rule: Rule,
    targets: Floats,
    floors: Counts,
    planned: Sequence[_Planned] = (),
    blocks: Floats | None = None,
) -> Policy:
    found = replay(ticks[None], rule, targets[None], floors[None])
    lacking = np.maximum(found.load - found.ready * rule.capacity, 0).sum()
    missed = None
    if blocks is not None:
        middle = np.concatenate([day.forecast.median for day in planned])
        missed = float(np.abs(middle - blocks).mean() / max(blocks.mean(), 1e-12))
    return Policy(
        name,
        float(found.replica_hours[0]),
        float(found.short_hours[0]),
        float(lacking / max(found.load.sum(), 1e-12)),
        float(np.mean([day.took_s for day in planned])) if planned else None,
        missed,
        found.ready[0],
    )
