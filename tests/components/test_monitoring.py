"""What the monitoring of a stack registers."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from components.alarm_config import MonitoringSettings
from components.eas_config import EasServiceSettings
from components.monitoring import Monitoring
from tests.components.conftest import Recorder

CONTACTS = {"anna": {"mail": "anna@example.com", "sms": "13000000000"}, "robot": {"dingtalk": "https://d.example/1"}}


@pytest.fixture
def register(engine: Recorder, run: Callable[[Callable[[], object]], None]) -> Callable[..., dict[str, Any]]:
    """The inputs of everything that is registered for a service `shop`, by name."""

    def register(monitoring: dict[str, Any] | None = None, **service: Any) -> dict[str, Any]:
        settings = MonitoringSettings.model_validate({"contacts": CONTACTS} | (monitoring or {}))
        plain = {"model": {"name": "fashion", "artefact": "out"}, "instance_type": "ecs.c7.large"}
        services = {"shop": EasServiceSettings.model_validate(plain | service)}
        run(
            lambda: Monitoring(
                "monitoring", settings, services, prefix="paistack-test", service_names={"shop": "shop_test"}
            )
        )
        return {name: args.inputs for name, args in engine.registered.items()}

    return register


def test_contacts_and_a_group_for_each_service_are_registered(register: Callable[..., dict[str, Any]]) -> None:
    found = register(alarms={"contacts": ["robot"]})

    assert found["monitoring-anna"]["channelsMail"] == "anna@example.com"
    assert found["monitoring-anna"]["channelsSms"] == "13000000000"
    assert found["monitoring-robot"]["channelsDingWebHook"] == {
        "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",  # Pulumi's mark of secrets
        "value": "https://d.example/1",
    }
    assert found["shop-on-call"]["contacts"] == ["paistack-test-robot"]
    assert found["shop-on-call"]["alarmContactGroupName"] == "paistack-test-shop"


def test_an_alarm_has_its_levels_its_service_and_its_group(register: Callable[..., dict[str, Any]]) -> None:
    rule = {"warn": {"limit": 300}, "emergency": {"limit": 900, "for_min": 1}}
    found = register({"webhook": "https://x.example/"}, alarms={"rules": {"latency_ms": rule}, "silence_min": 30})

    alarm = found["shop-latency_ms-info-critical"]
    assert (alarm["name"], alarm["project"], alarm["metric"]) == ("paistack-test-shop-latency_ms", "acs_learn", "rt")
    assert json.loads(alarm["metricDimensions"]) == [{"serviceName": "shop_test"}]
    assert alarm["escalationsInfo"] == {
        "statistics": "Average", "comparisonOperator": ">", "threshold": "300000", "times": 3,
    }  # fmt: skip
    assert (alarm["escalationsCritical"]["threshold"], alarm["escalationsCritical"]["times"]) == ("900000", 1)
    assert "escalationsWarn" not in alarm
    assert (alarm["contactGroups"], alarm["silenceTime"], alarm["period"]) == (["paistack-test-shop"], 1800, 60)
    assert alarm["webhook"] == "https://x.example/"


def test_a_reported_metric_has_an_alarm_for_each_level(register: Callable[..., dict[str, Any]]) -> None:
    found = register(alarms={"rules": {"accuracy_percent": {"warn": {"limit": 85}, "emergency": {"limit": 70}}}})

    mild, worst = found["shop-accuracy_percent-info"], found["shop-accuracy_percent-critical"]
    assert (mild["rule_name"], mild["level"], mild["threshold"]) == (
        "paistack-test-shop-accuracy_percent-info",
        "INFO",
        "85",
    )
    assert (worst["level"], worst["threshold"], worst["comparison"], worst["minutes"]) == ("CRITICAL", "70", "<", 1)
    assert (worst["service_name"], worst["contact_groups"]) == ("shop_test", ["paistack-test-shop"])
    assert found["shop-missing_replicas-info"]["minutes"] == 10


def test_missing_data_are_an_alarm_unless_the_service_may_sleep(register: Callable[..., dict[str, Any]]) -> None:
    missing = register(alarms={"no_data_min": 3})["shop-no_data"]

    assert (missing["metric"], missing["minutes"]) == ("memory_rss", 3)
    assert missing["contact_groups"] == ["paistack-test-shop"]


@pytest.mark.parametrize(
    "settings",
    [
        {"alarms": {"no_data_min": None}},
        {"scaling": {"min_replicas": 0, "max_replicas": 2, "qps_per_replica": {"target": 5}}},
    ],
)
def test_there_is_no_such_alarm_without_its_time_or_with_a_service_that_sleeps(
    register: Callable[..., dict[str, Any]], settings: dict[str, Any]
) -> None:
    assert "shop-no_data" not in register(**settings)


def test_grave_events_of_a_service_reach_its_group(register: Callable[..., dict[str, Any]]) -> None:
    rule = register({"webhook": "https://x.example/"}, alarms={"silence_min": 30})["shop-events"]

    assert (rule["rule_name"], rule["service_name"]) == ("paistack-test-shop-events", "shop_test")
    assert (rule["levels"], rule["contact_level"]) == (["WARN", "CRITICAL"], "3")
    assert (rule["contact_group"], rule["silence_s"], rule["webhook"]) == (
        "paistack-test-shop", 1800, "https://x.example/",
    )  # fmt: skip


def test_events_can_be_left_out(register: Callable[..., dict[str, Any]]) -> None:
    found = register({"events": False})

    assert "shop-events" not in found
    assert "shop-no_data" in found


def test_a_service_that_is_switched_off_has_no_alarms(register: Callable[..., dict[str, Any]]) -> None:
    assert not [name for name in register(alarms={"enabled": False}) if name.startswith("shop-")]
