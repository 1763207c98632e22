"""How to scale, chosen by what it would have cost on the last days, each planned from what was known before it.

Not the forecast with the least error wins, but the plan with the least cost in a replay (planning/backtest.py): a
method, the target for the reactive rule, and how dearly the floor under it takes an overload. When no season helps, or
no plan beats the present target, the choice is to stay reactive.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from planning.backtest import TICK_S, Counts, Replayed, Rule, replay
from planning.correction import Correction
from planning.floor import ask_in_time, ask_with_every_block, blocks_ahead, chances_of_overload, replicas_for
from planning.forecast import Forecast, ForecastError, Method
from planning.load import BLOCK_TICKS, DAY_BLOCKS, Load
from planning.seasons import SeasonalNaive, Seasons
from planning.series import Floats
from planning.wish import Aim, Renewal, Wish

TARGETS = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
# A floor counts an overload at these shares of its price: the reactive rule prevents some by itself.
WEIGHTS = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)
DAYS = 5
LEAST_DAYS = 5
# A season has to take away so much of the error of "as on the last day, on average".
LEAST_SKILL = 0.15
# A plan has to be so much cheaper than the present target.
LEAST_GAIN = 0.02
# What is safe needs to have had so many fewer replica-hours than the present target, since the past is not the future.
SAFE_MARGIN = 0.05


@dataclass(frozen=True)
class Outcome:
    """What the replay of the days came to, in hours."""

    replica_hours: float
    short_hours: float

    def cost(self, price: float) -> float:
        return self.replica_hours + price * self.short_hours


@dataclass(frozen=True)
class Choice:
    """How to scale. Without a method there is no floor, and the present target stays."""

    why: str
    method: Method | None = None
    target: float | None = None
    far_weight: float = 0.0
    near_weight: float = 0.0
    expected: Outcome | None = None
    present: Outcome | None = None


@dataclass(frozen=True)
class _Day:
    """A past day, with the block before it, and what was forecast for it beforehand."""

    ticks: Floats
    actual: Floats
    flat: float
    far: dict[str, Forecast]
    near: tuple[Forecast, ...]


@dataclass(frozen=True)
class _Tally:
    """Hours of the candidates, by target and weight: of replicas, and with too little capacity."""

    hours: Floats
    short: Floats


def choose(load: Load, wish: Wish, methods: Sequence[Method] = (SeasonalNaive(), Seasons())) -> Choice:
    """From what `load` shows of the last days; it sees nothing else."""
    if load.days < LEAST_DAYS:
        return Choice(f"stay reactive: {load.days:.1f} days of history, and {LEAST_DAYS} are the least to plan by")
    days = [*_past_days(load, wish.rule, methods)]
    names = {method.name: method for method in methods if all(method.name in day.far for day in days)}
    skill = max((_skill(days, name) for name in names), default=0.0)
    if skill < LEAST_SKILL:
        return Choice(f"stay reactive: no season worth using, it explains {max(skill, 0):.0%} of the changes")
    present = _present(days, wish)
    near = _tally_near(days, wish)
    best: tuple[float, Choice] | None = None
    for name, method in names.items():
        score, found = _best(_tally_far(days, name, wish), near, present, wish, method)
        if found is not None and (best is None or score < best[0]):
            best = score, found
    if best is None:
        return Choice("stay reactive: no plan would have been better on the last days", present=present)
    return best[1]


def _past_days(load: Load, rule: Rule, methods: Sequence[Method]) -> Iterator[_Day]:
    """The last days, the latest first, each with forecasts from before it."""
    ahead = sorted({*range(blocks_ahead(rule) + 1)})
    for back in range(1, min(DAYS, int(load.days) - LEAST_DAYS + 1) + 1):
        first = len(load.blocks) - back * DAY_BLOCKS
        known, blocks = load.before(first), load.blocks.before(first + DAY_BLOCKS)
        far: dict[str, Forecast] = {}
        for method in methods:
            try:
                far[method.name] = method.forecast(known.blocks, DAY_BLOCKS)
            except ForecastError:
                continue
        correction = Correction.fit(known.blocks, ahead)
        origins = np.arange(first, first + DAY_BLOCKS)
        near = tuple(Forecast(correction.levels(blocks, origins, count)) for count in ahead)
        ticks = load.ticks[first * BLOCK_TICKS - 1 : (first + DAY_BLOCKS) * BLOCK_TICKS]
        flat = float(np.median(known.blocks.qps[-DAY_BLOCKS:]))
        yield _Day(ticks, blocks.qps[first:], flat, far, near)


def _skill(days: Sequence[_Day], name: str) -> float:
    """The share of the error of a flat line, in logarithms, that the forecast takes away."""
    missed = flat = 0.0
    for day in days:
        offset = 0.02 * float(np.quantile(day.actual, 0.99)) + 1e-9
        actual = np.log(day.actual + offset)
        missed += float(np.abs(actual - np.log(day.far[name].median + offset)).sum())
        flat += float(np.abs(actual - np.log(day.flat + offset)).sum())
    return 1 - missed / flat if flat > 0 else 0.0


def _played(days: Sequence[_Day], rule: Rule, targets: Floats, floors: Sequence[Counts]) -> Replayed:
    """Days x targets x floors (of each day: floors x ticks); the tick before a day is only seen."""
    load = np.stack([day.ticks for day in days])[:, None, None, :]
    held = np.insert(np.stack(floors), 0, 0, axis=-1)[:, None, :, :]
    shape = (len(days), len(targets), held.shape[2], load.shape[-1])
    flat = (-1, load.shape[-1])
    lanes = np.broadcast_to(targets[None, :, None], shape[:-1]).reshape(-1)
    return replay(np.broadcast_to(load, shape).reshape(flat), rule, lanes, np.broadcast_to(held, shape).reshape(flat))


def _tally(days: Sequence[_Day], rule: Rule, floors: Sequence[Counts]) -> _Tally:
    """Every target with every floor, added up over the days."""
    played = _played(days, rule, np.array(TARGETS), floors)
    shape = (len(days), len(TARGETS), len(WEIGHTS))
    return _Tally(played.replica_hours.reshape(shape).sum(axis=0), played.short_hours.reshape(shape).sum(axis=0))


def _tally_far(days: Sequence[_Day], name: str, wish: Wish) -> _Tally:
    floors: list[Counts] = []
    for day in days:
        chances = chances_of_overload(day.far[name], wish.rule)
        needed = np.stack([replicas_for(chances, wish.price * weight, wish.rule) for weight in WEIGHTS])
        floors.append(ask_in_time(needed, wish.rule))
    return _tally(days, wish.rule, floors)


def _tally_near(days: Sequence[_Day], wish: Wish) -> _Tally:
    floors: list[Counts] = []
    for day in days:
        chances = [chances_of_overload(forecast, wish.rule) for forecast in day.near]
        prices = [wish.price * weight for weight in WEIGHTS]
        by_price = [[replicas_for(its, price, wish.rule) for its in chances] for price in prices]
        floors.append(np.stack([ask_with_every_block(needed, wish.rule) for needed in by_price]))
    return _tally(days, wish.rule, floors)


def _present(days: Sequence[_Day], wish: Wish) -> Outcome:
    """The reactive rule alone, at its present target."""
    nothing = [np.zeros((1, len(day.ticks) - 1), dtype=np.int64) for day in days]
    played = _played(days, wish.rule, np.array([wish.present_target]), nothing)
    return Outcome(float(played.replica_hours.sum()), float(played.short_hours.sum()))


def _best(far: _Tally, near: _Tally, present: Outcome, wish: Wish, method: Method) -> tuple[float, Choice | None]:
    """The target, and the two weights that go with it, which are cheapest; None when the present is as good."""
    far_cost, near_cost = (_costs(tally, present, wish) for tally in (far, near))
    far_weight, near_weight = far_cost.argmin(axis=1), near_cost.argmin(axis=1)
    by_target = {
        Renewal.DAILY: far_cost.min(axis=1),
        Renewal.OFTEN: near_cost.min(axis=1),
        Renewal.UNKNOWN: (far_cost.min(axis=1) + near_cost.min(axis=1)) / 2,
    }[wish.renewal]
    place = int(by_target.argmin())
    score = float(by_target[place])
    if not np.isfinite(score) or (wish.aim is Aim.ECONOMIC and score > 1 - LEAST_GAIN):
        return score, None
    tally, weight = (near, near_weight) if wish.renewal is Renewal.OFTEN else (far, far_weight)
    expected = Outcome(float(tally.hours[place, weight[place]]), float(tally.short[place, weight[place]]))
    why = (
        f"{method.name} under target {TARGETS[place]:g}: on the last days {expected.replica_hours:.0f} replica-hours "
        f"and {expected.short_hours:.2f} h of overload; target {wish.present_target:g} alone had "
        f"{present.replica_hours:.0f} and {present.short_hours:.2f}"
    )
    return score, Choice(
        why,
        method,
        TARGETS[place],
        WEIGHTS[far_weight[place]],
        WEIGHTS[near_weight[place]],
        expected,
        present,
    )


def _costs(tally: _Tally, present: Outcome, wish: Wish) -> Floats:
    """By target and weight. What the aim does not allow is infinitely dear.

    Safe is the least overload for the hours that may be spent, and of plans with the same overload the one that spends
    most of them: what was enough on a few days has been so by luck too.
    """
    cost = tally.hours + wish.price * tally.short
    if wish.aim is Aim.SAFE:
        fewer = tally.hours <= (1 - SAFE_MARGIN) * present.replica_hours
        unspent = 1 - tally.hours / present.replica_hours
        missed = tally.short / max(present.short_hours, TICK_S / 3600)
        return np.where(fewer & (tally.short <= present.short_hours), 100 * missed + unspent, np.inf)
    return np.asarray(cost / present.cost(wish.price))
