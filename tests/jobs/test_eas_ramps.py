"""A capacity by EAS's stress tests: of a service that really is loaded, and what is read of a report."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_eas20210701 import models
from alibabacloud_eas20210701.client import Client

from jobs.eas_ramps import EasRamps, report_of, trials_of
from jobs.loadtest import LoadFlags
from jobs.options import LoadFrom
from jobs.problem import JobError
from planning.capacity import Objective, Trial, find_by_ramps
from tests.emulator.eas.conftest import REGION, Eas, service_json
from tests.emulator.running import run_emulator
from tests.emulator.sdk import connect

OBJECTIVE = Objective(latency_ms=150, percentile=99)
FLAGS = LoadFlags(Path("x"), 100, percentile=99, first=5, most=100, trial_s=5, load_from=LoadFrom.EAS)


@pytest.fixture
def eas(tmp_path: Path) -> Iterator[Eas]:
    with run_emulator(tmp_path) as emulator:
        eas = Eas(connect(Client, emulator), emulator.url)
        yield eas
        eas.http.close()


def test_what_one_replica_serves_is_found_and_no_task_stays(eas: Eas) -> None:
    """One request after the other, 20 ms each: not quite 50 a second."""
    one_at_a_time = {"rpc": {"worker_threads": 1, "max_queue_size": 200}}
    eas.deploy(service_json(metadata=one_at_a_time, env={"SLEEP_S": "0.02"}))

    ramps = EasRamps(eas.client, REGION, "svc", b"pixels", OBJECTIVE, step_s=1)
    found = find_by_ramps(ramps, OBJECTIVE, first=10, most=100)

    assert found.qps is not None
    assert 25 <= found.qps <= 50
    assert not found.limited
    assert max(trial.offered for trial in found.trials) == 100
    assert eas.client.list_benchmark_task(models.ListBenchmarkTaskRequest()).body.tasks == []
    assert {line.split()[-2] for line in eas.logs("svc") if "POST" in line} == {"POST"}


def test_a_test_that_cannot_begin_says_why_and_leaves_nothing(eas: Eas, monkeypatch: pytest.MonkeyPatch) -> None:
    eas.deploy(service_json())
    ramps = EasRamps(eas.client, REGION, "svc", b"", OBJECTIVE, step_s=1)
    lost = {"service": {"serviceName": "svc"}, "data": {"path": "oss://no-such-bucket/a"}}
    monkeypatch.setattr(ramps, "_settings", lambda *_: lost)

    with pytest.raises(JobError, match="is Error: oss://no-such-bucket/a cannot be read"):
        ramps(1, 2, 1)
    assert eas.client.list_benchmark_task(models.ListBenchmarkTaskRequest()).body.tasks == []


def report(**changes: Any) -> dict[str, Any]:
    """Two seconds before anything is answered, and three seconds each of 10 and 20 a second."""
    seconds = [0.0, 0.0, 9.0, 10.0, 11.0, 20.0, 20.0, 20.0]
    return {
        "TimestampList": [1_700_000_000 + number for number in range(len(seconds))],
        "QPSList": seconds,
        "RTList": [{"AVG": 1.0, "TP99": 10 * qps} for qps in seconds],
        "StatusCode": {"200": 89, "450": 1},
        "Count": 90,
    } | changes


def test_each_load_has_the_seconds_in_which_it_was_offered() -> None:
    trials = trials_of(report_of(report()), [10, 20, 30], step_s=3)

    assert trials == [Trial(10, 10.0, 110.0, 1 - 89 / 90), Trial(20, 20.0, 200.0, 1 - 89 / 90)], (
        "the third was never offered"
    )


def test_timestamps_may_be_in_milliseconds_and_the_data_a_text() -> None:
    stamps = [1000 * stamp for stamp in report()["TimestampList"]]
    text = json.dumps(report(TimestampList=stamps))
    assert trials_of(report_of(text), [10, 20], 3) == trials_of(report_of(report()), [10, 20], 3)


def test_a_report_of_no_requests_has_no_trials() -> None:
    assert trials_of(report_of(report(QPSList=[0.0] * 8, StatusCode={})), [10, 20], 3) == []


@pytest.mark.parametrize("data", [None, "no JSON", {}, report(QPSList="many")])
def test_what_is_no_report_is_refused(data: object) -> None:
    with pytest.raises(JobError, match="not what was expected"):
        report_of(data)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"percentile": 95}, "--from eas judges by the 99th --percentile, found 95"),
        ({"trial_s": 2.5}, "--from eas takes 1 to 109 whole --trial-seconds, found 2.5"),
        ({"trial_s": 110}, "--from eas takes 1 to 109 whole --trial-seconds, found 110"),
    ],
)
def test_flags_that_a_stress_test_of_eas_does_not_take_are_named(changes: dict[str, Any], told: str) -> None:
    FLAGS.objective()
    with pytest.raises(JobError, match=told):
        replace(FLAGS, **changes).objective()
