"""A plan: how many replicas to ask for from when on, and which target to run the reactive rule at meanwhile."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from planning.backtest import TICK_S, Counts, Rule
from planning.choice import Choice, choose
from planning.correction import AHEAD, Correction
from planning.floor import Outlook, ask_in_time, blocks_ahead
from planning.forecast import Forecast, Method
from planning.load import BLOCK_S, DAY_BLOCKS, Load
from planning.seasons import SeasonalNaive, Seasons
from planning.series import Series
from planning.surges import Surges, peak_of
from planning.wish import Wish

# The choice is renewed four times a day, at these hours of UTC; forecasts start from the newest value.
_CHOICE_EVERY_S = 6 * 3600
# What the correction looks back at: a week, and what leads up to the first of its days.
_NEAR_DAYS = 9
DEFAULT_METHODS: tuple[Method, ...] = (SeasonalNaive(), Seasons())


@dataclass(frozen=True)
class Step:
    """From `at` on at least `replicas` are asked for; they serve a start-up later."""

    at: datetime
    replicas: int


@dataclass(frozen=True)
class Plan:
    """`steps` are the floor under the autoscaler, without any it stays reactive; `target` is for its rule meanwhile."""

    steps: tuple[Step, ...]
    target: float
    method: str
    why: str
    forecast: Forecast | None = None


@dataclass(frozen=True)
class Planner:
    """What was chosen and fitted from a history; it plans from any newer one until it is made anew."""

    wish: Wish
    choice: Choice
    correction: Correction | None

    @classmethod
    def of(cls, history: Series, wish: Wish, methods: Sequence[Method] = DEFAULT_METHODS) -> "Planner":
        """From the history up to the last quarter of its last day."""
        load = Load.of(history)
        load = load.before(len(load.blocks) - _blocks_since_choice(load.end))
        choice = choose(load, wish, methods)
        if choice.method is None:
            return cls(wish, choice, None)
        ahead = sorted({*range(blocks_ahead(wish.rule) + 1), *AHEAD})
        return cls(wish, choice, Correction.fit(load.blocks, ahead))

    def plan(self, history: Series, horizon: timedelta) -> Plan:
        """From the end of `history` on, for `horizon`."""
        method = self.choice.method
        if method is None or self.correction is None or self.choice.target is None:
            return Plan((), self.wish.present_target, "reactive", self.choice.why)
        blocks, rule = Load.of(history).blocks, self.wish.rule
        wanted = int(horizon.total_seconds()) // BLOCK_S
        forecast = Forecast(self.correction.next_steps(blocks.latest(_NEAR_DAYS * DAY_BLOCKS)))
        if wanted > len(forecast):
            forecast = method.forecast(blocks, wanted).after(forecast)
        outlook = Outlook(forecast, Surges.of(blocks).ahead(len(forecast)), peak_of(blocks), rule)
        seen, price = blocks_ahead(rule) + 1, self.wish.price
        near, far = (floor.needed(outlook, price) for floor in (self.choice.near, self.choice.far))
        needed = np.concatenate([near[:seen], far[seen:]])
        ticks = int(horizon.total_seconds()) // TICK_S
        steps = _steps(ask_in_time(needed, rule)[:ticks], blocks.end, rule)
        return Plan(steps, self.choice.target, method.name, self.choice.why, forecast)


def _steps(floor: Counts, start: datetime, rule: Rule) -> tuple[Step, ...]:
    """Only the moments at which the floor changes; a floor that is never above the least is none."""
    if (floor <= rule.least).all():
        return ()
    changes = np.flatnonzero(np.diff(floor, prepend=floor[0] - 1))
    return tuple(Step(start + timedelta(seconds=int(tick) * TICK_S), int(floor[tick])) for tick in changes)


def _blocks_since_choice(end: datetime) -> int:
    seconds = end.hour * 3600 + end.minute * 60 + end.second
    return seconds % _CHOICE_EVERY_S // BLOCK_S
