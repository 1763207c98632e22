"""Stress tests: they really load the service, stay within their bounds, and report what they saw."""

import base64
import json
from collections.abc import Sequence
from typing import Any

import pytest
from alibabacloud_eas20210701 import models

from emulator.services.eas.benchmark.agent import Second
from emulator.services.eas.benchmark.pressure import Interval, Pressure, tp
from emulator.services.eas.benchmark.report import joined, report_of
from emulator.services.eas.benchmark.settings import parse_settings
from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.calls import advance
from tests.emulator.eas.conftest import REGION, Eas, service_json, until
from tests.emulator.eas.test_instances import bucket_of
from tests.emulator.refusals import refused

PICTURE = base64.b64encode(b"pixels").decode()


def settings(mode: str = "scan", **optional: Any) -> dict[str, Any]:
    options = {"mode": mode, "duration": 3, "adjustInterval": 1, **optional}
    return {"service": {"serviceName": "svc"}, "data": {"content": PICTURE}, "optional": options}


class Tasks:
    def __init__(self, eas: Eas) -> None:
        self.client = eas.client

    def create(self, document: dict[str, Any]) -> str:
        request = models.CreateBenchmarkTaskRequest(body=json.dumps(document))
        answer = self.client.create_benchmark_task(request).body
        assert answer.region == REGION
        return str(answer.task_name)

    def describe(self, name: str) -> Any:
        return self.client.describe_benchmark_task(REGION, name, models.DescribeBenchmarkTaskRequest()).body

    def wait(self, name: str, status: str = "Stopped") -> Any:
        return until(lambda: (found := self.describe(name)).status == status and found, f"{name} {status}")

    def report(self, name: str, kind: str | None = "RAW") -> dict[str, Any]:
        request = models.DescribeBenchmarkTaskReportRequest(report_type=kind)
        return dict(self.client.describe_benchmark_task_report(REGION, name, request).body.data)

    def reported(self, document: dict[str, Any]) -> dict[str, Any]:
        name = self.create(document)
        self.wait(name)
        return self.report(name)

    def names(self, **query: Any) -> list[str]:
        body = self.client.list_benchmark_task(models.ListBenchmarkTaskRequest(**query)).body
        assert body.total_count == len(body.tasks)
        return [task.task_name for task in body.tasks]

    def start(self, name: str) -> None:
        self.client.start_benchmark_task(REGION, name, models.StartBenchmarkTaskRequest())

    def stop(self, name: str) -> None:
        self.client.stop_benchmark_task(REGION, name, models.StopBenchmarkTaskRequest())

    def update(self, name: str, change: dict[str, Any]) -> None:
        request = models.UpdateBenchmarkTaskRequest(body=json.dumps(change))
        self.client.update_benchmark_task(REGION, name, request)

    def delete(self, name: str) -> None:
        self.client.delete_benchmark_task(REGION, name, models.DeleteBenchmarkTaskRequest())


@pytest.fixture
def tasks(eas: Eas) -> Tasks:
    return Tasks(eas)


def test_a_scan_grows_by_steps_and_its_requests_arrive(eas: Eas, tasks: Tasks) -> None:
    eas.deploy(service_json())

    report = tasks.reported(settings(minQPS=10, maxQPS=30, qpsGrowthDelta=10))

    assert len(report["QPSList"]) == len(report["RTList"]) == len(report["TimestampList"]) == 3
    assert report["Count"] == sum(report["StatusCode"].values()) == sum(report["QPSList"])
    assert report["StatusCode"].keys() == {"200"}
    assert 40 <= report["Count"] <= 62
    assert report["QPSList"][0] <= 11 < report["QPSList"][2]
    arrived = [line for line in eas.logs("svc", page_size=1000) if "POST /" in line]
    assert 0 <= len(arrived) - report["Count"] <= 2, "at the end some may be under way"


def test_a_scan_revises_the_load_when_the_service_gets_slow(eas: Eas, tasks: Tasks) -> None:
    """One after the other, 50 ms each: 20 per second are served, and 100 are asked for at most."""
    one_at_a_time = {"rpc": {"worker_threads": 1, "max_queue_size": 1000}}
    eas.deploy(service_json(metadata=one_at_a_time, env={"SLEEP_S": "0.05"}))

    free = tasks.reported(settings(minQPS=10, maxQPS=100, qpsGrowthDelta=30, duration=5))
    bound = tasks.reported(settings(minQPS=10, maxQPS=100, qpsGrowthDelta=30, duration=5, maxRT=150))

    assert free["RTList"][-1]["TP99"] > 1000
    assert bound["RTDistribution"][-1]["Latency"] < free["RTDistribution"][-1]["Latency"]
    assert max(free["QPSList"]) <= 24


def test_by_hand_so_many_requests_are_under_way_at_a_time(eas: Eas, tasks: Tasks) -> None:
    eas.deploy(service_json(env={"SLEEP_S": "0.1"}))

    report = tasks.reported(settings("manual", agentCount=2, concurrency=3))

    assert report["QPS"] == pytest.approx(60, rel=0.2)
    assert 100 <= report["RTDistribution"][2]["Latency"] <= 130


