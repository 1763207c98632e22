"""Services that scale by the time of day, under a clock that is moved."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from emulator.services.eas.scaling import loop
from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.calls import advance, call
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.emulator.refusals import refused


def job(name: str, schedule: str, target: int, zone: str = "UTC") -> dict[str, Any]:
    return {"Name": name, "Schedule": schedule, "TargetSize": target, "TimeZone": zone}


def schedule(eas: Eas, *jobs: dict[str, Any], **further: Any) -> None:
    call(eas, "CreateServiceCronScaler", "svc", ScaleJobs=list(jobs), **further)


def jobs(eas: Eas) -> dict[str, dict[str, Any]]:
    return {each["Name"]: each for each in call(eas, "DescribeServiceCronScaler", "svc")["ScaleJobs"]}


def go_to(emulator: RunningEmulator, hour: int, *, days: int = 0) -> None:
    """Moves the clock to the next time when it is `hour` o'clock UTC, and `days` further."""
    now = datetime.fromisoformat(httpx.get(f"{emulator.url}/_emulator/clock").json()["now"])
    then = now.replace(hour=hour, minute=0, second=0, microsecond=0) + timedelta(days=days)
    then = then if then > now else then + timedelta(days=1)
    advance(emulator, (then - now).total_seconds() + 1)


def test_a_job_waits_for_its_time_and_then_sets_the_number_of_instances(eas: Eas, emulator: RunningEmulator) -> None:
    eas.deploy(service_json())
    go_to(emulator, 6)
    schedule(eas, job("morning", "0 0 8 * * *", 2), job("night", "0 0 22 * * *", 0))
    assert {name: each["State"] for name, each in jobs(eas).items()} == {"morning": "Submitted", "night": "Submitted"}

    go_to(emulator, 8)

    until(lambda: eas.describe()["RunningInstance"] == 2, "the morning")
    morning = jobs(eas)["morning"]
    assert morning["State"] == "Succeed"
    assert morning["LastProbeTime"].endswith("T08:00:00Z")
    assert morning["Message"].endswith("current replicas:1, desired replicas:2.")
    assert jobs(eas)["night"]["State"] == "Submitted"
    assert eas.describe()["CronscalerEnabled"] is True


def test_a_moved_clock_is_looked_at_at_once(
    eas: Eas, emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "PERIOD_S", 1000.0)
    eas.create(service_json(instance=0))
    go_to(emulator, 6)
    schedule(eas, job("morning", "0 0 8 * * *", 0))
    go_to(emulator, 8)
    until(lambda: jobs(eas)["morning"]["State"] == "Succeed", "the morning")


def test_a_week_of_schedules_runs_in_order_in_a_moment(eas: Eas, emulator: RunningEmulator) -> None:
    eas.create(service_json(instance=0))
    go_to(emulator, 1)
    schedule(eas, job("day", "0 0 8 * * *", 1), job("hourly", "0 0 * * * *", 0), job("end", "0 30 0 * * *", 0))

    go_to(emulator, 1, days=7)

    until(lambda: jobs(eas)["end"]["State"] == "Succeed", "a week")
    until(lambda: jobs(eas)["hourly"]["LastProbeTime"] > jobs(eas)["end"]["LastProbeTime"], "the last hour")
    scaled = [event["Message"] for event in eas.events() if event["Reason"] == "Scaling"]
    up, down = "Scale from 0 to 1: a scheduled job", "Scale from 1 to 0: a scheduled job"
    assert [up in message for message in scaled] == [True, False] * 7, "day and hourly fall on the same moment"
    assert all(down in message for message in scaled[1::2])
    assert eas.describe()["TotalInstance"] == 0


def test_excluded_days_are_left_out(eas: Eas, emulator: RunningEmulator) -> None:
    eas.create(service_json(instance=0))
    today = datetime.fromisoformat(httpx.get(f"{emulator.url}/_emulator/clock").json()["now"]).astimezone(UTC)
    go_to(emulator, 1, days=1)
    days = ",".join(str((today + timedelta(days=ahead)).isoweekday() % 7) for ahead in (0, 1, 2))
    schedule(eas, job("noon", "0 0 12 * * *", 1), ExcludeDates=[f"* * * * * {days}"])

    go_to(emulator, 13)
    advance(emulator, 2)

    assert jobs(eas)["noon"]["State"] == "Submitted"
    go_to(emulator, 13, days=2)
    until(lambda: jobs(eas)["noon"]["State"] == "Succeed", "a day that is not excluded")


def test_a_schedule_moves_the_bounds_of_an_autoscaler(eas: Eas, emulator: RunningEmulator) -> None:
    eas.deploy(service_json())
    strategies = [{"metricName": "qps", "threshold": 10}]
    call(eas, "CreateServiceAutoScaler", "svc", min=1, max=2, scaleStrategies=strategies)
    go_to(emulator, 6)
    schedule(eas, job("peak", "0 0 8 * * *", 3), job("calm", "0 0 20 * * *", 1))

    go_to(emulator, 8)
    until(lambda: eas.describe()["RunningInstance"] == 3, "the peak")
    assert bounds(eas) == (3, 3)

    go_to(emulator, 20)
    until(lambda: bounds(eas) == (1, 3), "the calm")
    assert "Skip" in jobs(eas)["calm"]["Message"]
    until(lambda: eas.describe()["TotalInstance"] == 1, "the autoscaler's own decision")


def bounds(eas: Eas) -> tuple[int, int]:
    answer = call(eas, "DescribeServiceAutoScaler", "svc")
    return answer["MinReplica"], answer["MaxReplica"]


def test_a_cron_scaler_can_be_changed_and_removed(eas: Eas, emulator: RunningEmulator) -> None:
    eas.create(service_json(instance=0))
    go_to(emulator, 6)
    schedule(eas, job("kept", "0 0 8 * * *", 1), job("dropped", "0 0 9 * * *", 0))
    go_to(emulator, 9)
    until(lambda: jobs(eas)["dropped"]["State"] == "Succeed", "both")

    changed = [job("kept", "0 0 8 * * *", 1), job("new", "0 0 12 * * *", 2)]
    call(eas, "UpdateServiceCronScaler", "svc", ScaleJobs=changed)

    assert {name: each["State"] for name, each in jobs(eas).items()} == {"kept": "Succeed", "new": "Submitted"}
    call(eas, "DeleteServiceCronScaler", "svc")
    assert eas.describe()["CronscalerEnabled"] is False
    with refused("InvalidCronScaler.NotFound", 404):
        jobs(eas)


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"ScaleJobs": [job("a", "0 8 * * *", 1)]}, 'ScaleJobs.1.Schedule.*six fields.*found "?.0 8'),
        ({"ScaleJobs": [job("a", "0 0 8 * * *", 1, "Mars/Olympus")]}, "ScaleJobs.1.TimeZone.*Mars/Olympus"),
        ({"ScaleJobs": [job("a", "0 0 8 * * *", -1)]}, "TargetSize"),
        ({"ScaleJobs": [job("a", "0 0 8 * * *", 1)] * 2}, "two scale jobs|Two scale jobs"),
        ({"ScaleJobs": []}, "ScaleJobs"),
        ({"ScaleJobs": [job("a", "0 0 8 * * *", 1)], "ExcludeDates": ["0 0 8 * * *"]}, "ExcludeDates.1.*a day or more"),
    ],
)
def test_what_is_not_a_schedule_is_refused(eas: Eas, document: dict[str, Any], problem: str) -> None:
    eas.create(service_json(instance=0))

    with pytest.raises(Exception, match=problem):
        call(eas, "CreateServiceCronScaler", "svc", **document)
