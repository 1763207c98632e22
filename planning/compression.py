"""A plan in few steps, since each becomes a cron job that a person reviews."""

from collections.abc import Sequence
from datetime import datetime

from planning.plan import Step


def in_few_steps(steps: Sequence[Step], end: datetime, most: int) -> tuple[Step, ...]:
    """At most `most` steps that never ask for less than `steps` do, at the cost of few replica-hours.

    Two neighbours become one with the replicas of the larger, again and again, where that costs least; `end` is when
    the last one ends. Raises ValueError for `most` below 1.
    """
    if most < 1:
        raise ValueError(f"a plan has at least one step, found {most}")
    kept = list(steps)
    while len(kept) > 1:
        ends = [step.at for step in kept[1:]] + [end]
        costs = [_cost(kept[place : place + 2], ends[place : place + 2]) for place in range(len(kept) - 1)]
        cheapest = min(range(len(costs)), key=costs.__getitem__)
        if len(kept) <= most and costs[cheapest] > 0:
            break
        one, other = kept[cheapest : cheapest + 2]
        kept[cheapest : cheapest + 2] = [Step(one.at, max(one.replicas, other.replicas))]
    return tuple(kept)


def _cost(pair: Sequence[Step], ends: Sequence[datetime]) -> float:
    """Replica-seconds that are added when both have the replicas of the larger."""
    larger = max(step.replicas for step in pair)
    return sum((larger - step.replicas) * (end - step.at).total_seconds() for step, end in zip(pair, ends, strict=True))
