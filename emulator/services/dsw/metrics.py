"""GetInstanceMetrics: how busy an instance is and was, as measured on its processes."""

from collections import defaultdict
from datetime import datetime
from typing import Literal

from pydantic import Field

from emulator.operations import Answer, Call, Parameters
from emulator.services.dsw.product import dsw, succeeded
from emulator.services.dsw.shutdown import Time
from emulator.services.dsw.state import DswState

Metric = Literal[
    "GpuCoreUsage", "GpuMemoryUsage", "CpuCoreUsage", "MemoryUsage", "NetworkInputRate", "NetworkOutputRate",
    "DiskReadRate", "DiskWriteRate",
]  # fmt: skip


class GetInstanceMetrics(Parameters):
    metric: Metric = Field(alias="MetricType")
    start_time: Time | None = Field(None, alias="StartTime")
    end_time: Time | None = Field(None, alias="EndTime")
    time_step: str = Field("1m", alias="TimeStep", pattern=r"^[1-9][0-9]*m$")


# The path has `instance`, not `instances`.
@dsw.operation("GetInstanceMetrics", "GET", "/api/v2/instance/{instance_id}/metrics")
def get_instance_metrics(state: DswState, call: Call, instance_id: str, query: GetInstanceMetrics) -> Answer:
    """Averages over each `TimeStep`. Processor and memory are measured; of GPU, network and disk there is nothing to
    be measured here, so their series are empty."""
    instance = state.find(call.region, instance_id)
    step_s = 60 * int(query.time_step.removesuffix("m"))
    values: dict[int, list[float]] = defaultdict(list)
    for sample in state.watch.samples(instance.id):
        value = {"CpuCoreUsage": sample.cpu_percent, "MemoryUsage": sample.memory_percent}.get(query.metric)
        if value is not None and _between(sample.time, query):
            values[int(sample.time.timestamp()) // step_s * step_s].append(value)
    series = [{"Time": time, "Value": sum(step) / len(step)} for time, step in sorted(values.items())]
    return succeeded(InstanceId=instance.id, PodMetrics=[{"PodId": instance.id, "Metrics": series}])


def _between(time: datetime, query: GetInstanceMetrics) -> bool:
    return (query.start_time is None or time >= query.start_time) and (query.end_time is None or time <= query.end_time)
