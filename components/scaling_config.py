"""How many replicas a service has, by its load and by the time of day, and what of that EAS can do.

EAS's rule: https://www.alibabacloud.com/help/en/pai/user-guide/enable-or-disable-the-horizontal-auto-scaling-feature.
Schedules: https://www.alibabacloud.com/help/en/pai/user-guide/enable-or-disable-the-scheduled-auto-scaling-feature.
"""

from itertools import combinations
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from components.cron import Cron, Schedule, checked_day, checked_schedule, checked_zone
from components.settings import NAME_PATTERN, Settings

# EAS leaves the number of replicas as it is while the average is within so much of the threshold.
TOLERANCE = 0.1
# A band is what a person writes with two or three digits; so far it may be off what EAS does.
_ROUNDING = 0.01

_METRICS = {"qps_per_replica": "qps", "cpu_percent": "cpu", "gpu_percent": "gpu[util]"}
_OF_LOAD = ("min_replicas", "max_replicas", "scale_out_window_s", "scale_in_window_s", "to_zero")

Replicas = Annotated[int, Field(ge=0, le=1000)]


class MetricSettings(Settings):
    """What a replica has to bear on average: a target, or a band within which nothing changes."""

    target: float | None = Field(default=None, gt=0, description="EAS acts when it is missed by more than 10 %.")
    out_above: float | None = Field(default=None, gt=0, description="More replicas when the average is above.")
    in_below: float | None = Field(default=None, gt=0, description="No replica goes while the average is above.")

    @model_validator(mode="after")
    def _is_target_or_band(self) -> Self:
        band = [edge for edge in (self.out_above, self.in_below) if edge is not None]
        if (self.target is None) == (not band) or len(band) == 1:
            raise ValueError("give either target, or the two edges of a band, out_above and in_below")
        if self.out_above is not None and self.in_below is not None and self.in_below >= self.out_above:
            raise ValueError(f"in_below is {self.in_below:g}, which is not below out_above, {self.out_above:g}")
        return self

    @property
    def threshold(self) -> float:
        """The average that EAS is told to keep: above `out_above` it is missed by more than its tolerance."""
        if self.target is not None:
            return self.target
        assert self.out_above is not None  # noqa: S101 - a band
        return round(self.out_above / (1 + TOLERANCE), 4)

    @property
    def acts_above(self) -> float:
        return round(self.threshold * (1 + TOLERANCE), 2)


class PercentSettings(MetricSettings):
    """The utilisation of a replica's processors, in percent of what it has."""

    @model_validator(mode="after")
    def _can_be_exceeded(self) -> Self:
        if self.acts_above >= 100:
            raise ValueError(
                f"EAS would act above {self.acts_above:g} %, which is never reached: at most 90 as a target, and "
                "less than 100 as out_above"
            )
        return self


class ToZeroSettings(Settings):
    """How the last replica goes, and how a service wakes that has none."""

    after_idle_s: int = Field(default=600, ge=0, le=86_400, description="Without any request.")
    wake_replicas: int = Field(default=1, ge=1, le=1000, description="So many start with the first request.")


class ScheduleSettings(Settings):
    """The number of replicas from a time of day on; with a target, the least number from then on."""

    cron: Annotated[str, AfterValidator(checked_schedule)] = Field(
        description="Second, minute, hour, day of month, month, day of week (0 is Sunday)"
    )
    replicas: Replicas
    time_zone: Annotated[str, AfterValidator(checked_zone)] = "Asia/Shanghai"


class ForecastSettings(Settings):
    """A plan that is made ahead of the load, as a floor under the autoscaler; modes as Auto Scaling (ESS) names them:
    https://www.alibabacloud.com/help/en/auto-scaling/user-guide/predictive-scaling-rules."""

    mode: Literal["PredictAndScale", "PredictOnly"] = Field(
        default="PredictOnly", description="PredictOnly makes plans and applies none."
    )
    applied_by: Literal["plan", "controller"] = Field(
        default="plan", description="The file that `up` follows, or `paistack scale`, which moves the floor as it runs."
    )
    qps_per_replica: float | None = Field(
        default=None, gt=0, description="That one replica can serve; by default what `paistack loadtest` found."
    )
    warm_up_s: int = Field(default=180, ge=0, le=3600, description="From asking for a replica until it serves.")
    aim: Literal["economic", "safe"] = Field(
        default="economic", description="Least cost, or no more overload and no more replica-hours than by load alone."
    )
    overload_price: float = Field(default=100, ge=0, description="Of an hour of overload, in replica-hours.")
    most_steps: int = Field(default=24, ge=1, le=100, description="Steps of a plan; each is a job of the cron scaler.")
    plan: str | None = Field(
        default=None, min_length=1, description="Its file; by default stacks/plans/STACK/SERVICE.json."
    )


