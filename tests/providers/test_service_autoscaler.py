"""An autoscaler through the real SDK and the emulator."""

import json
from typing import Any

import httpx
import pytest
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.service_autoscaler import AutoscalerProvider
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.emulator.running import RunningEmulator
from tests.providers.wire import on_the_wire


def inputs(**changes: Any) -> Props:
    whole = {
        "min_replicas": 1,
        "max_replicas": 5,
        "thresholds": {"qps": 20, "cpu": 60},
        "scale_out_window_s": 0,
        "scale_in_window_s": 120,
        "to_zero_after_s": 600,
        "wake_replicas": 1,
        "scheduled_replicas": [],
        "floor_moves": False,
        "adopt": False,
    } | changes
    return on_the_wire(cluster_id="cn-hangzhou", service_name="svc", **whole)


@pytest.fixture
def provider(configured: ConfigureRequest, eas: Eas) -> AutoscalerProvider:
    eas.create(service_json(instance=0))
    provider = AutoscalerProvider()
    provider.configure(configured)
    return provider


def described(eas: Eas) -> dict[str, Any]:
    return call(eas, "DescribeServiceAutoScaler", "svc")


def bounds(eas: Eas) -> tuple[int, int]:
    found = described(eas)
    return found["MinReplica"], found["MaxReplica"]


def test_an_autoscaler_is_made_changed_and_removed(provider: AutoscalerProvider, eas: Eas) -> None:
    created = provider.create(inputs())
    found = described(eas)
    assert (found["MinReplica"], found["MaxReplica"]) == (1, 5)
    assert {each["metricName"].lower(): each["threshold"] for each in found["ScaleStrategies"]} == {
        "qps": 20,
        "cpu": 60,
    }
    assert "120" in json.dumps(found["Behavior"])
    assert provider.read(created.id, created.outs or {}).inputs == inputs()

    provider.update(created.id, created.outs or {}, inputs(max_replicas=8, thresholds={"qps": 5}))
    assert bounds(eas) == (1, 8)
    assert len(described(eas)["ScaleStrategies"]) == 1

    provider.delete(created.id, created.outs or {})
    provider.delete(created.id, created.outs or {})
    assert provider.read(created.id, created.outs or {}).id == ""


def test_an_autoscaler_that_is_there_is_taken_over_only_by_order(provider: AutoscalerProvider, eas: Eas) -> None:
    call(eas, "CreateServiceAutoScaler", "svc", min=2, max=3, scaleStrategies=[{"metricName": "qps", "threshold": 1}])

    with pytest.raises(CloudError, match="there is already an autoscaler of svc; delete it, or set adopt"):
        provider.create(inputs())
    assert bounds(eas) == (2, 3)
    provider.create(inputs(adopt=True))

    assert bounds(eas) == (1, 5)


@pytest.mark.parametrize(
    ("change", "seen"),
    [
        ({"min": 2}, {"min_replicas": 2}),
        ({"max": 9}, {"max_replicas": 9}),
        ({"scaleStrategies": [{"metricName": "qps", "threshold": 33}]}, {"thresholds": {"qps": 33}}),
        (
            {"behavior": {"scaleUp": {"stabilizationWindowSeconds": 30}}},
            {"scale_out_window_s": 30, "scale_in_window_s": 300},
        ),
    ],
)
def test_what_somebody_else_changes_shows(
    provider: AutoscalerProvider, eas: Eas, change: dict[str, Any], seen: dict[str, Any]
) -> None:
    created = provider.create(inputs())
    known = created.outs or {}
    strategies = [{"metricName": name, "threshold": value} for name, value in inputs()["thresholds"].items()]
    behavior = {"scaleDown": {"stabilizationWindowSeconds": 120}}
    whole = {"min": 1, "max": 5, "scaleStrategies": strategies, "behavior": behavior}
    call(eas, "UpdateServiceAutoScaler", "svc", **whole | change)

    assert provider.read(created.id, known).inputs == inputs(**seen)

    provider.update(created.id, provider.read(created.id, known).outs or {}, inputs())
    assert provider.read(created.id, known).inputs == inputs()


def test_bounds_that_a_schedule_has_moved_are_no_drift_and_stay_through_a_change(
    provider: AutoscalerProvider, eas: Eas, emulator: RunningEmulator
) -> None:
    created = provider.create(inputs(scheduled_replicas=[1, 3]))
    call(eas, "CreateServiceCronScaler", "svc", ScaleJobs=[{"Name": "up", "Schedule": "0 * * * * *", "TargetSize": 3}])
    httpx.post(f"{emulator.url}/_emulator/clock", json={"advance_s": 61}).raise_for_status()
    until(lambda: bounds(eas)[0] == 3, "the schedule's least number")

    assert provider.read(created.id, created.outs or {}).inputs == inputs(scheduled_replicas=[1, 3])
    provider.update(created.id, created.outs or {}, inputs(scheduled_replicas=[1, 3], max_replicas=9))

    assert bounds(eas) == (3, 9)


def move_floor(eas: Eas, minimum: int, maximum: int = 5) -> None:
    strategies = [{"metricName": name, "threshold": value} for name, value in inputs()["thresholds"].items()]
    whole = {"scaleStrategies": strategies, "behavior": {"scaleDown": {"stabilizationWindowSeconds": 120}}}
    call(eas, "UpdateServiceAutoScaler", "svc", min=minimum, max=maximum, **whole)


def test_a_floor_that_a_controller_moves_is_no_drift_within_the_bounds(provider: AutoscalerProvider, eas: Eas) -> None:
    created = provider.create(inputs(floor_moves=True))
    for floor in (1, 3, 4):
        move_floor(eas, floor)
        assert provider.read(created.id, created.outs or {}).inputs == inputs(floor_moves=True)
    move_floor(eas, 0)
    assert provider.read(created.id, created.outs or {}).inputs == inputs(floor_moves=True, min_replicas=0)
    move_floor(eas, 7, 9)
    seen = inputs(floor_moves=True, min_replicas=7, max_replicas=9)
    assert provider.read(created.id, created.outs or {}).inputs == seen


@pytest.mark.parametrize(
    ("change", "after"),
    [
        ({"max_replicas": 9}, (3, 9)),
        ({"thresholds": {"qps": 7}}, (3, 5)),
        ({"min_replicas": 4}, (4, 5)),
        ({"max_replicas": 3}, (1, 3)),
        ({"floor_moves": False}, (1, 5)),
    ],
)
def test_an_update_leaves_a_controllers_floor_where_it_fits(
    provider: AutoscalerProvider, eas: Eas, change: dict[str, Any], after: tuple[int, int]
) -> None:
    created = provider.create(inputs(floor_moves=True))
    move_floor(eas, 3)

    provider.update(created.id, created.outs or {}, inputs(**{"floor_moves": True} | change))

    assert bounds(eas) == after


def test_the_clouds_refusal_reaches_the_user(provider: AutoscalerProvider) -> None:
    with pytest.raises(CloudError, match="InvalidParameter"):
        provider.create(inputs(min_replicas=5, max_replicas=5))


def test_an_autoscaler_of_a_service_that_is_gone_reads_as_gone(provider: AutoscalerProvider, eas: Eas) -> None:
    created = provider.create(inputs())
    call(eas, "DeleteService", "svc")
    until(eas.gone, "the service's end")

    assert provider.read(created.id, created.outs or {}).id == ""
    provider.delete(created.id, created.outs or {})
