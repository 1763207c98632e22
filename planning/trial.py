"""What floors and targets would have come to on the last days, each planned again from what was known before it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from planning.backtest import Counts, Replayed, Rule, replay
from planning.correction import Correction
from planning.floor import Floor, Outlook, ask_in_time, ask_with_every_block, blocks_ahead
from planning.forecast import Forecast, ForecastError, Method
from planning.load import BLOCK_TICKS, DAY_BLOCKS, Load
from planning.seasons import LogLoad
from planning.series import Floats, Series
from planning.surges import Surges, peak_of
from planning.wish import Wish

TARGETS = (0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)
DAYS = 7
LEAST_DAYS = 5
# Jumps of the load, as shares of the peak, that may come at any minute.
JUMPS = (0.1, 0.2, 0.3)


@dataclass(frozen=True)
class Outcome:
    """What the replay of the days came to, in hours."""

    replica_hours: float
    short_hours: float

    def cost(self, price: float) -> float:
        return self.replica_hours + price * self.short_hours


@dataclass(frozen=True)
class PastDay:
    """A past day, by minute with the one before it and by block, and what was known of it beforehand: by method for a
    plan of a day, and by blocks ahead for one that is renewed with every block."""

    ticks: Floats
    actual: Floats
    flat: float
    far: dict[str, Outlook]
    near: tuple[Outlook, ...]


@dataclass(frozen=True)
class Tally:
    """Targets x floors, in hours: of replicas, with too little capacity, and in which a jump would have been too much,
    on average of JUMPS."""

    hours: Floats
    short: Floats
    exposed: Floats

    def outcome(self, target: int, floor: int) -> Outcome:
        return Outcome(float(self.hours[target, floor]), float(self.short[target, floor]))


def past_days(load: Load, rule: Rule, methods: Sequence[Method]) -> Iterator[PastDay]:
    """The last days, the latest first.

    Forecasts are from before each day. Surges are those known at the end: floors hold replicas for them from the day on
    that they come first, and days before it would not show what that takes.
    """
    surges = Surges.of(load.blocks)
    for back in range(1, min(DAYS, int(load.days) - LEAST_DAYS + 1) + 1):
        first = len(load.blocks) - back * DAY_BLOCKS
        known, blocks = load.before(first), load.blocks.before(first + DAY_BLOCKS)
        peak = peak_of(known.blocks)
        far: dict[str, Outlook] = {}
        for method in methods:
            try:
                forecast = method.forecast(known.blocks, DAY_BLOCKS)
            except ForecastError:
                continue
            far[method.name] = Outlook(forecast, surges.ahead(DAY_BLOCKS), peak, rule)
        near = near_outlooks(near_correction(known, rule), known, blocks, surges, rule)
        ticks = load.ticks[first * BLOCK_TICKS - 1 : (first + DAY_BLOCKS) * BLOCK_TICKS]
        flat = float(np.median(known.blocks.qps[-DAY_BLOCKS:]))
        yield PastDay(ticks, blocks.qps[first:], flat, far, near)


def near_correction(known: Load, rule: Rule) -> Correction:
    """For a plan that is renewed with every block: it sees until the next one can change something."""
    return Correction.fit(known.blocks, range(blocks_ahead(rule) + 1))


def near_outlooks(
    correction: Correction, known: Load, until: Series, surges: Surges, rule: Rule
) -> tuple[Outlook, ...]:
    """Of the day after `known`, which `until` has too: by blocks ahead, what was known at each block."""
    origins = np.arange(len(known.blocks), len(known.blocks) + DAY_BLOCKS)
    peak = peak_of(known.blocks)
    return tuple(
        Outlook(Forecast(correction.levels(until, origins, count)), surges.ahead(DAY_BLOCKS, skipped=count), peak, rule)
        for count in range(blocks_ahead(rule) + 1)
    )


def skill(days: Sequence[PastDay], name: str) -> float:
    """The share of the error of a flat line, in logarithms, that a method's forecasts take away."""
    missed = flat = 0.0
    for day in days:
        actual = LogLoad.of(day.actual)
        missed += float(np.abs(actual.values - np.log(day.far[name].forecast.median + actual.offset)).sum())
        flat += float(np.abs(actual.values - np.log(day.flat + actual.offset)).sum())
    return 1 - missed / flat if flat > 0 else 0.0


def reactive_alone(days: Sequence[PastDay], wish: Wish) -> Outcome:
    """The reactive rule at its present target."""
    nothing = [np.zeros((1, len(day.ticks) - 1), dtype=np.int64) for day in days]
    played = _played(days, wish.rule, np.array([wish.present_target]), nothing)
    return Outcome(float(played.replica_hours.sum()), float(played.short_hours.sum()))


def planned_daily(days: Sequence[PastDay], name: str, floors: Sequence[Floor], wish: Wish) -> Tally:
    """Every target with every floor, made from a forecast of the day."""
    held = [
        ask_in_time(np.stack([floor.needed(day.far[name], wish.price) for floor in floors]), wish.rule) for day in days
    ]
    return _tally(days, wish.rule, held)


def planned_often(days: Sequence[PastDay], floors: Sequence[Floor], wish: Wish) -> Tally:
    """Every target with every floor, made anew with every block."""
    held = [
        np.stack(
            [
                ask_with_every_block([floor.needed(outlook, wish.price) for outlook in day.near], wish.rule)
                for floor in floors
            ]
        )
        for day in days
    ]
    return _tally(days, wish.rule, held)


def _tally(days: Sequence[PastDay], rule: Rule, held: Sequence[Counts]) -> Tally:
    """Added up over the days, from floors x ticks of each."""
    floors = len(held[0])
    played = _played(days, rule, np.array(TARGETS), held)
    shape = (len(days), len(TARGETS), floors)
    peaks = np.repeat([day.near[0].peak for day in days], len(TARGETS) * floors)
    by_lane = (played.replica_hours, played.short_hours, _exposed_hours(played, peaks))
    return Tally(*(hours.reshape(shape).sum(axis=0) for hours in by_lane))


def _exposed_hours(played: Replayed, peaks: Floats) -> Floats:
    """By lane: how long a jump from one minute to the next would have been too much, on average of JUMPS."""
    jumped = [played.with_more_load(share * peaks[:, None]).short_hours for share in JUMPS]
    return np.asarray(np.mean(jumped, axis=0))


def _played(days: Sequence[PastDay], rule: Rule, targets: Floats, held: Sequence[Counts]) -> Replayed:
    """Days x targets x floors, as lanes; the tick before a day is only seen."""
    load = np.stack([day.ticks for day in days])[:, None, None, :]
    floors = np.insert(np.stack(held), 0, 0, axis=-1)[:, None, :, :]
    shape = (len(days), len(targets), floors.shape[2], load.shape[-1])
    flat = (-1, load.shape[-1])
    lanes = np.broadcast_to(targets[None, :, None], shape[:-1]).reshape(-1)
    return replay(np.broadcast_to(load, shape).reshape(flat), rule, lanes, np.broadcast_to(floors, shape).reshape(flat))
