"""The floor under an autoscaler, moved every few minutes: one decision, from what is known at one moment.

A floor is raised at once and lowered late, and it never lets a replica go: below it the reactive rule decides alone.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from planning.plan import Step


class Verdict(StrEnum):
    """What becomes of the floor; `waits` until a lower one was wanted for long enough."""

    RAISES = "raises"
    LOWERS = "lowers"
    WAITS = "waits"
    HOLDS = "holds"
    REACTIVE = "falls back"


@dataclass(frozen=True)
class Limits:
    """`least` and `most` are the replicas that the settings allow. A floor is at most one below `most`: of
    UpdateServiceAutoScaler's `max` EAS says that it "must be greater than that of the min parameter"."""

    least: int
    most: int
    hysteresis: timedelta = timedelta(minutes=10)
    stale_after: timedelta = timedelta(minutes=15)

    def __post_init__(self) -> None:
        if not 0 <= self.least < self.most:
            raise ValueError(f"a floor needs 0 <= least < most, found {self.least} and {self.most}")

    def within(self, floor: int) -> int:
        return min(max(floor, self.least), self.most - 1)


@dataclass(frozen=True)
class Wanted:
    """The floor that was wanted at a moment."""

    at: datetime
    floor: int


@dataclass(frozen=True)
class Asked:
    """What a plan asks for: at this moment, and at most until the next one at which it can be changed."""

    now: int
    ahead: int


@dataclass(frozen=True)
class Situation:
    """What is known at one moment: the autoscaler's floor, the replicas that run, what the plan asks for and why, how
    old the newest metric is (None: there is none), what was wanted before, the oldest first, and what is the matter
    with the metrics."""

    at: datetime
    floor: int
    replicas: int
    asked: Asked
    why: str
    metrics_age: timedelta | None
    earlier: tuple[Wanted, ...] = ()
    trouble: str = ""


@dataclass(frozen=True)
class Decision:
    """The floor from now on. `wanted` is what the plan would have, within the limits."""

    floor: int
    verdict: Verdict
    reason: str
    wanted: int


def asked_between(steps: Sequence[Step], begin: datetime, end: datetime, none: int) -> Asked:
    """What the steps ask for at `begin`, and at most until `end`; `none` where they ask for nothing."""
    now = [step.replicas for step in steps if step.at <= begin][-1:] or [none]
    return Asked(now[0], max([*now, *(step.replicas for step in steps if begin < step.at <= end)]))


def decide(situation: Situation, limits: Limits) -> Decision:
    """The floor is within the limits, whatever the situation."""
    if situation.metrics_age is None or situation.metrics_age > limits.stale_after:
        return Decision(limits.least, Verdict.REACTIVE, _no_metrics(situation, limits), limits.least)
    wanted, floor = limits.within(max(situation.asked.now, situation.asked.ahead)), situation.floor
    if floor != limits.within(floor):
        verdict = Verdict.RAISES if wanted > floor else Verdict.LOWERS
        reason = f"the floor was {floor}, outside {limits.least} to {limits.most - 1}"
        return Decision(wanted, verdict, reason, wanted)
    if wanted > floor:
        return Decision(wanted, Verdict.RAISES, _risen(situation, wanted), wanted)
    if wanted == floor:
        return Decision(floor, Verdict.HOLDS, f"the plan asks for {wanted}: {situation.why}", wanted)
    return _lower(situation, wanted, limits)


def _lower(situation: Situation, wanted: int, limits: Limits) -> Decision:
    """To the highest floor that was wanted during the hysteresis, once all that were wanted meanwhile were lower."""
    run = _lower_ones(situation, wanted, limits)
    since, minutes = run[-1].at, _minutes(limits.hysteresis)
    if situation.at - since < limits.hysteresis:
        reason = f"the plan asks for {wanted} since {since:%H:%M}, and {minutes} min have to pass: {situation.why}"
        return Decision(situation.floor, Verdict.WAITS, reason, wanted)
    lower = max(each.floor for each in run if situation.at - each.at <= limits.hysteresis)
    reason = f"no more than {lower} were asked for during {minutes} min: {situation.why}"
    return Decision(lower, Verdict.LOWERS, reason, wanted)


def _lower_ones(situation: Situation, wanted: int, limits: Limits) -> list[Wanted]:
    """The unbroken run of lower floors that were wanted, the newest first; nobody knows what was wanted in a gap."""
    run = [Wanted(situation.at, wanted)]
    for past in reversed(situation.earlier):
        if past.floor >= situation.floor or not timedelta(0) <= run[-1].at - past.at <= limits.hysteresis:
            break
        run.append(past)
    return run


def _risen(situation: Situation, wanted: int) -> str:
    asked = max(situation.asked.now, situation.asked.ahead)
    capped = f", and the floor goes to {wanted} at most" if asked > wanted else ""
    return f"the plan asks for {asked}, {situation.replicas} run{capped}: {situation.why}"


def _no_metrics(situation: Situation, limits: Limits) -> str:
    trouble = f": {situation.trouble}" if situation.trouble else ""
    if situation.metrics_age is None:
        return f"there are no metrics{trouble}"
    age, most = _minutes(situation.metrics_age), _minutes(limits.stale_after)
    return f"the newest metric is {age} min old, and {most} are allowed{trouble}"


def _minutes(span: timedelta) -> str:
    """Rounded up, so that what is above a limit is told as such."""
    return f"{math.ceil(span / timedelta(seconds=6)) / 10:g}"
