"""The autoscaler's decision, without a service."""

from datetime import UTC, datetime, timedelta

import pytest

from emulator.services.eas.scaling.bounds import Bounds, step_with_autoscaler
from emulator.services.eas.scaling.records import Autoscaler, Behavior, Strategy
from emulator.services.eas.scaling.rules import Measurement, Observation, Stabilizer, decide, recommended

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def scaler(minimum: int = 1, maximum: int = 10, **behavior: int) -> Autoscaler:
    strategy = Strategy(metric="qps", threshold=10, service="resnet")
    return Autoscaler(minimum=minimum, maximum=maximum, strategies=[strategy], behavior=Behavior(**behavior))


def seen(replicas: int, qps: float | None, at: float = 0, *, idle_for: float = 0, asked: bool = True) -> Observation:
    time = NOON + seconds(at)
    return Observation(time, replicas, [Measurement(qps, 10)], time - seconds(idle_for), asked)


@pytest.mark.parametrize(
    ("replicas", "values", "wanted"),
    [
        (2, [23.0], 5),  # the two examples of the user guide
        (5, [2.0], 1),
        (1, [10.9], 1),
        (1, [11.0], 1),
        (1, [11.1], 2),
        (4, [9.0], 4),
        (4, [8.9], 4),
        (4, [7.5], 3),
        (3, [0.0], 0),
        (2, [5.0, 30.0], 6),  # the largest of several
        (3, [None], None),
        (3, [None, 1.0], 3),  # what cannot be measured lets nothing go
        (3, [None, 20.0], 6),
    ],
)
def test_the_number_of_instances_follows_the_load(
    replicas: int, values: list[float | None], wanted: int | None
) -> None:
    assert recommended(replicas, [Measurement(value, 10) for value in values]) == wanted


def test_more_instances_come_at_once_by_default() -> None:
    assert decide(scaler(), seen(1, 42), Stabilizer(NOON, 1)) == 5


def test_instances_go_only_after_five_minutes_of_little_load_by_default() -> None:
    stabilizer = Stabilizer(NOON, 4)

    waiting = [decide(scaler(), seen(4, 2, at), stabilizer) for at in range(0, 300, 10)]

    assert set(waiting) == {4}
    assert decide(scaler(), seen(4, 2, 300), stabilizer) == 1


def test_a_peak_within_the_window_keeps_the_instances() -> None:
    stabilizer = Stabilizer(NOON, 4)
    for at, qps in ((0, 2), (100, 9.9), (200, 2)):
        decide(scaler(), seen(4, qps, at), stabilizer)

    assert decide(scaler(), seen(4, 2, 399), stabilizer) == 4
    assert decide(scaler(), seen(4, 2, 400), stabilizer) == 1


def test_a_window_for_scaling_out_waits_for_lasting_load() -> None:
    patient = scaler(scale_up_window_s=60)
    stabilizer = Stabilizer(NOON, 1)

    assert [decide(patient, seen(1, 30, at), stabilizer) for at in (0, 30, 59, 60)] == [1, 1, 1, 3]


@pytest.mark.parametrize(
    ("replicas", "qps", "wanted"), [(1, 10, 2), (9, 10, 6), (3, 900, 6), (3, None, 3), (9, None, 6)]
)
def test_bounds_hold_at_once(replicas: int, qps: float | None, wanted: int) -> None:
    assert decide(scaler(2, 6), seen(replicas, qps), Stabilizer(NOON, replicas)) == wanted


def test_the_last_instance_goes_after_ten_minutes_without_a_request() -> None:
    sleepy = scaler(0, scale_down_window_s=0)

    assert decide(sleepy, seen(1, 0, idle_for=599, asked=False), Stabilizer(NOON, 1)) == 1
    assert decide(sleepy, seen(1, 0, idle_for=600, asked=False), Stabilizer(NOON, 1)) == 0


def test_many_instances_shrink_to_one_before_the_grace_period_is_over() -> None:
    assert decide(scaler(0, scale_down_window_s=0), seen(4, 0, idle_for=30, asked=False), Stabilizer(NOON, 4)) == 1


def test_a_request_wakes_a_service_without_instances() -> None:
    sleepy = scaler(0, activation_replicas=3)

    assert decide(sleepy, seen(0, None, asked=False), Stabilizer(NOON, 0)) == 0
    assert decide(sleepy, seen(0, None, asked=True), Stabilizer(NOON, 0)) == 3


@pytest.mark.parametrize(
    ("bounds", "current", "target", "moved", "replicas"),
    [
        ((1, 10), 5, 5, (1, 10), 5),
        ((1, 10), 5, 4, (1, 10), 5),
        ((1, 10), 5, 6, (6, 10), 6),
        ((5, 10), 5, 4, (4, 10), 5),
        ((5, 10), 7, 4, (4, 10), 7),
        ((5, 10), 5, 11, (11, 11), 11),
        ((1, 10), 0, 0, (0, 10), 0),
    ],
)
def test_a_schedule_moves_the_autoscalers_bounds(
    bounds: tuple[int, int], current: int, target: int, moved: tuple[int, int], replicas: int
) -> None:
    step = step_with_autoscaler(Bounds(*bounds), current, target)

    assert (tuple(step.bounds), step.replicas) == (moved, replicas)
