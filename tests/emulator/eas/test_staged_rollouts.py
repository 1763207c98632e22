"""Rollouts in batches and up to a partition."""

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.services.eas.dataplane.rollout import Member, next_step
from emulator.services.eas.dataplane.staging import advanced, begun, held_back, staged
from emulator.services.eas.records import Revision, Rollout
from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.calls import advance, call
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.emulator.refusals import refused

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
OLD, NEW = Revision(1, 0), Revision(2, 0)


def rollout(**settings: Any) -> Rollout:
    return begun(Rollout(current=None, update=OLD, **settings), NEW, 4)


def released(staging: Rollout, replicas: int, ready: int, after_s: float = 0) -> Rollout:
    return advanced(staging, replicas, ready, NOON + timedelta(seconds=after_s))


@pytest.mark.parametrize(
    ("partition", "held"), [("0", 0), ("3", 3), ("99", 8), ("0%", 0), ("30%", 3), ("100%", 8), ("1%", 1)]
)
def test_a_partition_is_what_stays_old(partition: str, held: int) -> None:
    assert held_back(released(rollout(partition=partition), 8, 0), 8) == held


def test_batches_follow_each_other_when_they_are_ready_and_their_interval_is_over() -> None:
    staging = released(rollout(batch_size="25%", interval_s=60), 8, 0)
    assert held_back(staging, 8) == 6
    assert held_back(released(staging, 8, 1), 8) == 6, "one of two is ready"
    staging = released(staging, 8, 2, after_s=10)
    assert held_back(released(staging, 8, 2, after_s=69), 8) == 6
    staging = released(staging, 8, 2, after_s=70)
    assert held_back(staging, 8) == 4


def test_what_is_added_after_the_last_batch_is_new() -> None:
    staging = released(rollout(batch_size="4"), 4, 0)

    assert held_back(staging, 9) == 0


def test_a_pause_releases_nothing() -> None:
    assert held_back(released(rollout(batch_size="1", paused=True), 4, 4), 4) == 4


@pytest.mark.parametrize("seed", range(100))
def test_a_staged_update_keeps_enough_ready_and_comes_to_rest(seed: int) -> None:
    """Whatever becomes ready when: never fewer ready than wanted, never more in all than with the surge."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable order of events
    replicas, surge = chance.randint(1, 6), chance.randint(1, 3)
    held = chance.randint(0, replicas)
    members = [Member(f"o{number}", False, True, True) for number in range(replicas)]
    for number in range(300):
        seen = staged(members, replicas, held)
        step = next_step(seen, replicas, max_surge=surge, max_unavailable=0)
        missing_old = held - sum(member.left_behind for member in members)
        members = [member for member in members if member.name not in step.stop]
        members += [Member(f"{number}.{i}", i >= missing_old, False, i < missing_old) for i in range(step.start)]
        assert len(members) <= replicas + surge
        assert sum(member.ready for member in members) >= replicas
        members = [member._replace(ready=member.ready or chance.random() < 0.3) for member in members]
        if chance.random() < 0.05:
            held = chance.randint(0, replicas) if number < 150 else held
    assert Counter(member.left_behind for member in members) == +Counter({True: held, False: replicas - held})


def versions(eas: Eas) -> Counter[int]:
    """How many ready instances there are of each version."""
    instances = eas.instances()
    return Counter(2 if each["IsLatest"] else 1 for each in instances if each["Status"] == "Running")


def status(eas: Eas) -> dict[str, Any]:
    return dict(call(eas, "DescribeServiceRollout", "svc")["Rollout"]["Status"])


def change(eas: Eas) -> None:
    eas.update("svc", {"labels": {"release": "next"}})


def test_a_partition_leaves_old_instances_until_it_is_lowered(eas: Eas) -> None:
    eas.deploy(service_json(instance=3))
    call(eas, "CreateServiceRollout", "svc", Partition={"Partition": "2"})
    assert status(eas)["Phase"] == "Pending"

    change(eas)
    until(lambda: versions(eas) == {1: 2, 2: 1} and eas.status() == "Running", "one new instance")
    assert (status(eas)["Phase"], status(eas)["UpdatedReplicas"]) == ("Running", 1)

    call(eas, "UpdateServiceRollout", "svc", Partition={"Partition": "3"})
    until(lambda: versions(eas) == {1: 3}, "the new one taken back")
    call(eas, "UpdateServiceRollout", "svc", Partition={"Partition": "0"})
    until(lambda: versions(eas) == {2: 3}, "all new")
    until(lambda: status(eas)["Phase"] == "Completed", "completion")
    eas.wait()


def test_a_batch_waits_for_its_interval(eas: Eas, emulator: RunningEmulator) -> None:
    eas.deploy(service_json(instance=2))
    call(eas, "CreateServiceRollout", "svc", Batch={"BatchSize": "1", "Interval": "10m"})

    change(eas)
    until(lambda: "NextBatchStartTime" in status(eas), "the first batch")
    assert versions(eas) == {1: 1, 2: 1}
    assert eas.status() == "Updating"
    call(eas, "UpdateServiceRollout", "svc", Paused=True)
    advance(emulator, 601)
    assert status(eas)["Phase"] == "Paused"
    call(eas, "UpdateServiceRollout", "svc", Paused=False)

    until(lambda: status(eas)["Phase"] == "Completed", "the second batch")
    assert versions(eas) == {2: 2}


def test_an_update_goes_on_by_itself_without_its_rollout(eas: Eas) -> None:
    eas.deploy(service_json(instance=2))
    call(eas, "CreateServiceRollout", "svc", Partition={"Partition": "100%"})
    change(eas)
    eas.wait()
    assert versions(eas) == {1: 2}

    call(eas, "DeleteServiceRollout", "svc")

    until(lambda: versions(eas) == {2: 2}, "all new")
    with refused("InvalidRollout.NotFound", 404):
        status(eas)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"Batch": {"BatchSize": "1"}, "Partition": {"Partition": "1"}}, "exclude each other"),
        ({"Batch": {"BatchSize": "0"}}, "BatchSize"),
        ({"Batch": {"BatchSize": "101%"}}, "BatchSize"),
        ({"Batch": {"Interval": "5 minutes"}}, "Interval"),
        ({"Partition": {"Partition": "-1"}}, "Partition"),
    ],
)
def test_a_rollout_that_makes_no_sense_is_refused(eas: Eas, document: dict[str, Any], problem: str) -> None:
    eas.create(service_json(instance=0))

    with pytest.raises(Exception, match=problem):
        call(eas, "CreateServiceRollout", "svc", **document)
