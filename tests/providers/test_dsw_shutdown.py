"""What stops instances by itself, and snapshots, through the real SDK and the emulator."""

from typing import Any

import pytest
from alibabacloud_pai_dsw20220101 import models
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.dsw_idle_culler import IdleCullerProvider
from providers.dsw_live import DswProvider
from providers.dsw_shutdown_timer import ShutdownTimerProvider
from providers.dsw_snapshot import InstanceSnapshotProvider
from tests.emulator.dsw.conftest import Dsw, over
from tests.emulator.running import RunningEmulator
from tests.providers.wire import on_the_wire


@pytest.fixture
def dsw(emulator: RunningEmulator) -> Dsw:
    return over(emulator)


@pytest.fixture
def instance_id(dsw: Dsw) -> str:
    return dsw.running()


def configured_provider(provider: DswProvider[Any], configured: ConfigureRequest) -> Any:
    provider.poll_s = 0.05
    provider.configure(configured)
    return provider


def culler(instance_id: str, **changes: Any) -> Props:
    declared = {"max_idle_minutes": 60, "cpu_percent": 10, "gpu_percent": 0, "adopt": False}
    return on_the_wire(instance_id=instance_id, **{**declared, **changes})


@pytest.fixture
def cullers(configured: ConfigureRequest) -> IdleCullerProvider:
    provider: IdleCullerProvider = configured_provider(IdleCullerProvider(), configured)
    return provider


def test_a_culler_lives_through_its_whole_life(cullers: IdleCullerProvider, dsw: Dsw, instance_id: str) -> None:
    created = cullers.create(culler(instance_id))
    outputs = created.outs or {}
    assert cullers.read(created.id, outputs).inputs == culler(instance_id)

    updated = cullers.update(created.id, outputs, culler(instance_id, max_idle_minutes=30, cpu_percent=5)).outs or {}
    there = dsw.client.get_idle_instance_culler(instance_id).body
    assert (there.max_idle_time_in_minutes, there.cpu_percent_threshold) == (30, 5)

    dsw.client.delete_idle_instance_culler(instance_id)
    assert cullers.read(created.id, updated).id == ""
    cullers.delete(created.id, updated)


def test_drift_of_a_culler_shows(cullers: IdleCullerProvider, dsw: Dsw, instance_id: str) -> None:
    created = cullers.create(culler(instance_id))
    dsw.client.delete_idle_instance_culler(instance_id)
    theirs = models.CreateIdleInstanceCullerRequest(cpu_percent_threshold=99, max_idle_time_in_minutes=5)
    dsw.client.create_idle_instance_culler(instance_id, theirs)

    read = cullers.read(created.id, created.outs or {})

    assert read.inputs == culler(instance_id, cpu_percent=99, max_idle_minutes=5)


def test_a_culler_that_exists_is_taken_over_only_when_asked(
    cullers: IdleCullerProvider, dsw: Dsw, instance_id: str
) -> None:
    cullers.create(culler(instance_id))

    with pytest.raises(CloudError, match=r"already an idle culler .* set adopt"):
        cullers.create(culler(instance_id, max_idle_minutes=30))
    cullers.create(culler(instance_id, max_idle_minutes=30, adopt=True))

    assert dsw.client.get_idle_instance_culler(instance_id).body.max_idle_time_in_minutes == 30


@pytest.mark.parametrize(("change", "property_"), [({"cpu_percent": 0}, "cpu_percent"), ({"adopt": "x"}, "adopt")])
def test_a_bad_culler_is_refused_before_anything_is_done(
    cullers: IdleCullerProvider, change: dict[str, Any], property_: str
) -> None:
    [failure] = cullers.check({}, culler("dsw-1", **change)).failures
    assert failure.property == property_


def timer(instance_id: str, after_minutes: int = 480, adopt: bool = False) -> Props:
    return on_the_wire(instance_id=instance_id, after_minutes=after_minutes, adopt=adopt)


