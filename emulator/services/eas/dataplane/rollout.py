"""How many instances to start and which to stop next, on the way from what is there to what is wanted."""

from collections.abc import Collection, Sequence
from typing import NamedTuple


class Member(NamedTuple):
    """An instance that is not on its way out. `latest`: it was made from the wanted revision; `left_behind`: from the
    one that a staged rollout does not replace yet. `dedicated`: it is on a machine of a resource group."""

    name: str
    latest: bool
    ready: bool
    left_behind: bool = False
    dedicated: bool = False


class Step(NamedTuple):
    start: int
    stop: tuple[str, ...]


def next_step(
    members: Sequence[Member],
    replicas: int,
    *,
    max_surge: int,
    max_unavailable: int,
    first_to_go: Collection[str] = (),
) -> Step:
    """The next step of a rolling update or of scaling; `members` come oldest first.

    New instances are started up to `replicas + max_surge` in all. Old ones that are ready go only as far as
    `replicas - max_unavailable` ready ones remain, so a new instance that does not become ready stops the update
    where it is, and the old ones keep the traffic ("Rolling update with graceful exit" of the EAS user guide). Both
    zero would never move; then one more instance is allowed, as Kubernetes does.

    When instances are too many, those in `first_to_go` leave first, then those in the public group ("only after all
    elastic instances in the public resource group are scaled in" do others follow, "Elastic resource pool" of the EAS
    user guide), then those that are not ready, then the youngest.
    """
    new = [member for member in members if member.latest]
    old = [member for member in members if not member.latest]
    if not old:
        surplus = len(new) - replicas
        return Step(max(0, -surplus), _surplus(new, surplus, first_to_go))
    surge = max_surge if max_surge or max_unavailable else 1
    start = max(0, min(replicas - len(new), replicas + surge - len(members)))
    stop = _surplus(new, len(new) - replicas, first_to_go)
    return Step(start, stop + _replaced(old, new, replicas - max_unavailable))


def _replaced(old: Sequence[Member], new: Sequence[Member], needed: int) -> tuple[str, ...]:
    """The old instances that can go while `needed` ready ones remain."""
    unready = [member.name for member in old if not member.ready]
    ready = [member.name for member in old if member.ready]
    new_ready = sum(member.ready for member in new)
    # An old instance that is not ready may yet recover: it is needed as long as too few others are there.
    spare_unready = len(old) + new_ready - needed
    spare_ready = len(ready) + new_ready - needed
    return (*unready[: max(0, spare_unready)], *ready[: max(0, spare_ready)])


def _surplus(members: Sequence[Member], count: int, first_to_go: Collection[str]) -> tuple[str, ...]:
    youngest_first = reversed(members)
    order = sorted(youngest_first, key=lambda member: (member.name not in first_to_go, member.dedicated, member.ready))
    return tuple(member.name for member in order[: max(0, count)])
