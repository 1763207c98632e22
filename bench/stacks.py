"""`pulumi preview`, `up` and `destroy` of many services, beside as many resources that do nothing."""

import math
import statistics
from collections.abc import Iterator
from dataclasses import dataclass

from bench.pulumi_stack import PARALLEL, UP, Stack, services, trivial
from bench.rows import Row, at_most, figure

MANY = 50
ROUNDS = 5  # of commands that change nothing; ours and the floor in turn
SERVICE_WAIT_S = 5  # of the alicloud provider, for each service that it creates or deletes


@dataclass(frozen=True)
class Taken:
    """Seconds that a command took, median of its rounds: ours, and the floor's."""

    ours: float
    floor: float

    def row(self, name: str) -> Row:
        return at_most(name, self.ours, "s", baseline=self.floor, ratio=1.5)


@dataclass(frozen=True)
class Pair:
    """Our stack, and one of as many trivial resources."""

    ours: Stack
    floor: Stack

    def run(self, command: str, *arguments: str, rounds: int = 1) -> Taken:
        taken = [
            (self.ours.seconds(command, *arguments), self.floor.seconds(command, *arguments)) for _ in range(rounds)
        ]
        ours, floor = zip(*taken, strict=True)
        return Taken(statistics.median(ours), statistics.median(floor))


def many_services() -> Iterator[Row]:
    """One service and fifty. Before the first command is measured, both programs have run once."""
    previews: list[tuple[int, Taken]] = []
    ups: list[tuple[int, Taken]] = []
    for count in (1, MANY):
        with services({f"s{number}": {} for number in range(count)}) as ours:
            resources = ours.planned()
            what = f"{count} service{'s' if count > 1 else ''} ({resources} resources)"
            with trivial(resources) as floor:
                floor.planned()
                pair = Pair(ours, floor)
                previews.append((resources, pair.run("preview", rounds=ROUNDS)))
                yield previews[-1][1].row(f"pulumi preview, {what}")
                created = pair.run("up", *UP)
                again = pair.run("preview", "--expect-no-changes", rounds=ROUNDS)
                yield again.row(f"pulumi preview without a change, {what}")
                ups.append((resources, pair.run("up", *UP, "--expect-no-changes", rounds=ROUNDS)))
                yield ups[-1][1].row(f"pulumi up without a change, {what}")
                yield from _beside_waits("up", created, count, what)
                yield from _beside_waits("destroy", pair.run("destroy", *UP), count, what)
    yield _each_further("preview", previews)
    yield _each_further("up without a change", ups)


def services_with_scaling_and_traffic() -> Iterator[Row]:
    """Fifty services that scale by load and by the time of day, in pairs that share their requests."""
    scaling = {
        "min_replicas": 1,
        "max_replicas": 4,
        "qps_per_replica": {"target": 100},
        "schedules": {
            "morning": {"cron": "0 0 8 * * 1-5", "replicas": 2},
            "evening": {"cron": "0 0 20 * * *", "replicas": 1},
        },
    }
    splits = {
        f"split{number}": {
            "mode": "canary",
            "versions": {
                "old": {"service": f"s{2 * number}", "weight": 90},
                "new": {"service": f"s{2 * number + 1}", "weight": 10},
            },
        }
        for number in range(MANY // 2)
    }
    with services({f"s{number}": {"scaling": scaling} for number in range(MANY)}, traffic=splits) as ours:
        resources = ours.planned()
        what = f"{MANY} services with scaling and traffic ({resources} resources)"
        with trivial(resources) as floor:
            floor.planned()
            pair = Pair(ours, floor)
            yield from _beside_waits("up", pair.run("up", *UP), MANY, what)
            again = pair.run("up", *UP, "--expect-no-changes", rounds=ROUNDS)
            yield again.row(f"pulumi up without a change, {what}")
            yield from _beside_waits("destroy", pair.run("destroy", *UP), MANY, what)


def _beside_waits(command: str, taken: Taken, count: int, what: str) -> Iterator[Row]:
    waits = math.ceil(count / PARALLEL) * SERVICE_WAIT_S
    yield figure(f"waits of the provider in {command}, {what}", waits, "s")
    yield Taken(taken.ours, taken.floor + waits).row(f"pulumi {command}, {what}, beside floor and waits")


def _each_further(command: str, taken: list[tuple[int, Taken]]) -> Row:
    (few, one), (many, all_) = taken
    ours, floor = (
        (total - first) / (many - few) * 1000 for total, first in ((all_.ours, one.ours), (all_.floor, one.floor))
    )
    return at_most(f"pulumi {command}: each further resource", ours, "ms", baseline=floor, ratio=1.5)