class ScalingSettings(Settings):
    """Replicas that follow the load (a target and bounds), the clock (schedules), or both."""

    min_replicas: int | None = Field(default=None, ge=0, le=999, description="0 lets the service sleep.")
    max_replicas: int | None = Field(default=None, ge=1, le=1000)
    qps_per_replica: MetricSettings | None = Field(default=None, description="Requests per second and replica.")
    cpu_percent: PercentSettings | None = None
    gpu_percent: PercentSettings | None = None
    scale_out_window_s: int = Field(default=0, ge=0, le=3600, description="So long the load must last.")
    scale_in_window_s: int = Field(default=300, ge=0, le=3600, description="So long the load must stay low.")
    to_zero: ToZeroSettings | None = Field(default=None, description="With min_replicas 0 only.")
    schedules: dict[Annotated[str, StringConstraints(pattern=NAME_PATTERN)], ScheduleSettings] = Field(
        default_factory=dict, description="Each by a short name of lower-case letters."
    )
    excluded_dates: list[Annotated[str, AfterValidator(checked_day)]] = Field(
        default_factory=list, description="Days without schedules, as in '* * * 1 10 *', in each schedule's time zone."
    )

    forecast: ForecastSettings | None = Field(default=None, description="Replicas before the load comes.")

    @property
    def metrics(self) -> dict[str, MetricSettings]:
        """What is measured, by the name of its setting; empty when only schedules scale."""
        given = {name: getattr(self, name) for name in _METRICS}
        return {name: metric for name, metric in given.items() if metric is not None}

    @property
    def thresholds(self) -> dict[str, float]:
        """The average per replica that EAS keeps, by its own name of the metric."""
        return {_METRICS[name]: metric.threshold for name, metric in self.metrics.items()}

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the most replicas; of schedules alone, the smallest and the largest of them."""
        sizes = self.scheduled_replicas
        least, most = self.min_replicas, self.max_replicas
        return (sizes[0] if least is None else least, sizes[-1] if most is None else most)

    @property
    def scheduled_replicas(self) -> list[int]:
        """Every number that schedules ask for, once, in order."""
        return sorted({schedule.replicas for schedule in self.schedules.values()})

    @property
    def first_replicas(self) -> int:
        """How many a new service begins with: at least one, which shows that it starts."""
        least, most = self.bounds
        return max(1, least if self.metrics else most)

    @model_validator(mode="after")
    def _says_by_what(self) -> Self:
        if not self.metrics and not self.schedules:
            raise ValueError(f"give a target ({', '.join(_METRICS)}), or schedules")
        if not self.metrics and (given := next((name for name in _OF_LOAD if name in self.model_fields_set), None)):
            raise ValueError(f"{given} is about load, and no target says which: add one ({', '.join(_METRICS)})")
        if self.metrics and (self.min_replicas is None or self.max_replicas is None):
            raise ValueError("with a target, both min_replicas and max_replicas are needed")
        if self.forecast is not None and self.qps_per_replica is None:
            raise ValueError(
                "forecast plans for requests, and the autoscaler does not look at them: add qps_per_replica"
            )
        if self.forecast is not None and self.forecast.mode == "PredictAndScale" and self.schedules:
            raise ValueError(
                "a forecast and schedules would undo each other: take the schedules out, or set forecast.mode to "
                "PredictOnly"
            )
        if self.excluded_dates and not self.schedules:
            raise ValueError("excluded_dates are days without schedules, and there are none; leave them out")
        return self

    @property
    def floor_moves(self) -> bool:
        """Whether a controller moves the least number of replicas."""
        forecast = self.forecast
        return forecast is not None and forecast.mode == "PredictAndScale" and forecast.applied_by == "controller"

    @model_validator(mode="after")
    def _leaves_room(self) -> Self:
        least, most = self.bounds
        if self.metrics and most <= least:
            raise ValueError(
                f"max_replicas must be above min_replicas, found {most} and {least}; for a fixed number leave scaling "
                "out, and set replicas"
            )
        if self.to_zero is not None and least > 0:
            raise ValueError(f"to_zero has no effect while min_replicas is {least}: set that to 0, or leave it out")
        if self.to_zero is not None and self.to_zero.wake_replicas > most:
            raise ValueError(f"to_zero.wake_replicas is {self.to_zero.wake_replicas}, above max_replicas, {most}")
        return self

    @model_validator(mode="after")
    def _bands_are_eass(self) -> Self:
        for name, metric in self.metrics.items():
            if metric.in_below is not None:
                _check_band(name, metric, self.bounds[1])
        return self

    @model_validator(mode="after")
    def _schedules_keep_to_bounds(self) -> Self:
        least, most = self.bounds
        for name, schedule in self.schedules.items():
            if not least <= schedule.replicas <= most:
                raise ValueError(
                    f"schedules.{name} asks for {schedule.replicas} replicas, outside min_replicas, {least}, to "
                    f"max_replicas, {most}: EAS would move the bounds for good; change one of them"
                )
        if self.metrics and self.schedules and self.scheduled_replicas[0] > least:
            raise ValueError(
                f"no schedule goes back to min_replicas, {least}: the replicas of a schedule are the least that there "
                f"are until the next one, so that it would be {self.scheduled_replicas[0]} for good; add a schedule "
                f"that ends the others, or set min_replicas to {self.scheduled_replicas[0]}"
            )
        return self

    @model_validator(mode="after")
    def _schedules_agree(self) -> Self:
        excluded = tuple(Cron.parse(day) for day in self.excluded_dates)
        parsed = {
            name: Schedule(Cron.parse(schedule.cron), ZoneInfo(schedule.time_zone), excluded)
            for name, schedule in self.schedules.items()
        }
        for name, schedule in parsed.items():
            if not schedule.is_ever_due:
                raise ValueError(f"schedules.{name} is never due: all of its days are among excluded_dates")
        for one, other in combinations(parsed, 2):
            sizes = (self.schedules[one].replicas, self.schedules[other].replicas)
            if sizes[0] != sizes[1] and (moment := parsed[one].meets(parsed[other])):
                raise ValueError(
                    f"schedules.{one} and schedules.{other} ask for {sizes[0]} and {sizes[1]} replicas at the same "
                    f"moment, for example {moment:%A %Y-%m-%d %H:%M:%S} ({self.schedules[one].time_zone}); move one"
                )
        return self


def highest_scale_in(threshold: float, most: int) -> float:
    """The highest average at which EAS may let a replica go.

    It goes when ceil(replicas x average / threshold) is less than there are, so at (replicas - 1) / replicas of the
    threshold, which is highest for `most` replicas; and never within the tolerance.
    """
    return threshold * min(1 - TOLERANCE, (most - 1) / most)


def _check_band(name: str, metric: MetricSettings, most: int) -> None:
    """ValueError when EAS, which has one threshold, would let replicas go above `in_below`, or only far below it."""
    assert metric.in_below is not None  # noqa: S101 - a band
    assert metric.out_above is not None  # noqa: S101 - a band
    lowest, highest = highest_scale_in(metric.threshold, most), metric.threshold * (1 - TOLERANCE)
    slack = _ROUNDING * metric.out_above
    if lowest - slack <= metric.in_below <= highest + slack:
        return
    allowed = f"{lowest:.3g}" if highest - lowest < slack else f"{lowest:.3g} to {highest:.3g}"
    raise ValueError(
        f"{name}: EAS cannot do the band from {metric.in_below:g} to {metric.out_above:g}. It keeps to one threshold, "
        f"here {metric.threshold:.3g}: scaling out above {metric.out_above:g}, it lets the first of {most} replicas go "
        f"below {lowest:.3g}. Set in_below to {allowed}, or give target: {metric.threshold:.3g}"
    )