@pytest.fixture
def timers(configured: ConfigureRequest) -> ShutdownTimerProvider:
    provider: ShutdownTimerProvider = configured_provider(ShutdownTimerProvider(), configured)
    return provider


def test_a_timer_lives_through_its_whole_life(timers: ShutdownTimerProvider, dsw: Dsw, instance_id: str) -> None:
    created = timers.create(timer(instance_id))
    outputs = created.outs or {}
    read = timers.read(created.id, outputs)
    assert (read.inputs, read.outs) == (timer(instance_id), outputs)

    updated = timers.update(created.id, outputs, timer(instance_id, 600)).outs or {}
    assert updated["due"] > outputs["due"]
    assert updated["due"] == dsw.client.get_instance_shutdown_timer(instance_id).body.due_time
    timers.delete(created.id, updated)
    timers.delete(created.id, updated)
    assert dsw.get(instance_id).instance_shutdown_timer is None


def test_a_timer_that_has_stopped_its_instance_is_no_drift_until_the_instance_runs_again(
    timers: ShutdownTimerProvider, dsw: Dsw, instance_id: str
) -> None:
    created = timers.create(timer(instance_id))
    outputs = created.outs or {}
    dsw.advance(hours=8)
    dsw.until(instance_id, "Stopped")

    read = timers.read(created.id, outputs)
    assert (read.inputs, read.outs) == (timer(instance_id), outputs)

    dsw.client.start_instance(instance_id)
    dsw.until(instance_id, "Running")
    assert timers.read(created.id, outputs).id == ""


def test_a_timer_that_exists_is_taken_over_only_when_asked(timers: ShutdownTimerProvider, instance_id: str) -> None:
    first = timers.create(timer(instance_id)).outs or {}

    with pytest.raises(CloudError, match=r"already a shutdown timer .* set adopt"):
        timers.create(timer(instance_id, 600))

    assert (timers.create(timer(instance_id, 600, adopt=True)).outs or {})["due"] > first["due"]


def snapshot(instance_id: str, **changes: Any) -> Props:
    declared = {
        "snapshot_name": "tools", "image_url": "registry/team/tools:1", "description": "", "exclude_paths": [],
        "overwrite": False, "adopt": False, "timeout_s": 20,
    }  # fmt: skip
    return on_the_wire(instance_id=instance_id, **{**declared, **changes})


@pytest.fixture
def snapshots(configured: ConfigureRequest) -> InstanceSnapshotProvider:
    provider: InstanceSnapshotProvider = configured_provider(InstanceSnapshotProvider(), configured)
    return provider


def test_a_snapshot_is_saved_when_it_is_created(
    snapshots: InstanceSnapshotProvider, dsw: Dsw, instance_id: str
) -> None:
    created = snapshots.create(snapshot(instance_id))
    outputs = created.outs or {}

    assert outputs["status"] == "Saved"
    assert outputs["image_id"].startswith("image-")
    read = snapshots.read(created.id, outputs)
    assert (read.inputs, read.outs) == (snapshot(instance_id), outputs)
    dsw.until(instance_id, "Running")
    with pytest.raises(CloudError, match=r"already a snapshot tools .* set adopt"):
        snapshots.create(snapshot(instance_id))
    assert snapshots.create(snapshot(instance_id, adopt=True)).id == created.id
    snapshots.delete(created.id, outputs)
    assert snapshots.read(created.id, outputs).id == ""


def test_an_image_that_is_there_is_not_replaced_by_accident(
    snapshots: InstanceSnapshotProvider, dsw: Dsw, instance_id: str
) -> None:
    snapshots.create(snapshot(instance_id))
    dsw.until(instance_id, "Running")

    with pytest.raises(CloudError, match="Overwrite is not set"):
        snapshots.create(snapshot(instance_id, snapshot_name="again"))
    snapshots.create(snapshot(instance_id, snapshot_name="again", overwrite=True))
