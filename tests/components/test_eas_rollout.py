"""What a service's settings register about its versions and its lock."""

from collections.abc import Callable
from typing import Any

import pytest
from pulumi import ResourceOptions
from pulumi_alicloud import pai

from components.eas_config import EasServiceSettings
from components.eas_rollout import bring_up
from tests.components.conftest import Recorder

Registered = Callable[..., dict[str, Any]]


@pytest.fixture
def registered(engine: Recorder, run: Callable[[Callable[[], object]], None]) -> Registered:
    """The inputs of what is registered for a service with these settings, by the resource's role."""

    def registered(**settings: Any) -> dict[str, Any]:
        whole = {"model": {"name": "m", "artefact": "out"}, "instance_type": "ecs.c7.large"} | settings

        def program() -> None:
            bring_up(
                "svc",
                EasServiceSettings.model_validate(whole),
                cluster_id="cn-hangzhou",
                service=pai.Service("svc-service", service_config="{}"),
                config={"metadata": {"name": "svc_test"}},
                environment={},
                after=[],
                opts=ResourceOptions(),
            )

        run(program)
        roles = {name.removeprefix("svc-"): args.inputs for name, args in engine.registered.items()}
        return {role: inputs for role, inputs in roles.items() if role != "service"}

    return registered


def test_a_service_runs_what_is_declared_and_nothing_else_is_registered(registered: Registered) -> None:
    found = registered()

    assert list(found) == ["revision"]
    assert found["revision"]["config"] == {"metadata": {"name": "svc_test"}}


def test_a_pinned_version_takes_the_place_of_what_is_declared(registered: Registered) -> None:
    found = registered(pinned_version=3)

    assert list(found) == ["version"]
    assert found["version"]["version"] == 3


def test_a_pinned_version_waits_as_long_as_an_update(registered: Registered) -> None:
    assert registered(pinned_version=3, timeouts={"update_min": 7})["version"]["timeout_s"] == 420


@pytest.mark.parametrize(
    ("rollout", "strategy"),
    [
        ({"batch": {"size": "25%", "interval_s": 60}}, ("25%", 60, "", False)),
        ({"batch": {"size": 2}, "paused": True}, ("2", 0, "", True)),
        ({"partition": 0}, ("", 0, "0", False)),
        ({"partition": "50%"}, ("", 0, "50%", False)),
    ],
)
def test_a_staged_rollout_is_there_before_what_it_stages(
    registered: Registered, rollout: dict[str, Any], strategy: tuple[Any, ...]
) -> None:
    found = registered(replicas=4, rollout=rollout)

    assert list(found) == ["rollout", "revision"]
    staged = found["rollout"]
    assert (staged["batch_size"], staged["interval_s"], staged["partition"], staged["paused"]) == strategy


@pytest.mark.parametrize(
    ("lock", "order"),
    [
        ("none", ["lock", "revision"]),
        ("dangerous", ["lock", "revision"]),
        ("all", ["revision", "lock"]),
    ],
)
def test_a_lock_that_forbids_changes_is_put_on_after_them(registered: Registered, lock: str, order: list[str]) -> None:
    found = registered(safety_lock=lock)

    assert list(found) == order
    assert found["lock"]["lock"] == lock
