"""The statistics that a metric has: CloudMonitor refuses a rule on another.

Source for EAS (`acs_learn`): CloudMonitor's appendix "PAI-EAS inference service" of 2020; for metrics that are not in
it every statistic is taken.
"""

COMPARISONS = (
    "GreaterThanOrEqualToThreshold", "GreaterThanThreshold", "LessThanOrEqualToThreshold", "LessThanThreshold",
    "NotEqualToThreshold", "EqualToThreshold", "GreaterThanYesterday", "LessThanYesterday", "GreaterThanLastWeek",
    "LessThanLastWeek", "GreaterThanLastPeriod", "LessThanLastPeriod",
)  # fmt: skip

_AVERAGE = ("Average", "Maximum")
_GAUGE = ("Average", "Maximum", "Minimum")
_RATE = ("Average", "Maximum", "Value")
_EVERY = ("Average", "Maximum", "Minimum", "Value")
STATISTICS: dict[tuple[str, str], tuple[str, ...]] = {
    ("acs_learn", "cpu_core_usage"): _AVERAGE,
    ("acs_learn", "gpu_util"): _AVERAGE,
    ("acs_learn", "memory_rss"): _GAUGE,
    ("acs_learn", "qps_total"): _RATE,
    ("acs_learn", "rps_status_2xx"): _EVERY,
    ("acs_learn", "rps_status_2xx_ratio"): _EVERY,
    ("acs_learn", "rps_status_4xx"): _RATE,
    ("acs_learn", "rps_status_4xx_ratio"): _EVERY,
    ("acs_learn", "rps_status_5xx"): _RATE,
    ("acs_learn", "rps_status_5xx_ratio"): _EVERY,
    ("acs_learn", "rt"): _GAUGE,
    ("acs_learn", "traffic_in"): _EVERY,
    ("acs_learn", "traffic_out"): _EVERY,
}
ANY = ("Average", "Maximum", "Minimum", "Value", "Sum", "Count", "SampleCount", "Availability", "ErrorCodeMaximum")


def statistics_of(namespace: str, metric: str) -> tuple[str, ...]:
    return STATISTICS.get((namespace, metric), ANY)
