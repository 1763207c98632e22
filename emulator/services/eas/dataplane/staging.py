"""Rollouts in batches or up to a partition: how many instances an update may have reached by now.

The operations are CreateServiceRollout and its like in the vendor's SDK 6.17.0, whose descriptions are all that is
published. Where two of them contradict each other on `Partition`, that of UpdateServiceRollout and
DescribeServiceRollout holds: the instances that stay at the old version.
"""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from emulator.services.eas.dataplane.rollout import Member
from emulator.services.eas.records import Revision, Rollout

EVERY = 1_000_000


def begun(rollout: Rollout, revision: Revision, replicas: int) -> Rollout:
    """The rollout of `revision`, which the service wants from now on.

    A rollout that has not come to its end leaves its place to the new one; what instances fall back to stays.
    """
    if rollout.update == revision:
        return rollout
    unfinished = rollout.current is not None and rollout.released < replicas
    current = rollout.current if unfinished else rollout.update
    return rollout.model_copy(update={"current": current, "update": revision, "released": 0, "batch_ready_at": None})


def advanced(rollout: Rollout, replicas: int, updated_ready: int, now: datetime) -> Rollout:
    """Releases what is due: all but the partition at once, batches each after the one before it is ready and its
    interval is over."""
    if rollout.paused or rollout.current is None:
        return rollout
    if rollout.partition:
        return _released(rollout, replicas - _count(rollout.partition, replicas), replicas)
    if rollout.released >= replicas:
        return rollout
    if rollout.released and updated_ready < rollout.released:
        return rollout.model_copy(update={"batch_ready_at": None})
    if rollout.released and rollout.batch_ready_at is None and rollout.interval_s:
        return rollout.model_copy(update={"batch_ready_at": now})
    if rollout.batch_ready_at is not None and now < next_batch_at(rollout, rollout.batch_ready_at):
        return rollout
    return _released(rollout, rollout.released + max(1, _count(rollout.batch_size, replicas)), replicas)


def _released(rollout: Rollout, count: int, replicas: int) -> Rollout:
    """Once all are released, instances that are added later are too."""
    return rollout.model_copy(update={"released": EVERY if count >= replicas else count, "batch_ready_at": None})


def next_batch_at(rollout: Rollout, ready_at: datetime) -> datetime:
    return ready_at + timedelta(seconds=rollout.interval_s)


def held_back(rollout: Rollout | None, replicas: int) -> int:
    """How many instances stay as they were before the update."""
    if rollout is None or rollout.current is None:
        return 0
    return max(0, replicas - rollout.released)


def staged(members: Sequence[Member], replicas: int, held: int) -> list[Member]:
    """The members as `next_step` has to see them: those that stay, old or new, as the latest, and the rest as to be
    replaced. Ready ones stay first."""
    if not held:
        return list(members)
    new = [member for member in members if member.latest]
    old = [member for member in members if member.left_behind]
    stay = {member.name for member in _ready_first(new)[: max(0, replicas - held)] + _ready_first(old)[:held]}
    return [member._replace(latest=member.name in stay) for member in members]


def _ready_first(members: Sequence[Member]) -> list[Member]:
    return sorted(members, key=lambda member: not member.ready)


def _count(quantity: str, replicas: int) -> int:
    """`"2"`, or a share of all instances such as `"25%"`, rounded up."""
    if quantity.endswith("%"):
        return math.ceil(int(quantity[:-1]) * replicas / 100)
    return min(int(quantity), replicas)
