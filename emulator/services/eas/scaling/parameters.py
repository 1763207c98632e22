"""The settings of an autoscaler, as CreateServiceAutoScaler takes them."""

from typing import Annotated

from pydantic import Field

from emulator.operations import Parameters
from emulator.services.eas.config.parsing import invalid
from emulator.services.eas.records import Service
from emulator.services.eas.scaling.load import METRICS
from emulator.services.eas.scaling.records import Autoscaler, Behavior, Strategy

MOST_REPLICAS = 1000  # "Horizontal auto scaling" of the EAS user guide

Seconds = Annotated[int, Field(ge=0, le=3600)]


class Window(Parameters):
    seconds: Seconds | None = Field(None, alias="stabilizationWindowSeconds")


class OnZero(Parameters):
    grace_s: int = Field(600, ge=0, alias="scaleDownGracePeriodSeconds")
    replicas: int = Field(1, ge=1, alias="scaleUpActivationReplicas")


class RequestedBehavior(Parameters):
    scale_up: Window = Field(Window(), alias="scaleUp")
    scale_down: Window = Field(Window(), alias="scaleDown")
    on_zero: OnZero = Field(OnZero(), alias="onZero")


class ScaleStrategy(Parameters):
    metric: str = Field(alias="metricName")
    threshold: float = Field(gt=0)
    service: str | None = None


class AutoscalerParameters(Parameters):
    """`min` and `max` are numbers of instances, times are in seconds."""

    minimum: int = Field(alias="min", ge=0)
    maximum: int = Field(alias="max", ge=1, le=MOST_REPLICAS)
    strategies: list[ScaleStrategy] = Field(alias="scaleStrategies", min_length=1)
    behavior: RequestedBehavior = RequestedBehavior()


def checked(service: Service, body: AutoscalerParameters) -> Autoscaler:
    """ApiError for what EAS does not scale by."""
    if body.maximum <= body.minimum:
        raise invalid(f"max must be greater than min, found max {body.maximum} and min {body.minimum}.")
    if body.minimum == 0 and service.config.get("networking", {}).get("gateway"):
        raise invalid("min must be at least 1 for a service behind a dedicated gateway, found 0.")
    for strategy in body.strategies:
        if strategy.metric.lower() not in METRICS:
            raise invalid(f"There is no metric {strategy.metric!r} to scale by; there are {', '.join(METRICS[:3])}.")
    window = body.behavior
    requested = {"scale_up_window_s": window.scale_up.seconds, "scale_down_window_s": window.scale_down.seconds}
    return Autoscaler(
        minimum=body.minimum,
        maximum=body.maximum,
        strategies=[
            Strategy(metric=strategy.metric, threshold=strategy.threshold, service=strategy.service or service.name)
            for strategy in body.strategies
        ],
        behavior=Behavior(
            **{name: value for name, value in requested.items() if value is not None},
            to_zero_after_s=window.on_zero.grace_s,
            activation_replicas=window.on_zero.replicas,
        ),
    )
