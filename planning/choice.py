"""How to scale, chosen by what it would have cost on the last days, each planned from what was known before it.

Not the forecast with the least error wins, but the plan with the least cost in a replay (planning/trial.py): a method,
the target for the reactive rule, and what the floor under it makes sure of. When no season helps, or no plan beats the
present target, the choice is to stay reactive.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from planning.backtest import TICK_S
from planning.floor import Floor
from planning.forecast import Method
from planning.load import Load
from planning.seasons import SeasonalNaive, Seasons
from planning.series import Floats
from planning.trial import (
    LEAST_DAYS,
    TARGETS,
    Outcome,
    PastDay,
    Tally,
    past_days,
    planned_daily,
    planned_often,
    reactive_alone,
    skill,
)
from planning.wish import Aim, Renewal, Wish

_NO_FLOOR = Floor()
# A floor counts an overload at a share of its price: the reactive rule prevents some by itself.
_ECONOMIC = tuple(
    Floor(weight=weight, surges=surges) for surges in (0.0, 0.67, 1.0) for weight in (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)
)
_SAFE = tuple(
    tuple(Floor(weight, surges, margin) for margin in (0.0, 0.05, 0.1, 0.15) for weight in (0.0, 0.3))
    for surges in (1.0, 0.0)
)
# The floors to choose among; those of a later group only where none of an earlier one is allowed. A surge that came
# once is not seen in a replay of the days before it, so a safe floor is ready for it where it can be.
FLOORS: dict[Aim, tuple[tuple[Floor, ...], ...]] = {Aim.ECONOMIC: (_ECONOMIC,), Aim.SAFE: _SAFE}
# A season has to take away so much of the error of "as on the last day, on average".
LEAST_SKILL = 0.15
# A season that takes away less than this may break off: a plan by it may not have had more overload than the present.
TRUSTED_SKILL = 0.6
# A plan has to be so much cheaper than the present target.
LEAST_GAIN = 0.02
# What is safe needs to have had so many fewer replica-hours than the present target, since the past is not the future.
SAFE_MARGIN = 0.075
# The share of time in which a jump comes that nothing foretold, as safe plans reckon with it.
SAFE_JUMPS = 0.005


@dataclass(frozen=True)
class Choice:
    """How to scale. Without a method there is no floor, and no other target than the present one.

    `far` is the floor of a plan for a day, `near` of the part of a plan that is renewed before it is over.
    """

    why: str
    method: Method | None = None
    target: float | None = None
    far: Floor = _NO_FLOOR
    near: Floor = _NO_FLOOR
    expected: Outcome | None = None
    present: Outcome | None = None


@dataclass(frozen=True)
class Present:
    """What the reactive rule alone came to, and whether a plan may not have had more overload than that."""

    outcome: Outcome
    bounds_overload: bool


def choose(load: Load, wish: Wish, methods: Sequence[Method] = (SeasonalNaive(), Seasons())) -> Choice:
    """From what `load` shows of the last days; it sees nothing else."""
    if load.days < LEAST_DAYS:
        return Choice(f"stay reactive: {load.days:.1f} days of history, and {LEAST_DAYS} are the least to plan by")
    days = [*past_days(load, wish.rule, methods)]
    known = [method for method in methods if all(method.name in day.far for day in days)]
    most = max((skill(days, method.name) for method in known), default=0.0)
    if most < LEAST_SKILL:
        return Choice(f"stay reactive: no season worth using, it explains {max(most, 0):.0%} of the changes")
    present = Present(reactive_alone(days, wish), bounds_overload=wish.aim is Aim.SAFE or most < TRUSTED_SKILL)
    for floors in FLOORS[wish.aim]:
        found = [*_plans(days, known, floors, present, wish)]
        if found:
            return min(found, key=lambda each: each[0])[1]
    return Choice("stay reactive: no plan would have been better on the last days", present=present.outcome)


def _plans(
    days: Sequence[PastDay], methods: Sequence[Method], floors: Sequence[Floor], present: Present, wish: Wish
) -> Iterator[tuple[float, Choice]]:
    """The best of each method with its cost, where it is better than the present target."""
    near = planned_often(days, floors, wish)
    for method in methods:
        score, choice = _best(method, planned_daily(days, method.name, floors, wish), near, floors, present, wish)
        if np.isfinite(score) and (wish.aim is Aim.SAFE or score <= 1 - LEAST_GAIN):
            yield score, choice


def _best(
    method: Method, far: Tally, near: Tally, floors: Sequence[Floor], present: Present, wish: Wish
) -> tuple[float, Choice]:
    """The cheapest target, with the floors that go with it, and its cost."""
    far_cost, near_cost = (_costs(tally, present, wish) for tally in (far, near))
    by_target = {
        Renewal.DAILY: far_cost.min(axis=1),
        Renewal.OFTEN: near_cost.min(axis=1),
        Renewal.UNKNOWN: (far_cost.min(axis=1) + near_cost.min(axis=1)) / 2,
    }[wish.renewal]
    place = int(by_target.argmin())
    far_place, near_place = int(far_cost[place].argmin()), int(near_cost[place].argmin())
    expected = near.outcome(place, near_place) if wish.renewal is Renewal.OFTEN else far.outcome(place, far_place)
    why = (
        f"{method.name} under target {TARGETS[place]:g}: on the last days {expected.replica_hours:.0f} replica-hours "
        f"and {expected.short_hours:.2f} h of overload; target {wish.present_target:g} alone had "
        f"{present.outcome.replica_hours:.0f} and {present.outcome.short_hours:.2f}"
    )
    choice = Choice(why, method, TARGETS[place], floors[far_place], floors[near_place], expected, present.outcome)
    return float(by_target[place]), choice


def _costs(tally: Tally, present: Present, wish: Wish) -> Floats:
    """By target and floor. What the aim does not allow is infinitely dear.

    Safe is the least overload for the hours that may be spent, on the last days and by jumps that may come: what was
    enough on a few days has been so by luck too.
    """
    now = present.outcome
    allowed = tally.short <= now.short_hours + 1e-9 if present.bounds_overload else np.isfinite(tally.short)
    if wish.aim is Aim.SAFE:
        allowed &= tally.hours <= (1 - SAFE_MARGIN) * now.replica_hours
        cost = (tally.short + SAFE_JUMPS * tally.exposed) / max(now.short_hours, TICK_S / 3600)
    else:
        cost = (tally.hours + wish.price * tally.short) / now.cost(wish.price)
    return np.where(allowed, cost, np.inf)
