"""Mistakes in alarms, and the exact words that are read."""

import re
from pathlib import Path
from typing import Any

import pytest

from stacks.config import StackConfig
from stacks.problems import ConfigError
from tests.stacks.test_config import SERVICE, TARGET, stack_file

CONTACTS = {"anna": {"mail": "anna@example.com"}}
AT = "paistack:services.fashion.alarms"


def settings(alarms: Any, **monitoring: Any) -> dict[str, Any]:
    return {
        "target": TARGET,
        "monitoring": {"contacts": CONTACTS, **monitoring},
        "services": {"fashion": SERVICE | {"alarms": alarms}},
    }


def levels(rule: str, **limits: float) -> dict[str, Any]:
    return {"rules": {rule: {level: {"limit": limit} for level, limit in limits.items()}}}


BAD = [
    (settings({"contact": ["anna"]}), f"{AT}.contact: there is no such setting; did you mean contacts?"),
    (
        settings({"contacts": ["bert"]}),
        f"{AT}.contacts: found [\"bert\"]; there is no contact 'bert' in monitoring.contacts; there are anna",
    ),
    (
        settings({"silence_min": 30}, contacts={}),
        f"{AT}: nobody would be told; add people to monitoring.contacts",
    ),
    (
        settings(levels("latency_ms", warn=500, critical=500)),
        f"{AT}.rules.latency_ms.critical.limit: found 500; critical must be above warn, found 500 and 500",
    ),
    (
        settings(levels("success_percent", warn=95, emergency=99)),
        f"{AT}.rules.success_percent.emergency.limit: found 99; emergency must be below warn, found 99 and 95",
    ),
    (
        settings(levels("cpu_percent", emergency=100)),
        f"{AT}.rules.cpu_percent.emergency.limit: found 100; 100 is never exceeded: at most 100 are possible",
    ),
    (
        settings(levels("success_percent", warn=101)),
        f"{AT}.rules.success_percent.warn.limit: found 101; 101 is above the highest possible value, 100",
    ),
    (settings({"rules": {"latency_ms": {}}}), f"{AT}.rules.latency_ms: give at least one of warn, critical, emergency"),
    (
        settings(levels("gpu_percent", warn=90)),
        f"{AT}.rules.gpu_percent: ecs.c7.large has no GPU",
    ),
    (
        settings(levels("load_percent", warn=90)),
        f"{AT}.rules.load_percent: the capacity is not known; set scaling.qps_per_replica or request.max_qps_per_r",
    ),
    (
        settings(levels("latency_ms", warn=1) | {"without": ["latency_ms"]}),
        f"{AT}.rules.latency_ms: latency_ms is named in without, too; keep one of them",
    ),
    (settings({"quiet": "23:00"}), f'{AT}.quiet: found "23:00"; it should match'),
    (settings({"quiet": "07:00-07:00"}), f'{AT}.quiet: found "07:00-07:00"; begins and ends at 07:00'),
    (settings({"quiet_levels": ["warn"]}), f'{AT}.quiet_levels: found ["warn"]; there is no quiet time'),
    (settings({"silence_min": 4}), f"{AT}.silence_min: found 4; it should be greater than or equal to 5"),
    (settings({"without": ["latency"]}), f"{AT}.without.0: found \"latency\"; it should be 'cpu_percent'"),
    (
        settings({}, contacts={"anna": {}}),
        "paistack:monitoring.contacts.anna: give at least one of mail, sms and dingtalk",
    ),
    (
        settings({}, contacts={"anna": {"mail": "anna"}}),
        'paistack:monitoring.contacts.anna.mail: found "anna"; it should match',
    ),
]


@pytest.mark.parametrize(("settings", "problem"), BAD, ids=[problem for _, problem in BAD])
def test_a_mistake_is_named_with_its_path_and_what_is_allowed(
    tmp_path: Path, settings: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)) as refused:
        StackConfig.from_file(stack_file(tmp_path, settings))
    assert str(refused.value).startswith(f"1 problem with the settings in {tmp_path}")


def test_a_service_without_alarms_needs_no_contacts(tmp_path: Path) -> None:
    config = StackConfig.from_file(stack_file(tmp_path, settings({"enabled": False}, contacts={})))

    assert not config.services["fashion"].alarms.enabled


def test_the_address_of_a_robot_is_not_taken_in_clear_text(tmp_path: Path) -> None:
    robot = {"dingtalk": "https://oapi.dingtalk.com/robot/send?access_token=opensesame"}
    with pytest.raises(ConfigError) as refused:
        StackConfig.from_file(stack_file(tmp_path, settings({}, contacts={"robot": robot})))

    path = "paistack:monitoring.contacts.robot.dingtalk"
    assert str(refused.value) == (
        f"{path}: is in clear text; run `pulumi config set --stack STACK --secret --path '{path}'`"
    )

    encrypted = settings({}, contacts={"robot": {"dingtalk": {"secure": "v1:abc"}}})
    assert "robot" in StackConfig.from_file(stack_file(tmp_path, encrypted)).monitoring.contacts
