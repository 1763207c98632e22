"""What stops an instance by itself, by a clock that the tests move."""

from typing import Any

import pytest
from alibabacloud_pai_dsw20220101 import models

from tests.emulator.dsw.conftest import Dsw, awaited, start_command
from tests.emulator.refusals import refused


def cull(dsw: Dsw, instance_id: str, **culler: int) -> None:
    settings = {"cpu_percent_threshold": 10, "max_idle_time_in_minutes": 60, **culler}
    dsw.client.create_idle_instance_culler(instance_id, models.CreateIdleInstanceCullerRequest(**settings))


def stop_by_timer(dsw: Dsw, instance_id: str, **timer: Any) -> None:
    request = models.CreateInstanceShutdownTimerRequest(**timer)
    dsw.client.create_instance_shutdown_timer(instance_id, request)


def test_an_idle_instance_is_stopped_after_its_time_and_not_before(dsw: Dsw) -> None:
    instance_id = dsw.running(UserCommand=start_command("sleep 600"))
    cull(dsw, instance_id)

    dsw.advance(minutes=45)
    culler = dsw.client.get_idle_instance_culler(instance_id).body
    assert (culler.idle_time_in_minutes, culler.max_idle_time_in_minutes, culler.cpu_percent_threshold) == (45, 60, 10)
    assert dsw.get(instance_id).status == "Running"

    dsw.advance(minutes=15)
    stopped = dsw.until(instance_id, "Stopped")
    assert "below 10 % CPU for 60 minutes" in dsw.events(instance_id)
    assert stopped.idle_instance_culler.max_idle_time_in_minutes == 60


def test_a_busy_instance_runs_on(dsw: Dsw) -> None:
    instance_id = dsw.running(UserCommand=start_command("while :; do :; done"))
    cull(dsw, instance_id)
    dsw.advance(hours=3)

    def idle_minutes() -> int | None:
        minutes = int(dsw.client.get_idle_instance_culler(instance_id).body.idle_time_in_minutes)
        return 1 if minutes == 0 else None

    awaited(idle_minutes, "its use to be seen")
    assert dsw.get(instance_id).status == "Running"
    usage = models.GetInstanceMetricsRequest(metric_type="CpuCoreUsage")
    (pod,) = dsw.client.get_instance_metrics(instance_id, usage).body.pod_metrics
    assert max(sample.value for sample in pod.metrics) > 10


def test_an_instance_has_one_culler_which_can_be_exchanged(dsw: Dsw) -> None:
    instance_id = dsw.create()
    cull(dsw, instance_id)

    with refused("ValidationError", 400, "already"):
        cull(dsw, instance_id)
    dsw.client.delete_idle_instance_culler(instance_id)
    with refused("ValidationError", 404, "no idle instance culler"):
        dsw.client.get_idle_instance_culler(instance_id)
    cull(dsw, instance_id, max_idle_time_in_minutes=30)
    assert dsw.get(instance_id).idle_instance_culler.max_idle_time_in_minutes == 30


def test_the_timer_stops_a_busy_instance_when_its_time_is_up(dsw: Dsw) -> None:
    instance_id = dsw.running(UserCommand=start_command("while :; do :; done"))
    stop_by_timer(dsw, instance_id, remaining_time_in_ms=8 * 3600 * 1000)

    dsw.advance(hours=7)
    timer = dsw.client.get_instance_shutdown_timer(instance_id).body
    assert 0.9 * 3600 * 1000 < timer.remaining_time_in_ms <= 3600 * 1000
    dsw.advance(hours=1)

    stopped = dsw.until(instance_id, "Stopped")
    assert stopped.instance_shutdown_timer is None
    assert "shutdown timer" in dsw.events(instance_id)
    assert 8 * 3600 * 1000 <= stopped.accumulated_running_time_in_ms < 8.1 * 3600 * 1000


def test_running_time_counts_only_while_the_instance_runs(dsw: Dsw) -> None:
    instance_id = dsw.running()
    dsw.advance(hours=2)
    dsw.client.stop_instance(instance_id, models.StopInstanceRequest())
    dsw.until(instance_id, "Stopped")
    dsw.advance(hours=5)

    dsw.client.start_instance(instance_id)
    dsw.until(instance_id, "Running")
    dsw.advance(hours=1)

    assert 3 * 3600 * 1000 <= dsw.get(instance_id).accumulated_running_time_in_ms < 3.1 * 3600 * 1000


@pytest.mark.parametrize(
    ("timer", "problem"),
    [
        ({}, "either DueTime or RemainingTimeInMs"),
        ({"due_time": "2036-01-01T00:00:00Z", "remaining_time_in_ms": 1}, "either DueTime or RemainingTimeInMs"),
        ({"due_time": "2020-01-01T00:00:00Z"}, "must be in the future"),
        ({"due_time": "tomorrow"}, "a time such as"),
    ],
)
def test_a_timer_needs_one_time_in_the_future(dsw: Dsw, timer: dict[str, Any], problem: str) -> None:
    instance_id = dsw.create()

    with pytest.raises(Exception, match=problem):
        stop_by_timer(dsw, instance_id, **timer)


def test_an_instance_has_one_timer_which_can_be_exchanged(dsw: Dsw) -> None:
    instance_id = dsw.create()
    stop_by_timer(dsw, instance_id, due_time="2036-01-01T00:00:00Z")

    with refused("ValidationError", 400, "already"):
        stop_by_timer(dsw, instance_id, remaining_time_in_ms=1000)
    dsw.client.delete_instance_shutdown_timer(instance_id)
    with refused("ValidationError", 404, "no shutdown timer"):
        dsw.client.get_instance_shutdown_timer(instance_id)
