"""What a cron scaler does to a service, with and without an autoscaler."""

from typing import NamedTuple


class Bounds(NamedTuple):
    minimum: int
    maximum: int


class CronStep(NamedTuple):
    """`bounds` are the autoscaler's afterwards, `replicas` the service's at once."""

    bounds: Bounds
    replicas: int
    message: str


def plain_step(current: int, target: int) -> str:
    """What the message of a job says that sets the number of instances itself."""
    return f"current replicas:{current}, desired replicas:{target}."


def step_with_autoscaler(bounds: Bounds, current: int, target: int) -> CronStep:
    """The autoscaler's bounds make way for the target, and only more instances come at once; fewer are the
    autoscaler's decision, within its new bounds.

    "If you enable both scheduled scaling and auto scaling for a service, the minimum and maximum numbers of instances
    for auto scaling change based on the expected number of instances for scheduled scaling" ("Scheduled auto
    scaling" of the EAS user guide). How they change is taken from kubernetes-cronhpa-controller, the implementation
    that the vendor published (`ScaleHPA` in pkg/controller/cronjob.go): a target above the maximum raises it, one
    below the minimum lowers it, one above the current number becomes the minimum, and so does one below a current
    number that is the minimum.
    """
    minimum, maximum = bounds
    maximum = max(maximum, target)
    if target < minimum or target > current:
        minimum = target
    moved = Bounds(minimum, maximum)
    if current >= target:
        return CronStep(moved, current, f"Skip scale replicas because current replicas:{current} >= {target}.")
    return CronStep(moved, target, plain_step(current, target))
