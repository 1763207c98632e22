"""A plan from what CloudMonitor has measured, on the emulator."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cloud.cms import cms_client
from emulator.services.eas.metering.summary import Summary
from emulator.state import Settings, State
from jobs.load.measured import measured as measured_load
from jobs.load.series import samples_of, series_of
from jobs.plan import plan_service, stack_clock, wish_of
from jobs.problem import JobError
from jobs.pulumi_stack import PulumiStack
from jobs.stacks import OpenStack
from stacks.capacity import MeasuredCapacity
from stacks.config import StackConfig
from stacks.plans import read_plan, with_plans
from tests.emulator.conftest import RunningEmulator
from tests.emulator.running import run_emulator
from tests.planning.loads import daily

DAYS = 7


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningEmulator, datetime]]:
    """An emulator that has measured a week of shop_dev, which ended at that moment: a rise every day at nine."""
    folder = tmp_path_factory.mktemp("emulator")
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    load = daily(DAYS)
    points = State(Settings(folder, port=1)).cms.points
    begun = end - timedelta(days=DAYS)
    for place, qps in enumerate(load.qps):
        summary = Summary()
        summary.add(float(qps))
        points.add("acs_learn", "qps_total", {"serviceName": "shop_dev"}, begun.timestamp() + 300 * place, summary)
    with run_emulator(folder) as running:
        yield running, end


def opened(emulator: RunningEmulator, plan: Path, **scaling: Any) -> OpenStack:
    forecast = {"mode": "PredictAndScale", "qps_per_replica": 60, "most_steps": 6, "plan": str(plan)}
    settings = {
        "target": {"region": "cn-hangzhou", "account_id": "1234567890123456", "emulator": emulator.url},
        "services": {
            "shop": {
                "model": {"name": "m", "artefact": "a"},
                "instance_type": "ecs.c7.large",
                "scaling": {
                    "min_replicas": 1,
                    "max_replicas": 40,
                    "qps_per_replica": {"target": 42},
                    "forecast": forecast,
                    **scaling,
                },
            }
        },
    }
    config = StackConfig.model_validate_json(json.dumps(settings))
    return OpenStack(config, PulumiStack("dev", plan, plan, config.target.environment()))


def test_the_load_comes_whole_and_in_order(measured: tuple[RunningEmulator, datetime], tmp_path: Path) -> None:
    emulator, end = measured
    stack = opened(emulator, tmp_path / "plan.json")
    now = end + timedelta(minutes=1)
    client = cms_client(stack.target, stack.credentials())
    history, _ = series_of(list(measured_load(client, "shop_dev", now - timedelta(days=16), now)), "shop_dev")
    assert len(history) == DAYS * 288
    assert history.end == end
    assert history.qps[:3] == pytest.approx(daily(DAYS).qps[:3])


def test_a_written_plan_is_one_that_deploy_follows(
    measured: tuple[RunningEmulator, datetime], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    emulator, end = measured
    file = tmp_path / "plans" / "shop.json"
    stack = opened(emulator, file)
    plan_service(stack, "shop", 24, write=True, as_json=True)

    shown, plan = json.loads(capsys.readouterr().out), read_plan(file)
    assert plan is not None
    assert plan.until == end + timedelta(hours=24)
    assert [step.replicas for step in plan.steps] == [step["replicas"] for step in shown["steps"]]
    assert 1 < len(plan.steps) <= 6
    # A thousand requests per second, at 60 a replica, for the nine hours of the day.
    assert max(step.replicas for step in plan.steps) >= 17
    assert [(hour.at - end).total_seconds() for hour in plan.expected] == [3600 * number for number in range(24)]
    assert all(hour.low_qps <= hour.qps <= hour.high_qps for hour in plan.expected)
    assert max(hour.qps for hour in plan.expected) == pytest.approx(1150, rel=0.2)
    planned, told = with_plans(stack.config, "dev", stack_clock(stack))
    scaling = planned.services["shop"].scaling
    assert scaling is not None
    assert len(scaling.schedules) == len(plan.steps) + 1
    assert told == []


def test_without_write_nothing_is_written(measured: tuple[RunningEmulator, datetime], tmp_path: Path) -> None:
    plan_service(opened(measured[0], tmp_path / "plan.json"), "shop", 24, write=False, as_json=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("service", "hours", "scaling", "told"),
    [
        ("other", 24, {}, "the stack has no service 'other'; there are: shop"),
        ("shop", 0, {}, "--horizon-hours has to be above 0 and at most 168, found 0"),
        ("shop", 24, {"forecast": None}, "services.shop.scaling has no forecast: add"),
    ],
)
def test_what_cannot_be_planned_is_told(
    measured: tuple[RunningEmulator, datetime],
    tmp_path: Path,
    service: str,
    hours: float,
    scaling: dict[str, Any],
    told: str,
) -> None:
    stack = opened(measured[0], tmp_path / "plan.json", **scaling)
    with pytest.raises(JobError, match=told):
        plan_service(stack, service, hours, write=True, as_json=True)


def test_the_capacity_is_the_settings_or_what_was_measured(
    measured: tuple[RunningEmulator, datetime], tmp_path: Path
) -> None:
    found = MeasuredCapacity(
        qps_per_replica=84,
        measured_at=datetime.now(UTC),
        replicas=2,
        instance_type="ecs.c7.large",
        model="m 1",
        latency_ms=100,
        percentile=95,
        payload_bytes=300,
        limited=False,
    )
    config = opened(measured[0], tmp_path / "plan.json").config
    assert wish_of(config, "shop", found)[0].rule.capacity == 60
    config = opened(measured[0], tmp_path / "plan.json", forecast={}).config
    wish, _ = wish_of(config, "shop", found)
    assert (wish.rule.capacity, wish.present_target) == (84, 0.5)
    with pytest.raises(JobError, match="measure it, `paistack loadtest shop`, or set services"):
        wish_of(config, "shop", None)


def test_a_service_without_load_is_told(measured: tuple[RunningEmulator, datetime], tmp_path: Path) -> None:
    stack = opened(measured[0], tmp_path / "plan.json")
    config = stack.config.model_copy(update={"services": {"quiet": stack.config.services["shop"]}})
    quiet = samples_of(OpenStack(config, stack.pulumi), "quiet", datetime.now(UTC), 16)
    with pytest.raises(JobError, match="CloudMonitor has no load of quiet_dev to plan by: there are 0 samples"):
        series_of(quiet, "quiet_dev")
