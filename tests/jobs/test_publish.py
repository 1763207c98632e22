"""What EAS knows of services, in CloudMonitor."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from alibabacloud_cms20190101.client import Client as CmsClient
from alibabacloud_cms20190101.models import DescribeMetricLastRequest
from alibabacloud_eas20210701.client import Client as EasClient
from Tea.exceptions import TeaException

from jobs.publish import forecast_error, measurements, publish_once
from jobs.pulumi_stack import PulumiStack
from jobs.stacks import OpenStack
from jobs.watching_commands import publish_metrics
from planning.series import Sample
from stacks.config import StackConfig
from stacks.plans import ExpectedLoad, ScalingPlan
from tests.emulator.eas.calls import advance
from tests.emulator.eas.conftest import Eas, service_json
from tests.emulator.running import run_emulator
from tests.emulator.sdk import connect

NOW = datetime(2026, 11, 26, tzinfo=UTC)


def config(url: str = "http://127.0.0.1:8600") -> StackConfig:
    one = {"model": {"name": "fashion", "artefact": "out"}, "instance_type": "ecs.c7.large"}
    services = {"shop": {**one, "billing": {"price_cny_per_replica_hour": 0.5}}, "dormant": one, "free": one}
    target = {"region": "cn-hangzhou", "account_id": "1234567890123456", "emulator": url}
    return StackConfig.model_validate_json(json.dumps({"target": target, "services": services}))


def test_missing_replicas_and_their_cost_are_told_of_what_is_deployed() -> None:
    names = {"shop": "shop_dev", "dormant": "dormant_dev", "free": "free_dev"}
    told = measurements(config(), names, {"shop_dev": (1, 3), "free_dev": (2, 2)}, NOW)
    assert [(each.service, each.metric, each.value) for each in told] == [
        ("shop_dev", "ready_replicas", 1), ("shop_dev", "missing_replicas", 2), ("shop_dev", "cost_cny_per_day", 36.0),
        ("free_dev", "ready_replicas", 2), ("free_dev", "missing_replicas", 0),
    ]  # fmt: skip


def test_a_forecast_is_held_against_the_load_of_its_own_hour() -> None:
    hours = tuple(
        ExpectedLoad(at=NOW + timedelta(hours=number), low_qps=0, qps=qps, high_qps=999)
        for number, qps in enumerate((100.0, 200.0, 0.0))
    )
    plan = ScalingPlan(
        made_at=NOW,
        until=NOW + timedelta(days=1),
        steps=(),
        target_utilisation=None,
        method="m",
        why="w",
        expected=hours,
    )

    def error(hour: float, qps: float) -> float | None:
        return forecast_error(plan, Sample(NOW + timedelta(hours=hour), qps))

    assert [error(0.9, 80), error(1, 250), error(2.5, 3), error(-0.1, 3), error(3, 3)] == [20, 25, None, None, None]


def test_they_come_from_eas_and_reach_cloudmonitor(tmp_path: Path) -> None:
    with run_emulator(tmp_path / "emulator") as emulator:
        settings = config(emulator.url)
        stack = OpenStack(settings, PulumiStack("dev", tmp_path, tmp_path, settings.target.environment()))
        eas = Eas(connect(EasClient, emulator), emulator.url)
        eas.deploy(service_json("shop_dev", instance=2))

        assert publish_once(stack) == "reported 3 values of 1 services; 2 are not deployed"

        advance(emulator, 60)
        request = DescribeMetricLastRequest(
            namespace="acs_customMetric_1234567890123456", metric_name="ready_replicas", period="60",
            dimensions=json.dumps([{"groupId": "0", "service": "shop_dev"}]),
        )  # fmt: skip
        body = connect(CmsClient, emulator).describe_metric_last(request).body
        assert [point["Average"] for point in json.loads(body.datapoints)] == [2]
        eas.http.close()


def test_who_follows_goes_on_after_a_refusal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = TeaException({"code": "Throttling", "message": "slow down"})
    rounds: Iterator[str | Exception] = iter([refusal, "reported"])

    def publish(_: object) -> str:
        found = next(rounds, None)
        if found is None:
            raise KeyboardInterrupt
        if isinstance(found, Exception):
            raise found
        return found

    monkeypatch.setattr("jobs.publish.publish_once", publish)
    monkeypatch.setattr("jobs.watching_commands.open_stack", lambda name: name)
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(typer.Exit):
        publish_metrics("dev", follow=True, every=1)
    told = capsys.readouterr().err
    assert "not reported: Throttling: slow down" in told
    assert "reported" in told.splitlines()[-1]