def test_by_itself_it_grows_until_faults_bound_it(eas: Eas, tasks: Tasks) -> None:
    """One request at a time and one that waits; others are refused with 450."""
    full = {"rpc": {"worker_threads": 1, "max_queue_size": 1}}
    eas.deploy(service_json(metadata=full, env={"SLEEP_S": "0.05"}))

    report = tasks.reported(settings("auto", duration=8, maxQPS=200))

    assert report["StatusCode"]["450"] > 0
    assert report["QPSList"][-1] < 40, "ten a second, grown by half each second, would be 170 by then"


def test_data_comes_from_objects_by_turns(eas: Eas, tasks: Tasks, emulator: RunningEmulator) -> None:
    eas.deploy(service_json())
    bucket = bucket_of(emulator, "load-data")
    bucket.put_object("load/lines.txt", b"one\ntwo\n")
    bucket.put_object("load/three.txt", b"three")
    paths = ",".join(f"oss://{bucket.bucket_name}/load/{name}" for name in ("lines.txt", "three.txt"))
    document = settings(minQPS=30, duration=1) | {"data": {"path": paths, "multiLine": True}}

    report = tasks.reported(document)

    sizes = {3: 2 / 3, 5: 1 / 3}
    mean = sum(size * share for size, share in sizes.items())
    assert report["TotalSend"] / report["Count"] == pytest.approx(mean, rel=0.1)


def test_headers_and_a_token_of_ones_own_go_with_each_request(eas: Eas, tasks: Tasks) -> None:
    eas.deploy(service_json())
    wrong = settings(minQPS=20, duration=1, faultTolerate=1) | {
        "service": {"serviceName": "svc", "requestToken": "wrong"}
    }

    assert tasks.reported(wrong)["StatusCode"].keys() == {"401"}
    assert tasks.reported(settings(minQPS=20, duration=1) | {"http": {"headers": ["X-One: 1"]}})[
        "StatusCode"
    ].keys() == {"200"}


def test_a_task_is_stopped_changed_started_and_deleted(eas: Eas, tasks: Tasks) -> None:
    eas.deploy(service_json())
    name = tasks.create(settings(minQPS=10, maxQPS=10, duration=600) | {"base": {"name": "mine"}})
    running = tasks.wait(name, "Running")
    assert (name, running.available_agent, running.desired_agent) == ("mine", 1, 1)
    assert running.endpoint == eas.describe()["InternetEndpoint"]
    with refused("InvalidBenchmarkTask.NoReport", 409):
        tasks.report(name)
    with refused("InvalidBenchmarkTask.Status", 409, "stop it first"):
        tasks.update(name, {"optional": {"duration": 1}})
    with refused("InvalidBenchmarkTask.Exists", 409):
        tasks.create(settings() | {"base": {"name": "mine"}})

    tasks.stop(name)
    tasks.wait(name)
    with refused("InvalidBenchmarkTask.Status", 409, "only one that is Running"):
        tasks.stop(name)
    tasks.update(name, {"optional": {"duration": 1, "minQPS": 40, "maxQPS": 40}})
    tasks.start(name)
    until(lambda: tasks.describe(name).status == "Stopped", "the second round")
    assert tasks.report(name)["QPSList"][0] == pytest.approx(40, abs=4)
    assert tasks.names(filter="in") == tasks.names(service_name="svc", status="Stopped") == ["mine"]
    assert tasks.names(filter="other") == []

    tasks.delete(name)
    with refused("InvalidBenchmarkTask.NotFound", 404):
        tasks.describe(name)


def test_a_deleted_task_sends_nothing_more(eas: Eas, tasks: Tasks) -> None:
    eas.deploy(service_json())
    name = tasks.create(settings(minQPS=50, maxQPS=50, duration=600))
    until(lambda: [line for line in eas.logs("svc") if "POST /" in line], "requests")

    tasks.delete(name)

    def count() -> int:
        return len([line for line in eas.logs("svc", page_size=1000) if "POST /" in line])

    until(lambda: (before := count()) == (eas.ask("/pause?sleep=0.2") and count()) and before, "an end of the requests")


def test_what_is_kept_of_ended_tasks_ends_after_two_days(eas: Eas, tasks: Tasks, emulator: RunningEmulator) -> None:
    eas.deploy(service_json())
    tasks.wait(tasks.create(settings(minQPS=10, duration=1)))

    advance(emulator, 47 * 3600)
    assert len(tasks.names()) == 1
    advance(emulator, 2 * 3600)
    assert tasks.names() == []


