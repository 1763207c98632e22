"""The rules of a service: their limits in CloudMonitor's units, and what is left out."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.alarm_rules import DEFAULTS, LEVELS, WATCHED, AlarmRule, alarm_rules, effective_interval
from components.eas_config import EasServiceSettings
from components.machine_types import memory_gib, vcpus

LOAD = {"min_replicas": 1, "max_replicas": 4, "qps_per_replica": {"target": 10}}


def service(**changes: Any) -> EasServiceSettings:
    plain = {"model": {"name": "fashion", "artefact": "out"}, "instance_type": "ecs.c7.large"}
    return EasServiceSettings.model_validate(plain | changes)


def rules(**changes: Any) -> dict[str, AlarmRule]:
    return {rule.key: rule for rule in alarm_rules(service(**changes))}


def test_every_service_has_rules_without_any_setting() -> None:
    assert set(rules()) == {
        "cpu_percent", "memory_percent", "latency_ms", "success_percent", "client_errors_percent",
        "server_errors_percent", "missing_replicas",
    }  # fmt: skip


def test_what_jobs_report_is_watched_where_a_limit_is_given_and_each_report_counts() -> None:
    limits = {
        "accuracy_percent": {"warn": {"limit": 85}, "emergency": {"limit": 70}},
        "input_drift_psi": {"critical": {"limit": 0.25}},
    }
    found = rules(alarms={"rules": limits, "without": ["missing_replicas"]})

    assert found.keys() - rules().keys() == limits.keys()
    assert found["accuracy_percent"].levels == {"Info": ("85", 1), "Critical": ("70", 1)}
    assert (found["accuracy_percent"].comparison, found["accuracy_percent"].by) == ("<", "paistack quality --publish")
    assert found["input_drift_psi"].levels == {"Warn": ("0.25", 1)}


@pytest.mark.parametrize(
    ("alarms", "told"),
    [
        (
            {"rules": {"f1_percent": {"warn": {"limit": 80, "for_min": 5}}}},
            "f1_percent is reported seldom, and each report counts; leave for_min out",
        ),
        (
            {"rules": {"accuracy_percent": {"warn": {"limit": 70}, "critical": {"limit": 80}}}},
            "critical must be below warn, found 80 and 70",
        ),
        (
            {"rules": {"cost_cny_per_day": {"warn": {"limit": 500}}}},
            "the price is not known; set billing.price_cny_per_replica_hour",
        ),
    ],
)
def test_what_cannot_be_meant_of_reported_metrics_is_refused(alarms: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        service(alarms=alarms)


def test_the_gpu_and_the_load_are_watched_where_there_is_a_gpu_and_a_known_capacity() -> None:
    found = rules(instance_type="ecs.gn6i-c4g1.xlarge", scaling=LOAD)

    assert found.keys() - rules().keys() == {"gpu_percent", "load_percent"}
    assert "memory_percent" not in found, "how much memory machines with GPUs have follows no rule"
    assert found["load_percent"].levels["Info"] == ("35.2", 5), "80 % of 4 replicas that do 11 requests/s"


@pytest.mark.parametrize(
    ("setting", "limit", "metric", "comparison", "threshold"),
    [
        ("cpu_percent", 50, "cpu_core_usage", ">", "1"),
        ("memory_percent", 50, "memory_rss", ">", "2147483648"),
        ("latency_ms", 250, "rt", ">", "250000"),
        ("success_percent", 99.5, "rps_status_2xx_ratio", "<", "99.5"),
        ("client_errors_percent", 10, "rps_status_4xx_ratio", ">", "10"),
        ("server_errors_percent", 0.5, "rps_status_5xx_ratio", ">", "0.5"),
    ],
)
def test_a_limit_is_told_in_the_metrics_own_unit(
    setting: str, limit: float, metric: str, comparison: str, threshold: str
) -> None:
    rule = rules(alarms={"rules": {setting: {"critical": {"limit": limit, "for_min": 7}}}})[setting]

    assert (rule.metric, rule.comparison, rule.levels) == (metric, comparison, {"Warn": (threshold, 7)})


def test_levels_are_those_that_reach_the_documented_channels() -> None:
    assert LEVELS == {"warn": "Info", "critical": "Warn", "emergency": "Critical"}
    assert list(rules()["latency_ms"].levels) == ["Info", "Warn", "Critical"]


def test_latency_is_held_against_the_time_limit_unless_it_is_set() -> None:
    found = rules(request={"timeout_s": 10})["latency_ms"].levels

    assert found == {"Info": ("2000000", 5), "Warn": ("5000000", 3), "Critical": ("8000000", 3)}


def test_a_set_rule_has_only_its_own_levels_and_the_others_keep_theirs() -> None:
    found = rules(alarms={"rules": {"latency_ms": {"emergency": {"limit": 900}}}, "without": ["cpu_percent"]})

    assert found["latency_ms"].levels == {"Critical": ("900000", 3)}
    assert "cpu_percent" not in found
    assert found["server_errors_percent"] == rules()["server_errors_percent"]


def test_quiet_levels_have_a_rule_of_their_own_that_is_effective_for_the_rest_of_the_day() -> None:
    found = rules(alarms={"quiet": "23:00-07:00", "quiet_levels": ["warn", "critical"]})

    assert list(found["latency_ms"].levels) == ["Critical"]
    assert found["latency_ms"].effective_interval == "00:00-23:59"
    assert list(found["latency_ms_quiet"].levels) == ["Info", "Warn"]
    assert found["latency_ms_quiet"].effective_interval == "07:00-22:59"
    assert "latency_ms_quiet" not in rules()


@pytest.mark.parametrize(
    ("quiet", "effective"),
    [("23:00-07:00", "07:00-22:59"), ("00:00-06:30", "06:30-23:59"), ("12:00-13:00", "13:00-11:59")],
)
def test_the_end_of_a_quiet_time_is_not_quiet_and_its_begin_is(quiet: str, effective: str) -> None:
    assert effective_interval(quiet) == effective


def test_default_limits_are_in_order_and_can_be_reached() -> None:
    for key, levels in DEFAULTS.items():
        limits = [levels[name].limit for name in LEVELS if name in levels]
        ordered = sorted(limits, reverse=WATCHED[key].worse == "below")
        assert limits == ordered
        assert len(set(limits)) == len(limits)
        assert all(limit < (WATCHED[key].highest or 101) for limit in limits)
    only_by_settings = {key for key, watched in WATCHED.items() if watched.seldom} | {
        "cost_cny_per_day",
        "forecast_error_percent",
    }
    assert DEFAULTS.keys() == WATCHED.keys() - only_by_settings


@pytest.mark.parametrize(
    ("machine", "cores", "memory"),
    [
        ("ecs.c7.large", 2, 4), ("ecs.g7.xlarge", 4, 16), ("ecs.r6e.4xlarge", 16, 128), ("ecs.c6.2xlarge", 8, 16),
        ("ecs.gn6i-c4g1.xlarge", 4, None), ("ecs.gn7i-c32g1.16xlarge", 64, None), ("ecs.t6-c1m1.small", None, None),
    ],
)  # fmt: skip
def test_what_a_machine_has_is_told_by_its_type(machine: str, cores: int | None, memory: int | None) -> None:
    assert (vcpus(machine), memory_gib(machine)) == (cores, memory)
