"""Rolling updates: the arithmetic of the steps, and live ones."""

import random

import pytest

from emulator.services.eas.dataplane.rollout import Member, Step, next_step
from tests.emulator.eas.conftest import STAND_IN, Eas, service_json, until


def members(old: str = "", new: str = "") -> list[Member]:
    """`"++-"` is two ready instances and one that is not."""
    return [
        Member(f"{kind}{number}", kind == "n", sign == "+")
        for kind, signs in (("o", old), ("n", new))
        for number, sign in enumerate(signs)
    ]


@pytest.mark.parametrize(
    ("old", "new", "replicas", "surge", "unavailable", "step"),
    [
        ("", "", 3, 1, 0, Step(3, ())),
        ("", "+++", 3, 1, 0, Step(0, ())),
        ("", "+", 3, 1, 0, Step(2, ())),
        ("", "+++", 1, 1, 0, Step(0, ("n2", "n1"))),
        ("", "+-+", 2, 1, 0, Step(0, ("n1",))),
        ("", "++", 0, 1, 0, Step(0, ("n1", "n0"))),
        ("+++", "", 3, 1, 0, Step(1, ())),
        ("+++", "-", 3, 1, 0, Step(0, ())),
        ("+++", "+", 3, 1, 0, Step(0, ("o0",))),
        ("++", "+", 3, 1, 0, Step(1, ())),
        ("+", "+++", 3, 1, 0, Step(0, ("o0",))),
        ("+++", "", 3, 3, 0, Step(3, ())),
        ("+++", "", 3, 0, 1, Step(0, ("o0",))),
        ("++", "", 3, 0, 1, Step(1, ())),
        ("+++", "", 3, 0, 0, Step(1, ())),
        ("+++", "", 3, 1, 1, Step(1, ("o0",))),
        ("-++", "", 3, 1, 0, Step(1, ())),
        ("-++", "+", 3, 1, 0, Step(0, ("o0",))),
        ("---", "", 3, 1, 0, Step(1, ())),
        ("+++", "", 1, 1, 0, Step(0, ("o0", "o1"))),
        ("++", "", 0, 1, 0, Step(0, ("o0", "o1"))),
    ],
)
def test_the_next_step_is(old: str, new: str, replicas: int, surge: int, unavailable: int, step: Step) -> None:
    assert next_step(members(old, new), replicas, max_surge=surge, max_unavailable=unavailable) == step


def test_named_instances_go_first() -> None:
    step = next_step(members(new="+-+"), 1, max_surge=1, max_unavailable=0, first_to_go={"n0"})

    assert step.stop == ("n0", "n1")


@pytest.mark.parametrize("seed", range(200))
def test_an_update_keeps_its_promises_whatever_becomes_ready_when(seed: int) -> None:
    """Never more than `replicas + surge`, never fewer ready than `replicas - unavailable`, and it ends."""
    chance = random.Random(seed)  # noqa: S311 - a repeatable order of events
    replicas, surge, unavailable = chance.randint(1, 6), chance.randint(0, 3), chance.randint(0, 3)
    there = members(old="+" * replicas)
    allowed = max(surge, 1) if not unavailable else surge
    needed = max(0, replicas - unavailable)
    for turn in range(200):
        step = next_step(there, replicas, max_surge=surge, max_unavailable=unavailable)
        there = [member for member in there if member.name not in step.stop]
        there += [Member(f"n{turn}-{number}", True, False) for number in range(step.start)]
        assert len(there) <= replicas + allowed
        assert sum(member.ready for member in there) >= needed
        if unready := [member for member in there if not member.ready]:
            lucky = chance.choice(unready)
            there = [member._replace(ready=True) if member is lucky else member for member in there]
    assert [(member.latest, member.ready) for member in there] == [(True, True)] * replicas


def test_a_new_version_takes_over_only_when_it_is_ready(eas: Eas) -> None:
    eas.deploy(service_json(instance=2, env={"VERSION": "1"}))

    eas.update("svc", service_json(instance=2, env={"VERSION": "2"}, command=f"python {STAND_IN} 8000 0.5"))

    seen = []
    while eas.status() == "Updating":
        answer = eas.ask()
        assert answer.status_code == 200
        seen.append(answer.json()["version"])
        staying = [instance for instance in eas.instances() if instance["Status"] != "Terminating"]
        assert len(staying) <= 3, "one more than wanted, as max_surge says"
    assert seen[0] == "1"
    assert {eas.ask().json()["version"] for _ in range(4)} == {"2"}
    assert [instance["IsLatest"] for instance in eas.instances()] == [True, True]


def test_a_new_version_that_fails_leaves_the_old_one_its_traffic(eas: Eas) -> None:
    eas.deploy(service_json(instance=2, env={"VERSION": "1"}))
    before = {instance["InstanceName"] for instance in eas.instances()}

    eas.update("svc", service_json(instance=2, command="python -c 'raise SystemExit(1)'"))

    failed = eas.wait(status="Failed")
    assert failed["RunningInstance"] == 2
    assert "The container exited with code 1" in failed["Message"]
    ready = {instance["InstanceName"] for instance in eas.instances() if instance["ReadyProcesses"]}
    assert ready == before
    assert {eas.ask().json()["version"] for _ in range(4)} == {"1"}

    eas.update("svc", service_json(instance=2, env={"VERSION": "3"}))
    eas.wait()
    assert {eas.ask().json()["version"] for _ in range(4)} == {"3"}
    assert len(eas.instances()) == 2


def test_a_new_version_that_never_gets_ready_pauses_the_update(eas: Eas) -> None:
    eas.deploy(service_json(instance=3, env={"VERSION": "1"}))
    unready = {"http_get": {"path": "/?status=503"}}

    eas.update("svc", service_json(instance=3, env={"VERSION": "2"}, container={"readiness_check": unready}))
    until(lambda: any(i["IsLatest"] and i["Status"] == "Running" for i in eas.instances()))

    for _ in range(20):
        assert eas.ask().json()["version"] == "1"
    assert eas.status() == "Updating"
    assert [instance["IsLatest"] for instance in eas.instances()].count(True) == 1
    assert eas.describe()["RunningInstance"] == 3


def test_a_larger_surge_starts_all_new_instances_at_once(eas: Eas) -> None:
    strategy = {"rolling_strategy": {"max_surge": "100%"}}
    eas.deploy(service_json(instance=3, metadata=strategy, env={"VERSION": "1"}))

    slow = f"python {STAND_IN} 8000 0.7"
    eas.update("svc", service_json(instance=3, metadata=strategy, env={"VERSION": "2"}, command=slow))

    until(lambda: len(eas.instances()) == 6)
    eas.wait()
    assert len(eas.instances()) == 3
