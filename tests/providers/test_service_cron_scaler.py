"""A cron scaler through the real SDK and the emulator."""

from typing import Any

import pytest
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.service_cron_scaler import CronScalerProvider
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json
from tests.providers.wire import on_the_wire

MORNING = {"cron": "0 0 8 * * MON-FRI", "replicas": 5, "time_zone": "Asia/Shanghai"}
NIGHT = {"cron": "0 0 20 * * *", "replicas": 1, "time_zone": "Asia/Shanghai"}


def inputs(**changes: Any) -> Props:
    schedules = {"morning": MORNING, "night": NIGHT}
    whole = {"schedules": schedules, "excluded_dates": ["* * * 1 10 *"], "adopt": False} | changes
    return on_the_wire(cluster_id="cn-hangzhou", service_name="svc", **whole)


@pytest.fixture
def provider(configured: ConfigureRequest, eas: Eas) -> CronScalerProvider:
    eas.create(service_json(instance=0))
    provider = CronScalerProvider()
    provider.configure(configured)
    return provider


def jobs(eas: Eas) -> dict[str, tuple[str, int]]:
    found = call(eas, "DescribeServiceCronScaler", "svc")["ScaleJobs"]
    return {job["Name"]: (job["Schedule"], job["TargetSize"]) for job in found}


def test_a_cron_scaler_is_made_changed_and_removed(provider: CronScalerProvider, eas: Eas) -> None:
    created = provider.create(inputs())
    assert jobs(eas) == {"morning": ("0 0 8 * * MON-FRI", 5), "night": ("0 0 20 * * *", 1)}
    assert provider.read(created.id, created.outs or {}).inputs == inputs()

    provider.update(created.id, created.outs or {}, inputs(schedules={"night": NIGHT}, excluded_dates=[]))
    assert jobs(eas) == {"night": ("0 0 20 * * *", 1)}
    assert call(eas, "DescribeServiceCronScaler", "svc").get("ExcludeDates", []) == []

    provider.delete(created.id, created.outs or {})
    provider.delete(created.id, created.outs or {})
    assert provider.read(created.id, created.outs or {}).id == ""


def test_a_cron_scaler_that_is_there_is_taken_over_only_by_order(provider: CronScalerProvider, eas: Eas) -> None:
    call(eas, "CreateServiceCronScaler", "svc", ScaleJobs=[{"Name": "x", "Schedule": "0 0 1 * * *", "TargetSize": 2}])

    with pytest.raises(CloudError, match="there is already a cron scaler of svc; delete it, or set adopt"):
        provider.create(inputs())
    assert jobs(eas) == {"x": ("0 0 1 * * *", 2)}
    provider.create(inputs(adopt=True))

    assert set(jobs(eas)) == {"morning", "night"}


def test_drift_shows_and_another_order_or_spelling_is_none(provider: CronScalerProvider, eas: Eas) -> None:
    created = provider.create(inputs())
    same = [
        {"Name": "night", "Schedule": "0 0 20 * * *", "TargetSize": 1},
        {"Name": "morning", "Schedule": "0 0  8 * * mon-fri", "TargetSize": 5},
    ]
    call(eas, "UpdateServiceCronScaler", "svc", ScaleJobs=same, ExcludeDates=["* * * 1 10 *"])
    assert provider.read(created.id, created.outs or {}).inputs == inputs()

    other = [same[0] | {"TargetSize": 2}]
    call(eas, "UpdateServiceCronScaler", "svc", ScaleJobs=other, ExcludeDates=[])

    drifted = inputs(schedules={"night": NIGHT | {"replicas": 2}}, excluded_dates=[])
    assert provider.read(created.id, created.outs or {}).inputs == drifted


def test_the_clouds_refusal_reaches_the_user(provider: CronScalerProvider) -> None:
    with pytest.raises(CloudError, match="InvalidParameter"):
        provider.create(inputs(schedules={"night": NIGHT | {"cron": "0 0 20 * *"}}))
