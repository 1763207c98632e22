"""What is watched of every service, when it is bad, and what CloudMonitor is asked to do about it. Pure.

Metrics: CloudMonitor's appendix "PAI-EAS inference service" (namespace `acs_learn`); `paistack metrics verify` asks the
account whether it still has them. What CloudMonitor does not measure is reported to it by jobs (`paistack metrics
publish`, `paistack quality --publish`) as custom metrics. Levels: CloudMonitor reaches people by phone, SMS, mail and
DingTalk for Critical, by all but the phone for Warn, and by mail and DingTalk for Info ("Manage alarm rules").
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from components.machine_types import has_gpu, memory_gib, vcpus

if TYPE_CHECKING:
    from components.alarm_config import AlarmSettings
    from components.eas_config import EasServiceSettings

NAMESPACE = "acs_learn"
PERIOD_S = 60

LevelName = Literal["warn", "critical", "emergency"]
CloudLevel = Literal["Info", "Warn", "Critical"]
RuleName = Literal[
    "cpu_percent", "memory_percent", "gpu_percent", "latency_ms", "success_percent", "client_errors_percent",
    "server_errors_percent", "load_percent", "missing_replicas", "cost_cny_per_day", "accuracy_percent",
    "recall_percent", "f1_percent", "prediction_drift_psi", "input_drift_psi",
    "forecast_error_percent",
]  # fmt: skip
LEVELS: Mapping[LevelName, CloudLevel] = {"warn": "Info", "critical": "Warn", "emergency": "Critical"}


@dataclass(frozen=True)
class Watched:
    """A metric of CloudMonitor, and what a limit of ours is in its unit: `scale` times as much.

    `worse` says on which side of the limit it is bad. `highest` is the highest value that it can have, in our unit.
    `by` is the command that reports it, for what CloudMonitor does not measure itself. What is `seldom` reported has no
    minutes in a row: each report counts, and until the next one the alarm stays as it is.
    """

    metric: str
    statistic: str
    worse: Literal["above", "below"] = "above"
    scale: float = 1.0
    highest: float | None = None
    by: str | None = None
    seldom: bool = False


_PUBLISH, _QUALITY = "paistack metrics publish", "paistack quality --publish"


def _reported(
    metric: str, by: str, worse: Literal["above", "below"] = "above", highest: float | None = None
) -> Watched:
    return Watched(metric, "Average", worse, highest=highest, by=by, seldom=by == _QUALITY)


# By the names of settings. The scales of cpu_percent, memory_percent and load_percent depend on the service.
WATCHED: Mapping[RuleName, Watched] = {
    "cpu_percent": Watched("cpu_core_usage", "Average", highest=100),
    "memory_percent": Watched("memory_rss", "Average", highest=100),
    "gpu_percent": Watched("gpu_util", "Average", highest=100),
    "latency_ms": Watched("rt", "Average", scale=1000),  # microseconds
    "success_percent": Watched("rps_status_2xx_ratio", "Average", worse="below", highest=100),
    "client_errors_percent": Watched("rps_status_4xx_ratio", "Average", highest=100),
    "server_errors_percent": Watched("rps_status_5xx_ratio", "Average", highest=100),
    "load_percent": Watched("qps_total", "Average"),
    "missing_replicas": _reported("missing_replicas", _PUBLISH),
    "cost_cny_per_day": _reported("cost_cny_per_day", _PUBLISH),
    "forecast_error_percent": _reported("forecast_error_percent", _PUBLISH),
    "accuracy_percent": _reported("accuracy_percent", _QUALITY, "below", 100),
    "recall_percent": _reported("recall_percent", _QUALITY, "below", 100),
    "f1_percent": _reported("f1_percent", _QUALITY, "below", 100),
    "prediction_drift_psi": _reported("prediction_drift_psi", _QUALITY),
    "input_drift_psi": _reported("input_drift_psi", _QUALITY),
}
# Every running replica has memory: no value means that none runs.
NO_DATA = Watched("memory_rss", "Average")


@dataclass(frozen=True)
class Limit:
    """Bad for so many minutes in a row."""

    limit: float
    for_min: int


# Latency is held against request.timeout_s, in percent of it. How good a model has to be, how far its input may move
# and what a service may cost only its settings can say.
DEFAULTS: Mapping[RuleName, Mapping[LevelName, Limit]] = {
    "cpu_percent": {"warn": Limit(80, 10), "critical": Limit(90, 10), "emergency": Limit(97, 10)},
    "memory_percent": {"warn": Limit(80, 5), "critical": Limit(90, 5), "emergency": Limit(95, 3)},
    "gpu_percent": {"warn": Limit(90, 15), "critical": Limit(98, 15)},
    "latency_ms": {"warn": Limit(20, 5), "critical": Limit(50, 3), "emergency": Limit(80, 3)},
    "success_percent": {"warn": Limit(99, 5), "critical": Limit(95, 3), "emergency": Limit(80, 3)},
    "client_errors_percent": {"warn": Limit(20, 5), "critical": Limit(50, 5)},
    "server_errors_percent": {"warn": Limit(1, 5), "critical": Limit(5, 3), "emergency": Limit(20, 3)},
    "load_percent": {"warn": Limit(80, 5), "critical": Limit(95, 3)},
    "missing_replicas": {"warn": Limit(0, 10)},
}


@dataclass(frozen=True)
class AlarmRule:
    """One rule of CloudMonitor: the threshold and the number of periods of each of its levels."""

    key: str
    metric: str
    statistic: str
    comparison: Literal[">", "<"]
    levels: Mapping[CloudLevel, tuple[str, int]]
    effective_interval: str
    by: str | None
    """The command that reports its custom metric."""


def alarm_rules(service: "EasServiceSettings") -> list[AlarmRule]:
    """The rules of a service: those of its settings, and defaults for what is not set and can be told."""
    alarms = service.alarms
    return [rule for key in WATCHED for rule in _rules(key, service, alarms) if key not in alarms.without]


def limits_of(key: RuleName, service: "EasServiceSettings") -> Mapping[LevelName, Limit]:
    """The levels of a rule, in the unit of its setting."""
    given = service.alarms.rules.get(key)
    if given is not None:
        seldom = WATCHED[key].seldom
        return {name: Limit(level.limit, 1 if seldom else level.for_min) for name, level in given.levels.items()}
    if key == "latency_ms":
        timeout_ms = service.request.timeout_s * 1000
        return {name: Limit(timeout_ms * of.limit / 100, of.for_min) for name, of in DEFAULTS[key].items()}
    return DEFAULTS.get(key, {})


def scale_of(key: RuleName, service: "EasServiceSettings") -> float | None:
    """What one of our units is in CloudMonitor's; None when that cannot be told of such a service."""
    match key:
        case "cpu_percent":
            cores = vcpus(service.instance_type)
            return None if cores is None else cores / 100
        case "memory_percent":
            gib = memory_gib(service.instance_type)
            return None if gib is None else gib * 2**30 / 100
        case "gpu_percent" if not has_gpu(service.instance_type):
            return None
        case "forecast_error_percent" if service.scaling is None or service.scaling.forecast is None:
            return None
        case "cost_cny_per_day" if service.billing.price_cny_per_replica_hour is None:
            return None
        case "load_percent":
            qps = capacity_qps(service)
            return None if qps is None else qps / 100
    return WATCHED[key].scale


