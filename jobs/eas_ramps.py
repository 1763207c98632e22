"""Loads on a service by EAS's own stress tests (CreateBenchmarkTask), and what its report says of each.

The report is documented by an example of names and types, in the SDKs of other languages than Python; its times are
taken for milliseconds, as the pages show them in pictures.
"""

import base64
import json
import math
import time
from collections.abc import Sequence
from itertools import dropwhile
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.console import say
from jobs.problem import JobError
from planning.capacity import Objective, Trial

if TYPE_CHECKING:
    from alibabacloud_eas20210701.client import Client

# EAS judges the times of answers by it: `maxRT` is "The maximum RT (TP99)".
EAS_PERCENTILE = 99
LONGEST_TASK_S = 1200
# Agents have to be started, and a report to be written.
_PATIENCE_S = 600
_FAILED = ("Error", "CreateFailed", "UpdateFailed", "Terminated")
# Of the page one may read that a test in the mode `scan` is over as soon as it reaches maxQPS: this one does not.
_ABOVE = 1.01
# A timestamp above this is no second of the next three thousand years.
_NO_SECONDS = 1e11
# The share of a load's seconds that may be slower than what is taken for its time.
_SLOWER = 0.1


class Times(BaseModel):
    """Of a second, in milliseconds."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    tp99: float = Field(alias="TP99")


class Report(BaseModel):
    """What is read of a RAW report: answers and times of each second, and how many answers of each status."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    timestamps: list[float] = Field(alias="TimestampList")
    qps: list[float] = Field(alias="QPSList")
    times: list[Times] = Field(alias="RTList")
    statuses: dict[str, int] = Field(alias="StatusCode")

    @property
    def seconds(self) -> list[float]:
        """The timestamps in seconds, also where they are in milliseconds."""
        return [stamp / 1000 if stamp > _NO_SECONDS else stamp for stamp in self.timestamps]

    @property
    def failed_share(self) -> float:
        total = sum(self.statuses.values())
        return 1 - self.statuses.get("200", 0) / total if total else 1.0


class EasRamps:
    """Ramps of a service's load, for `planning.capacity.find_by_ramps`: each is a stress test in EAS's mode `scan`."""

    def __init__(
        self, client: "Client", region: str, service: str, payload: bytes, objective: Objective, step_s: int
    ) -> None:
        self._client, self._region, self._service = client, region, service
        self._payload, self._objective, self._step_s = payload, objective, step_s

    def __call__(self, low: float, high: float, steps: int) -> Sequence[Trial]:
        """JobError for a stress test that fails, or a report that is none; Tea's exceptions."""
        loads = [low + (high - low) * step / steps for step in range(steps + 1)]
        trials = trials_of(self._reported(low, high, steps), loads, self._step_s)
        if not trials:
            raise JobError(f"EAS's stress test of {self._service} reports no requests; see `paistack logs`")
        for trial in trials:
            say(line_of(trial, EAS_PERCENTILE))
            if not self._objective.fast_enough(trial):
                break  # from here on EAS takes load back
        return trials

    def _reported(self, low: float, high: float, steps: int) -> Report:
        from alibabacloud_eas20210701 import models

        duration_s = (steps + 1) * self._step_s
        body = json.dumps(self._settings(low, high, steps, duration_s))
        name = self._client.create_benchmark_task(models.CreateBenchmarkTaskRequest(body=body)).body.task_name
        try:
            self._wait(name, duration_s)
            request = models.DescribeBenchmarkTaskReportRequest(report_type="RAW")
            found = self._client.describe_benchmark_task_report(self._region, name, request).body.data
        finally:
            self._client.delete_benchmark_task(self._region, name, models.DeleteBenchmarkTaskRequest())
        return report_of(found)

    def _settings(self, low: float, high: float, steps: int, duration_s: int) -> dict[str, Any]:
        return {
            "service": {"serviceName": self._service},
            "data": {"content": base64.b64encode(self._payload).decode()},
            "optional": {
                "mode": "scan",
                "duration": duration_s,
                "adjustInterval": self._step_s,
                "minQPS": low,
                "maxQPS": _ABOVE * high,
                "qpsGrowthDelta": (high - low) / steps,
                "maxRT": self._objective.latency_ms,
                "faultTolerate": self._objective.failed_share,
            },
        }

    def _wait(self, name: str, duration_s: int) -> None:
        from alibabacloud_eas20210701 import models

        begun = time.monotonic()
        while True:
            task = self._client.describe_benchmark_task(self._region, name, models.DescribeBenchmarkTaskRequest()).body
            if task.status == "Stopped":
                return
            if task.status in _FAILED:
                raise JobError(f"EAS's stress test {name} is {task.status}: {task.reason or task.message}")
            if time.monotonic() - begun > duration_s + _PATIENCE_S:
                raise JobError(f"EAS's stress test {name} of {duration_s} s is still {task.status}: {task.message}")
            time.sleep(min(5.0, self._step_s / 2))


def report_of(data: object) -> Report:
    """JobError for what is no report."""
    try:
        return Report.model_validate(json.loads(data) if isinstance(data, str) else data)
    except (ValidationError, ValueError) as error:
        raise JobError(f"EAS's report of the stress test is not what was expected: {error}") from None


def trials_of(report: Report, loads: Sequence[float], step_s: int) -> list[Trial]:
    """What came of each load; each is offered for `step_s` from the first answer on.

    A load's time is what nine in ten of its seconds stayed within, each by its own TP99: a little more than its TP99.
    """
    seconds = [*dropwhile(lambda second: second[1] <= 0, zip(report.seconds, report.qps, report.times, strict=True))]
    trials = []
    for number, load in enumerate(loads):
        begin, end = number * step_s, (number + 1) * step_s
        part = [(qps, times.tp99) for at, qps, times in seconds if begin <= at - seconds[0][0] < end]
        if part:
            ordered = sorted(tp99 for _, tp99 in part)
            latency_ms = ordered[math.ceil((1 - _SLOWER) * len(part)) - 1]
            # The last request of a load is answered among those of the next.
            answered = min(load, (sum(qps for qps, _ in part) + 1) / len(part))
            trials.append(Trial(load, answered, latency_ms, report.failed_share))
    return trials


def line_of(trial: Trial, percentile: float) -> str:
    """A line for a person who watches."""
    return (
        f"  {trial.offered:7.1f}/s: {trial.answered:.1f} answered, p{percentile:g} {trial.latency_ms:.0f} ms, "
        f"{trial.failed_share:.1%} failed"
    )
