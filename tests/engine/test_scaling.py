"""A service that scales by load and by schedule, with the real engine, our dynamic resources and the emulator."""

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobs.emulator import EmulatorProcess
from jobs.plan import stack_clock, store
from stacks.plans import PlannedStep, ScalingPlan
from tests.emulator.eas.conftest import STAND_IN
from tests.emulator.eas.steady_load import SteadyLoad, Tally
from tests.engine.conftest import Deployment

pytestmark = [pytest.mark.engine, pytest.mark.slow]

log = logging.getLogger(__name__)

# Requests a second, and for how long.
RISE, RISE_S = 50.0, 12.0
LOAD = {"min_replicas": 1, "max_replicas": 4, "qps_per_replica": {"target": 20}}
# Every hour, so that an hour of the moved clock brings each of them.
RUSH = {"cron": "0 15 * * * *", "replicas": 3}
CALM = {"cron": "0 45 * * * *", "replicas": 1}


@pytest.fixture(scope="module")
def deployed(
    emulator: EmulatorProcess, state_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A stack whose service scales by load."""
    deployment = Deployment("sc", tmp_path_factory.mktemp("scaling"), state_folder, emulator)
    deployment.service["scaling"] = LOAD
    deployment.up()
    yield deployment
    deployment.destroy()
    assert deployment.cloud().everything() == []


@pytest.fixture
def changing(deployed: Deployment) -> Iterator[Deployment]:
    """The deployed stack for a test that changes it, as at first."""
    settings = json.dumps(deployed.settings)
    yield deployed
    deployed.settings = json.loads(settings)
    deployed.up()


def cloud_time(deployment: Deployment) -> datetime:
    return stack_clock(deployment.open())


def minutes_pass(deployment: Deployment, minutes: float) -> None:
    """Moves the cloud's clock forward."""
    clock = f"{deployment.emulator.url}/_emulator/clock"
    httpx.post(clock, json={"advance_s": 60 * minutes}, trust_env=False).raise_for_status()


def half_an_hour_later(deployment: Deployment) -> str:
    """The schedule that is then the last one that was due."""
    minutes_pass(deployment, 30)
    return "rush" if 15 <= cloud_time(deployment).minute < 45 else "calm"


def declared(step: dict[str, Any], state: str) -> tuple[int, int, dict[str, float]]:
    inputs = step[state]["inputs"]
    return inputs["min_replicas"], inputs["max_replicas"], inputs["thresholds"]


def await_bounds(deployment: Deployment, bounds: tuple[int, int]) -> None:
    deadline = time.monotonic() + 60
    while (found := deployment.cloud().autoscaler(deployment.service_name)) != (*bounds, {"qps": 20}):
        assert time.monotonic() < deadline, f"the bounds stay {found}"
        time.sleep(0.1)


def test_the_load_decides_within_the_declared_bounds(deployed: Deployment) -> None:
    assert deployed.cloud().autoscaler(deployed.service_name) == (1, 4, {"qps": 20})
    assert deployed.ask().status_code == 200


def test_neither_a_second_up_nor_a_refresh_changes_anything(deployed: Deployment) -> None:
    deployed.up("--expect-no-changes")
    assert deployed.refresh("--expect-no-changes") == 0


def test_a_change_of_scaling_is_one_update_that_tells_old_and_new(changing: Deployment) -> None:
    version = changing.cloud().version(changing.service_name)
    changing.service["scaling"] = LOAD | {"max_replicas": 6, "qps_per_replica": {"out_above": 33, "in_below": 25}}

    planned = changing.steps()

    assert {name: step["op"] for name, step in planned.items()} == {"tiny": "update", "tiny-autoscaler": "update"}
    before, after = (declared(planned["tiny-autoscaler"], when) for when in ("oldState", "newState"))
    assert (before, after) == ((1, 4, {"qps": 20}), (1, 6, {"qps": 30}))
    changing.up()
    assert changing.cloud().autoscaler(changing.service_name) == (1, 6, {"qps": 30})
    assert changing.cloud().version(changing.service_name) == version, "no replica was replaced"


def test_schedules_move_the_bounds_and_none_of_it_is_drift(changing: Deployment) -> None:
    changing.service["scaling"] = LOAD | {"schedules": {"rush": RUSH, "calm": CALM}}
    changing.up()

    for _ in range(4):
        due = half_an_hour_later(changing)
        await_bounds(changing, (3, 4) if due == "rush" else (1, 4))
        assert changing.planned() == {}
        assert changing.refresh("--expect-no-changes") == 0


def write_plan(file: Path, now: datetime, replicas: list[int], *, until: datetime) -> None:
    """A step in ten minutes, one in twenty, and so on."""
    at = [now + timedelta(minutes=10 * number) for number in range(1, 1 + len(replicas))]
    steps = tuple(PlannedStep(at=when, replicas=each) for when, each in zip(at, replicas, strict=True))
    store(
        file,
        ScalingPlan(made_at=now, until=until, steps=steps, target_utilisation=None, method="seasons", why="it pays"),
    )


def test_a_plan_is_the_floor_until_its_end_and_its_steps_show_in_the_preview(changing: Deployment) -> None:
    file = changing.folder / "plan.json"
    now = cloud_time(changing)

    write_plan(file, now, [2, 3], until=now + timedelta(hours=1))
    wanted = {"mode": "PredictAndScale", "qps_per_replica": 30, "plan": str(file)}
    changing.service["scaling"] = LOAD | {"forecast": wanted}
    assert changing.planned()["tiny-cron-scaler"] == "create"
    changing.up()
    assert changing.planned() == {}

    half_an_hour_later(changing)
    await_bounds(changing, (3, 4))
    assert changing.refresh("--expect-no-changes") == 0

    write_plan(file, now, [2, 4], until=now + timedelta(hours=1))
    step = changing.steps()["tiny-cron-scaler"]
    replicas = {name: job["replicas"] for name, job in step["newState"]["inputs"]["schedules"].items()}
    assert (step["op"], replicas) == ("update", {"plan-1": 2, "plan-2": 4, "plan-3": 1})

    half_an_hour_later(changing)
    await_bounds(changing, (1, 4))
    write_plan(file, now, [2, 4], until=datetime.now(UTC))
    assert changing.planned()["tiny-cron-scaler"] == "delete"


def await_replicas(deployment: Deployment, number: int) -> None:
    deadline = time.monotonic() + 60
    while (found := deployment.cloud().serving(deployment.service_name)) != number:
        assert time.monotonic() < deadline, f"{found} replicas serve, and not {number}"
        time.sleep(0.1)


def rise(deployment: Deployment) -> Tally:
    """Twelve seconds of a load that needs three replicas."""
    outputs = deployment.outputs()
    load = SteadyLoad(outputs["endpoint"], outputs["token"], rate=RISE)
    load.start()
    time.sleep(RISE_S)
    load.end()
    tally = load.tally
    log.info("%d sent, %d answered, refused: %s", tally.sent, tally.answered, dict(tally.refused))
    assert tally.sent > 0.8 * RISE * RISE_S, "the client could not keep up its rate"
    return tally


def test_a_plan_serves_the_rise_that_the_rule_alone_refuses(changing: Deployment) -> None:
    """A replica starts for four seconds; it takes a quarter of a second for each request, five at a time."""
    environment = {"SLEEP_S": "0.25", "WAIT_S": "4"}
    changing.service["container"] = {"server": str(STAND_IN), "environment": environment}
    changing.service["request"] = {"queue_size": 5}
    file, now = changing.folder / "rise.json", cloud_time(changing)
    write_plan(file, now, [1, 1, 4], until=now + timedelta(hours=2))
    wanted = {"mode": "PredictAndScale", "qps_per_replica": 20, "plan": str(file)}
    changing.service["scaling"] = LOAD | {"qps_per_replica": {"target": 14}, "forecast": wanted}
    changing.up()
    await_replicas(changing, 1)

    alone = rise(changing)
    # In the four seconds of a start, at least, 50 are asked for and 20 served a second, and 10 are in it at the end.
    assert alone.refused[450] > 60
    await_replicas(changing, 4)

    time.sleep(4)  # the autoscaler looks back at three real seconds, however the clock is moved
    minutes_pass(changing, 15)
    await_replicas(changing, 1)
    minutes_pass(changing, 20)
    await_replicas(changing, 4)
    assert len(rise(changing).lost) <= 6


def test_drift_in_the_bounds_shows_on_refresh_and_up_puts_it_right(changing: Deployment) -> None:
    changing.cloud().rescale(changing.service_name, minimum=2, maximum=9)

    assert changing.refresh() == 0
    assert changing.planned() == {"tiny-autoscaler": "update"}
    changing.up()

    assert changing.cloud().autoscaler(changing.service_name) == (1, 4, {"qps": 20})


def test_a_fixed_number_of_replicas_takes_the_scalers_away_and_they_come_back(changing: Deployment) -> None:
    del changing.service["scaling"]
    changing.service["replicas"] = 2
    changing.up()
    assert changing.cloud().autoscaler(changing.service_name) is None
    assert changing.cloud().replicas(changing.service_name) == 2

    del changing.service["replicas"]
    changing.service["scaling"] = LOAD | {"min_replicas": 2}
    changing.up()
    assert changing.cloud().autoscaler(changing.service_name) == (2, 4, {"qps": 20})
    assert changing.cloud().replicas(changing.service_name) == 2


def test_a_floor_that_a_controller_moves_is_left_alone_until_it_is_taken_back(changing: Deployment) -> None:
    def handed_to(owner: str) -> dict[str, Any]:
        return LOAD | {
            "forecast": {"mode": "PredictAndScale", "applied_by": owner, "qps_per_replica": 30, "plan": "none"}
        }

    changing.service["scaling"] = handed_to("controller")
    changing.up()
    changing.cloud().rescale(changing.service_name, minimum=3, maximum=4)

    changing.up("--expect-no-changes")
    assert changing.refresh("--expect-no-changes") == 0
    changing.service["scaling"] |= {"max_replicas": 6}
    changing.up()
    assert changing.cloud().autoscaler(changing.service_name) == (3, 6, {"qps": 20})
    changing.service["scaling"] = handed_to("plan") | {"max_replicas": 6}
    assert changing.planned()["tiny-autoscaler"] == "update"
    changing.up()
    assert changing.cloud().autoscaler(changing.service_name) == (1, 6, {"qps": 20})