def test_a_service_that_does_not_run_cannot_be_tested(eas: Eas, tasks: Tasks) -> None:
    eas.create(service_json(instance=0))
    until(lambda: eas.status() == "Stopped" or eas.status() == "Running", "a status")
    eas.call("stop_service", "svc", models.StopServiceRequest())
    until(lambda: eas.status() == "Stopped", "the stop")
    with refused("InvalidService.Status", 409, "has to be Running"):
        tasks.create(settings())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"service": {}}, "serviceName"),
        ({"data": {}}, "either content or path"),
        ({"data": {"content": "not base 64!"}}, "Base64"),
        ({"data": {"path": "https://example.com/a.bin"}}, "data.path"),
        ({"data": {"path": "oss://a/b.zip"}}, "no zip files"),
        ({"optional": {"mode": "storm"}}, "optional.mode"),
        ({"optional": {"duration": 1201}}, "optional.duration"),
        ({"optional": {"concurency": 2}}, "optional.concurency"),
        ({"base": {"name": "No_Name"}}, "base.name"),
        ({"http": {"headers": ["no colon"]}}, "http.headers"),
    ],
)
def test_what_is_wrong_is_named(tasks: Tasks, change: dict[str, Any], message: str) -> None:
    code = "MissingParameter" if change == {"service": {}} else "InvalidParameter"
    with refused(code, 400, message):
        tasks.create(settings() | change)


def test_a_page_for_the_report_is_not_written(eas: Eas, tasks: Tasks) -> None:
    eas.deploy(service_json())
    name = tasks.create(settings(minQPS=10, duration=1))
    with refused("InvalidParameter", 400, "ask for the ReportType RAW"):
        tasks.report(name, "Report")


def test_data_that_is_not_there_is_the_reason_of_an_error(eas: Eas, tasks: Tasks) -> None:
    eas.deploy(service_json())
    name = tasks.create(settings() | {"data": {"path": "oss://no-such-bucket/a.bin"}})
    assert "no-such-bucket" in tasks.wait(name, "Error").reason


# The arithmetic, without an emulator.


def pressure(**optional: Any) -> Pressure:
    return Pressure(parse_settings(settings(**optional)))


GOOD, SLOW = Interval([10.0] * 100, 100, 0), Interval([10.0] * 98 + [500.0] * 2, 100, 0)
FAILING = Interval([10.0] * 100, 90, 10)


@pytest.mark.parametrize(
    ("options", "intervals", "loads"),
    [
        ({"minQPS": 10, "maxQPS": 25, "qpsGrowthDelta": 10}, [GOOD] * 3, [10, 20, 25, 25]),
        ({"minQPS": 10, "maxQPS": 90, "qpsGrowthDelta": 10, "maxRT": 100}, [GOOD, SLOW, GOOD], [10, 20, 18, 18]),
        ({"minQPS": 10, "maxQPS": 90, "qpsGrowthDelta": 10}, [SLOW, GOOD], [10, 20, 30]),
        ({"minQPS": 10, "maxQPS": 90, "qpsGrowthDelta": 10}, [GOOD, FAILING, FAILING], [10, 20, 18, 16.2]),
        ({"minQPS": 10, "qpsGrowthDelta": 10, "faultAction": "stop"}, [GOOD, FAILING, GOOD], [10, 20, 20, 20]),
        ({"minQPS": 10, "qpsGrowthDelta": 10, "faultTolerate": 0.2}, [FAILING], [10, 20]),
        ({"mode": "auto", "maxQPS": 30}, [GOOD] * 3, [10, 15, 22.5, 30]),
    ],
)
def test_the_load_follows_from_what_came_of_it(
    options: dict[str, Any], intervals: Sequence[Interval], loads: Sequence[float]
) -> None:
    found = pressure(**options)
    seen = [found.qps]
    for interval in intervals:
        found.judge(interval)
        seen.append(found.qps)
    assert seen == pytest.approx(loads)


@pytest.mark.parametrize(("percent", "latency"), [(1, 1), (50, 50), (99, 99), (100, 100)])
def test_a_percentile_is_one_of_the_latencies(percent: float, latency: float) -> None:
    assert tp([float(value) for value in range(100, 0, -1)], percent) == latency
    assert tp([], percent) == 0


def test_agents_are_reported_together() -> None:
    one = [Second(latencies_ms=[10, 20], statuses={200: 2}, sent=4, received=6)] * 2
    two = [Second(latencies_ms=[30], statuses={450: 1}, sent=2, received=0)]

    report = report_of(joined([one, two]), began=1000.4)

    assert report["TimestampList"] == [1000, 1001]
    assert report["QPSList"] == [3.0, 2.0]
    assert report["StatusCode"] == {"200": 4, "450": 1}
    assert (report["Count"], report["AvgRT"], report["QPS"], report["TotalSend"]) == (5, 18.0, 2.5, 10.0)
    assert sum(part["Count"] for part in report["RTHistogram"]) == 5
    assert report["RTHistogram"][-1]["Mark"] == pytest.approx(30)


def test_nothing_at_all_can_be_reported() -> None:
    report = report_of([], began=0)
    assert (report["Count"], report["QPS"], report["RTHistogram"]) == (0, 0.0, [])
