"""What the settings of scaling become on EAS, and which bands and schedules EAS cannot do."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.scaling_config import ScalingSettings, highest_scale_in

LOAD = {"min_replicas": 1, "max_replicas": 5, "qps_per_replica": {"target": 20}}
MORNING = {"cron": "0 0 8 * * MON-FRI", "replicas": 4}
NIGHT = {"cron": "0 0 20 * * *", "replicas": 1}


def scaling(**changes: Any) -> ScalingSettings:
    return ScalingSettings.model_validate(LOAD | changes)


def test_targets_are_told_under_eass_own_names() -> None:
    settings = scaling(qps_per_replica={"target": 12.5}, cpu_percent={"target": 60}, gpu_percent={"target": 70})

    assert settings.thresholds == {"qps": 12.5, "cpu": 60, "gpu[util]": 70}


def test_schedules_alone_need_no_bounds_and_begin_with_the_most() -> None:
    settings = ScalingSettings.model_validate({"schedules": {"morning": MORNING, "night": NIGHT}})

    assert settings.bounds == (1, 4)
    assert settings.first_replicas == 4
    assert settings.thresholds == {}


@pytest.mark.parametrize(("least", "begins_with"), [(0, 1), (1, 1), (3, 3)])
def test_a_service_that_scales_by_load_begins_with_the_least_but_never_with_none(least: int, begins_with: int) -> None:
    assert scaling(min_replicas=least).first_replicas == begins_with


def reactive(replicas: int, average: float, threshold: float) -> int:
    """EAS's rule: ceil(current x metric / threshold), and no change within 10 % of the threshold."""
    if abs(average / threshold - 1) <= 0.1:
        return replicas
    return -int(-(replicas * average / threshold) // 1)


@pytest.mark.parametrize("threshold", [10, 55.5, 80])
@pytest.mark.parametrize("most", [2, 3, 5, 11, 40])
def test_no_replica_goes_above_the_highest_scale_in_and_one_does_below(most: int, threshold: float) -> None:
    edge = highest_scale_in(threshold, most)

    assert all(reactive(n, edge * 1.001, threshold) >= n for n in range(2, most + 1))
    assert any(reactive(n, edge * 0.999, threshold) < n for n in range(2, most + 1))


def test_a_band_becomes_the_threshold_whose_tolerance_ends_at_its_upper_edge() -> None:
    settings = scaling(max_replicas=2, cpu_percent={"out_above": 66, "in_below": 30})

    assert settings.thresholds["cpu"] == 60
    assert reactive(1, 66.1, 60) == 2
    assert reactive(1, 65.9, 60) == 1


@pytest.mark.parametrize("most", [2, 5, 40])
def test_the_band_that_an_error_proposes_is_taken(most: int) -> None:
    with pytest.raises(ValidationError, match="Set in_below to") as refused:
        scaling(max_replicas=most, cpu_percent={"out_above": 66, "in_below": 5})
    proposed = float(str(refused.value).split("Set in_below to ")[1].split(",")[0].split(" to ")[0])

    assert scaling(max_replicas=most, cpu_percent={"out_above": 66, "in_below": proposed}).thresholds["cpu"] == 60


def test_schedules_that_meet_only_on_excluded_days_agree() -> None:
    schedules = {
        "early": {"cron": "0 0 8 * * MON,TUE", "replicas": 4},
        "late": {"cron": "0 0 8 * * TUE,WED", "replicas": 2},
        "night": NIGHT,
    }
    with pytest.raises(
        ValidationError, match=r"schedules\.early and schedules\.late ask for 4 and 2 replicas at the same"
    ):
        scaling(schedules=schedules)

    assert scaling(schedules=schedules, excluded_dates=["* * * * * TUE"]).scheduled_replicas == [1, 2, 4]


def test_the_same_hour_of_two_time_zones_is_not_the_same_moment() -> None:
    shanghai = {"cron": "0 0 8 * * *", "replicas": 2}
    berlin = {"cron": "0 0 8 * * *", "replicas": 4, "time_zone": "Europe/Berlin"}

    assert scaling(schedules={"east": shanghai, "west": berlin, "night": NIGHT}).scheduled_replicas == [1, 2, 4]
    with pytest.raises(ValidationError, match="at the same moment"):
        scaling(schedules={"east": shanghai, "west": berlin | {"cron": "0 0 2 * * *"}, "night": NIGHT})
