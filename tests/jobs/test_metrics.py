"""Rules that would never fire, told by what CloudMonitor really has."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_cms20190101.client import Client
from alibabacloud_cms20190101.models import DescribeMetricMetaListResponseBodyResourcesResource as Described

from jobs.custom_metrics import Measurement, publish
from jobs.metrics import metrics_of, problems, verify
from jobs.pulumi_stack import PulumiStack
from jobs.stacks import OpenStack
from stacks.alarms import UsedMetric, used_metrics
from stacks.config import StackConfig
from tests.emulator.conftest import RunningEmulator
from tests.emulator.running import run_emulator
from tests.emulator.sdk import connect

USED = UsedMetric("services.shop.alarms.rules.latency_ms", "acs_learn", "rt", "Average", 60)
RT = {"metric_name": "rt", "statistics": "Average,Maximum", "dimensions": "userId,serviceName", "periods": "60,300"}


def known(**changes: str) -> dict[str, Any]:
    return {"rt": Described(**{**RT, **changes})}


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ({}, "CloudMonitor has no metric rt in acs_learn; it has none, or the account may not list them"),
        ({"qps": None}, "CloudMonitor has no metric rt in acs_learn; it has qps"),
        (known(statistics="Value"), "rt has no statistic Average; it has Value"),
        (known(dimensions="userId,jobId"), "rt has no dimension serviceName; it has userId,jobId"),
        (known(periods="300,900"), "rt has no period of 60 s; it has 300,900"),
    ],
)
def test_a_rule_that_would_never_fire_is_named_with_its_reason(found: dict[str, Any], told: str) -> None:
    assert list(problems(USED, found)) == [f"services.shop.alarms.rules.latency_ms: {told}"]


def test_a_rule_that_can_fire_is_not_named() -> None:
    assert list(problems(USED, known())) == []


def test_every_rule_of_a_stack_can_fire_on_the_emulator_and_an_unknown_metric_cannot(tmp_path: Path) -> None:
    shop = {
        "model": {"name": "fashion", "artefact": "out"},
        "instance_type": "ecs.gn6i-c4g1.xlarge",
        "request": {"max_qps_per_replica": 5},
        "alarms": {"quiet": "23:00-07:00"},
    }
    target = {"region": "cn-hangzhou", "account_id": "1234567890123456"}
    contacts = {"anna": {"mail": "anna@example.com"}}
    values = {"target": target, "services": {"shop": shop}, "monitoring": {"contacts": contacts}}
    used = used_metrics(StackConfig.model_validate_json(json.dumps(values)), "dev")
    with run_emulator(tmp_path / "emulator") as emulator:
        live = metrics_of(client(emulator), "acs_learn")

    assert {metric.path.rpartition(".")[2] for metric in used} == {
        "cpu_percent", "gpu_percent", "latency_ms", "success_percent", "client_errors_percent",
        "server_errors_percent", "load_percent", "no_data_min", "missing_replicas",
    }  # fmt: skip
    assert [problem for metric in used if metric.by is None for problem in problems(metric, live)] == []
    assert len(list(problems(replace(USED, metric="response_time"), live))) == 1


def test_what_nobody_has_reported_yet_is_told_with_who_does(tmp_path: Path) -> None:
    shop = {
        "model": {"name": "fashion", "artefact": "out"},
        "instance_type": "ecs.c7.large",
        "alarms": {"rules": {"accuracy_percent": {"critical": {"limit": 80}}}},
    }
    with run_emulator(tmp_path / "emulator") as emulator:
        target = {"region": "cn-hangzhou", "account_id": "1234567890123456", "emulator": emulator.url}
        contacts = {"anna": {"mail": "anna@example.com"}}
        values = {"target": target, "services": {"shop": shop}, "monitoring": {"contacts": contacts}}
        config = StackConfig.model_validate_json(json.dumps(values))
        stack = OpenStack(config, PulumiStack("dev", tmp_path, tmp_path, config.target.environment()))
        publish(client(emulator), [Measurement("missing_replicas", "shop_dev", 0, datetime.now(UTC))])
        publish(client(emulator), [Measurement("accuracy_percent", "another", 90, datetime.now(UTC))])
        verified = verify(stack)

    assert verified.problems == []
    assert verified.unreported == [
        "services.shop.alarms.rules.accuracy_percent: nothing has reported accuracy_percent of shop_dev yet; "
        "`paistack quality --publish` does"
    ]


def client(emulator: RunningEmulator) -> Client:
    return connect(Client, emulator)
