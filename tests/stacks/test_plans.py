"""Plans become schedules of the services that want them, or words about why not."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from stacks.config import StackConfig
from stacks.plans import PLANS, plan_file, read_plan, with_plans
from stacks.problems import ConfigError

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def config(plan: Path | None, **forecast: Any) -> StackConfig:
    wanted = {"mode": "PredictAndScale", "qps_per_replica": 60, **forecast}
    if plan is not None:
        wanted["plan"] = str(plan)
    scaling = {"min_replicas": 1, "max_replicas": 4, "qps_per_replica": {"target": 40}, "forecast": wanted}
    service = {"model": {"name": "m", "artefact": "a"}, "instance_type": "ecs.c7.large", "scaling": scaling}
    target = {"region": "cn-hangzhou", "account_id": "1234567890123456"}
    return StackConfig.model_validate_json(json.dumps({"target": target, "services": {"shop": service}}))


def write(file: Path, *replicas: int, until: datetime = NOW + timedelta(hours=12)) -> Path:
    steps = [
        {"at": (NOW + timedelta(hours=hour, seconds=30)).isoformat(), "replicas": n} for hour, n in enumerate(replicas)
    ]
    plan = {
        "made_at": NOW.isoformat(),
        "until": until.isoformat(),
        "steps": steps,
        "target_utilisation": None,
        "method": "seasons",
        "why": "it pays",
    }
    file.write_text(json.dumps(plan))
    return file


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "shop.json"


def schedules(config: StackConfig) -> dict[str, tuple[str, int]]:
    scaling = config.services["shop"].scaling
    assert scaling is not None
    return {name: (job.cron, job.replicas) for name, job in scaling.schedules.items()}


def test_each_step_is_a_job_by_the_clock_of_eas_and_the_end_goes_back_to_the_least(file: Path) -> None:
    planned, told = with_plans(config(write(file, 2, 4)), "dev", NOW)
    assert schedules(planned) == {
        "plan-1": ("30 0 20 2 3 *", 2),
        "plan-2": ("30 0 21 2 3 *", 4),
        "plan-3": ("0 0 8 3 3 *", 1),
    }
    assert told == []


def test_a_plan_that_is_only_made_changes_nothing(file: Path) -> None:
    before = config(write(file, 2, 4), mode="PredictOnly")
    assert with_plans(before, "dev", NOW) == (before, [])


def test_a_plan_is_not_applied_beside_a_controller(file: Path) -> None:
    before = config(write(file, 2, 4), applied_by="controller")
    scaling = before.services["shop"].scaling
    assert with_plans(before, "dev", NOW) == (before, [])
    assert scaling is not None
    assert scaling.floor_moves
    quiet = config(file, applied_by="controller", mode="PredictOnly").services["shop"].scaling
    assert quiet is not None
    assert not quiet.floor_moves


def test_a_plan_that_has_ended_holds_nothing_and_is_told(file: Path) -> None:
    planned, (told,) = with_plans(config(write(file, 2, 4, until=NOW)), "dev", NOW)
    assert schedules(planned) == {}
    assert "shop scales by load alone: its plan ended at 2026-03-02T12:00:00+00:00" in told
    assert "`paistack forecast --stack dev --service shop --write` renews it" in told


def test_a_plan_that_is_not_there_is_told(file: Path) -> None:
    planned, (told,) = with_plans(config(file), "dev", NOW)
    assert schedules(planned) == {}
    assert f"there is no plan {file}" in told


def test_a_plan_without_steps_leaves_the_service_reactive(file: Path) -> None:
    planned, told = with_plans(config(write(file)), "dev", NOW)
    assert (schedules(planned), told) == ({}, [])


def test_a_plan_outside_the_bounds_is_refused_where_it_leaves_them(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"shop\.json: steps\.1\.replicas: found 5, outside min_replicas, 1, to max"):
        with_plans(config(write(file, 2, 5)), "dev", NOW)


@pytest.mark.parametrize(
    ("content", "told"),
    [("{", "the document: Invalid JSON"), ("{}", "made_at: Field required"), ('{"x": 1}', "made_at: Field required")],
)
def test_a_file_that_is_no_plan_is_refused(file: Path, content: str, told: str) -> None:
    file.write_text(content)
    with pytest.raises(ConfigError, match=rf"shop\.json: {told}.*paistack forecast --write"):
        read_plan(file)


def test_a_plan_stands_by_stack_and_service() -> None:
    assert plan_file(config(None), "dev", "shop") == PLANS / "dev" / "shop.json"


def test_schedules_of_a_person_and_a_plan_exclude_each_other(file: Path) -> None:
    document = json.loads(config(file).model_dump_json(exclude_unset=True))
    scaling = document["services"]["shop"]["scaling"]
    scaling["schedules"] = {"night": {"cron": "0 0 22 * * *", "replicas": 1}}
    with pytest.raises(ValueError, match="a forecast and schedules would undo each other"):
        StackConfig.model_validate_json(json.dumps(document))
    scaling["forecast"]["mode"] = "PredictOnly"
    StackConfig.model_validate_json(json.dumps(document))
