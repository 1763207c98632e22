"""The metrics that there are, with their units and statistics, and how rules compare.

Source for EAS (`acs_learn`): CloudMonitor's appendix "PAI-EAS inference service" of 2020. The percentiles of the
response time are in the console's list of 2026 without their ids, so that these are ours. The emulator has no GPU, and
measures no `gpu_util`.
"""

from typing import NamedTuple

COMPARISONS = (
    "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanOrEqualToThreshold", "LessThanThreshold",
    "NotEqualToThreshold", "EqualToThreshold", "GreaterThanYesterday", "LessThanYesterday", "GreaterThanLastWeek",
    "LessThanLastWeek", "GreaterThanLastPeriod", "LessThanLastPeriod",
)  # fmt: skip

EAS = "acs_learn"
CUSTOM_PREFIX = "acs_customMetric_"
PERIODS = (60, 300, 900, 3600)

_AVERAGE = ("Average", "Maximum")
_GAUGE = ("Average", "Maximum", "Minimum")
_RATE = ("Average", "Maximum", "Value")
_EVERY = ("Average", "Maximum", "Minimum", "Value")
# What CloudMonitor makes of custom metrics.
_CUSTOM = (*_EVERY, "Sum", "SampleCount")


class Metric(NamedTuple):
    """`statistics` are those that queries and rules may name."""

    name: str
    unit: str
    statistics: tuple[str, ...]
    description: str


METRICS = {
    metric.name: metric
    for metric in (
        Metric("cpu_core_usage", "count", _AVERAGE, "Processors that an instance uses"),
        Metric("gpu_util", "%", _AVERAGE, "Utilisation of GPUs"),
        Metric("memory_rss", "byte", _GAUGE, "Memory that an instance uses"),
        Metric("qps_total", "count/s", _RATE, "Requests"),
        Metric("rps_status_2xx", "count/s", _EVERY, "Answers with a status 2xx"),
        Metric("rps_status_2xx_ratio", "%", _EVERY, "Share of answers with a status 2xx"),
        Metric("rps_status_4xx", "count/s", _RATE, "Answers with a status 4xx"),
        Metric("rps_status_4xx_ratio", "%", _EVERY, "Share of answers with a status 4xx"),
        Metric("rps_status_5xx", "count/s", _RATE, "Answers with a status 5xx"),
        Metric("rps_status_5xx_ratio", "%", _EVERY, "Share of answers with a status 5xx"),
        Metric("rt", "us", _GAUGE, "Response time"),
        *(
            Metric(f"rt_tp{percent}", "us", _GAUGE, f"Response time that {percent} % of the requests do not exceed")
            for percent in (5, 80, 90, 95, 99, 100)
        ),
        Metric("traffic_in", "bit/s", _EVERY, "Incoming traffic"),
        Metric("traffic_out", "bit/s", _EVERY, "Outgoing traffic"),
    )
}
DIMENSIONS = ("userId", "serviceName")
ANY = ("Average", "Maximum", "Minimum", "Value", "Sum", "Count", "SampleCount", "Availability", "ErrorCodeMaximum")


def statistics_of(namespace: str, metric: str) -> tuple[str, ...]:
    """The statistics that a rule may name; of metrics that are not emulated every one."""
    if namespace.startswith(CUSTOM_PREFIX):
        return _CUSTOM
    known = METRICS.get(metric) if namespace == EAS else None
    return known.statistics if known else ANY
