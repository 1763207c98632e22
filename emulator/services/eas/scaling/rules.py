"""The autoscaler's decision: from measured load and bounds to a number of instances."""

import math
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from emulator.services.eas.scaling.records import Autoscaler, Behavior

TOLERANCE = 0.1


class Measurement(NamedTuple):
    """The average of a metric over the instances, in the unit of its threshold; None when it cannot be measured."""

    value: float | None
    threshold: float


class Recommendation(NamedTuple):
    time: datetime
    replicas: int


class Observation(NamedTuple):
    """What is known of a service at one moment. `idle_since` is when its last request came."""

    time: datetime
    replicas: int
    measurements: Sequence[Measurement]
    idle_since: datetime
    asked: bool


def recommended(replicas: int, measurements: Sequence[Measurement]) -> int | None:
    """ "desiredReplicas = ceil[currentReplicas x (currentMetricValue / desiredMetricValue)]", the largest one of all
    metrics, and no change within 10 % of a threshold ("Horizontal auto scaling" of the EAS user guide).

    None when no metric can be measured. A metric that cannot be measured never lets instances go, as in Kubernetes.
    """
    known = [measurement for measurement in measurements if measurement.value is not None]
    if not known:
        return None
    wanted = max(_by_metric(replicas, measurement) for measurement in known)
    return wanted if len(known) == len(measurements) else max(wanted, replicas)


def _by_metric(replicas: int, measurement: Measurement) -> int:
    assert measurement.value is not None  # noqa: S101 - known
    ratio = measurement.value / measurement.threshold
    if abs(ratio - 1.0) <= TOLERANCE + 1e-9:
        return replicas
    return math.ceil(replicas * ratio - 1e-9)


class Stabilizer:
    """Remembers recommendations, so that a change is made only when all of its window asks for it.

    As in Kubernetes, whose words EAS uses: "the scale-in operation can be performed only if the specified metric drops
    below the specified threshold in the specified time window" (CreateServiceAutoScaler). What there was at the
    beginning counts as the first recommendation.
    """

    def __init__(self, time: datetime, replicas: int) -> None:
        self._past = [Recommendation(time, replicas)]

    def settle(self, time: datetime, current: int, wanted: int, behavior: Behavior) -> int:
        """`wanted`, held back towards `current` as far as the windows say."""
        self._past.append(Recommendation(time, wanted))
        longest = max(behavior.scale_up_window_s, behavior.scale_down_window_s)
        self._past = [past for past in self._past if time - past.time <= timedelta(seconds=longest)]
        if wanted > current:
            return max(current, min(self._within(time, behavior.scale_up_window_s)))
        return min(current, max(self._within(time, behavior.scale_down_window_s)))

    def _within(self, time: datetime, window_s: int) -> list[int]:
        window = timedelta(seconds=window_s)
        # Two recommendations of the same moment are told apart by their order: with no window only the last one counts.
        return [past.replicas for past in self._past if time - past.time < window] or [self._past[-1].replicas]


def decide(autoscaler: Autoscaler, seen: Observation, stabilizer: Stabilizer) -> int:
    """How many instances the service should have now.

    Bounds hold at once. The last instance goes after `onZero.scaleDownGracePeriodSeconds` without a request, and a
    request to a service without instances makes `onZero.scaleUpActivationReplicas` of them.
    """
    if seen.replicas == 0:
        woken = autoscaler.behavior.activation_replicas if seen.asked else 0
        return _bounded(autoscaler, woken)
    wanted = recommended(seen.replicas, seen.measurements)
    if wanted is None:
        wanted = seen.replicas
    settled = stabilizer.settle(seen.time, seen.replicas, max(1, wanted), autoscaler.behavior)
    if wanted == 0 and settled == 1 and _may_go_to_zero(autoscaler, seen):
        settled = 0
    return _bounded(autoscaler, settled)


def _may_go_to_zero(autoscaler: Autoscaler, seen: Observation) -> bool:
    grace = timedelta(seconds=autoscaler.behavior.to_zero_after_s)
    return not seen.asked and seen.time - seen.idle_since >= grace


def _bounded(autoscaler: Autoscaler, replicas: int) -> int:
    return min(max(replicas, autoscaler.minimum), autoscaler.maximum)