def capacity_qps(service: "EasServiceSettings") -> float | None:
    """The requests per second that the service's settings say it takes with all of its replicas."""
    scaling, most = service.scaling, service.request.max_qps_per_replica
    if scaling is not None and scaling.qps_per_replica is not None:
        return scaling.qps_per_replica.acts_above * service.most_replicas
    return float(most * service.most_replicas) if most else None


def effective_interval(quiet: str | None) -> str:
    """The rest of the day: CloudMonitor counts both ends in, and a quiet time ends as its last minute begins."""
    if quiet is None:
        return "00:00-23:59"
    begin, end = quiet.split("-")
    hours, minutes = map(int, begin.split(":"))
    last = (hours * 60 + minutes - 1) % (24 * 60)
    return f"{end}-{last // 60:02d}:{last % 60:02d}"


def _rules(key: RuleName, service: "EasServiceSettings", alarms: "AlarmSettings") -> Iterator[AlarmRule]:
    """One rule, or two where some of its levels have quiet times."""
    scale, watched, limits = scale_of(key, service), WATCHED[key], limits_of(key, service)
    if scale is None:
        return
    quiet = {name for name in limits if alarms.quiet is not None and name in alarms.quiet_levels}
    for names, interval in ((limits.keys() - quiet, None), (quiet, alarms.quiet)):
        levels = {
            LEVELS[name]: (f"{limits[name].limit * scale:.10g}", limits[name].for_min)
            for name in LEVELS
            if name in names
        }
        if levels:
            yield AlarmRule(
                key if interval is None else f"{key}_quiet",
                watched.metric,
                watched.statistic,
                ">" if watched.worse == "above" else "<",
                levels,
                effective_interval(interval),
                watched.by,
            )
