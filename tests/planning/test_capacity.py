"""The capacity is found by few trials, holds when it is offered again, and is never exceeded by much."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from planning.capacity import RAMP_STEPS, Objective, Trial, find_by_ramps, find_capacity

OBJECTIVE = Objective(latency_ms=100)


def server(limit: float) -> Callable[[float], Trial]:
    """Fast up to its limit; above it a queue grows."""

    def offer(qps: float) -> Trial:
        return Trial(qps, min(qps, limit), 20.0 if qps <= limit else 2000.0, 0.0)

    return offer


@pytest.mark.parametrize("limit", [0.7, 7, 48, 333, 990])
def test_a_limit_is_found_within_the_precision(limit: float) -> None:
    found = find_capacity(server(limit), OBJECTIVE, first=5, most=1000)
    assert found.qps is not None
    assert 0.94 * limit <= found.qps <= limit
    assert not found.limited
    assert len(found.trials) < 20


def test_what_is_not_reached_is_said() -> None:
    found = find_capacity(server(5000), OBJECTIVE, first=5, most=1000)
    assert (found.qps, found.limited) == (1000, True)
    assert max(trial.offered for trial in found.trials) == 1000


def test_no_more_than_the_most_is_ever_offered() -> None:
    assert find_capacity(server(90), OBJECTIVE, first=200, most=100).trials[0].offered == 100


def test_a_service_that_never_meets_the_objective_has_none() -> None:
    found = find_capacity(server(0), OBJECTIVE, first=5, most=1000)
    assert found.qps is None
    assert len(found.trials) < 20


def test_a_lucky_trial_is_not_believed() -> None:
    """At the limit it holds once, and never again: so much less is the capacity."""
    seen: set[float] = set()

    def offer(qps: float) -> Trial:
        holds = qps <= 80 or (qps <= 100 and qps not in seen)
        seen.add(qps)
        return Trial(qps, qps if holds else 80, 20.0 if holds else 500.0, 0.0)

    found = find_capacity(offer, OBJECTIVE, first=5, most=1000)
    assert found.qps is not None
    assert found.trials[-1].offered == found.qps
    assert OBJECTIVE.met_by(found.trials[-1])


@pytest.mark.parametrize(
    "trial",
    [Trial(100, 90, 20, 0), Trial(100, 100, 101, 0), Trial(100, 98, 20, 0.02)],
    ids=["falls behind", "slow", "fails"],
)
def test_each_part_of_the_objective_counts(trial: Trial) -> None:
    assert not OBJECTIVE.met_by(trial)
    assert OBJECTIVE.met_by(Trial(100, 99, 99, 0.01))


Ramp = Callable[[float, float, int], list[Trial]]


def ramping(limit: float, *, failing: float = 0.0) -> Ramp:
    """The same server under loads that grow; of a ramp that reaches 90 % of the limit so many requests fail."""

    def ramp(low: float, high: float, steps: int) -> list[Trial]:
        loads = [low + (high - low) * step / steps for step in range(steps + 1)]
        share = failing if high > 0.9 * limit else 0.0
        return [replace(server(limit)(load), failed_share=share) for load in loads]

    return ramp


@pytest.mark.parametrize("limit", [0.7, 7, 48, 333, 990])
def test_by_ramps_a_limit_is_found_within_the_precision(limit: float) -> None:
    found = find_by_ramps(ramping(limit), OBJECTIVE, first=5, most=1000)
    assert found.qps is not None
    assert 0.94 * limit <= found.qps <= limit
    assert not found.limited
    assert len(found.trials) <= 4 * (RAMP_STEPS + 1) + 2


def test_by_ramps_it_is_said_that_no_higher_load_was_tried() -> None:
    found = find_by_ramps(ramping(5000), OBJECTIVE, first=5, most=1000)
    assert (found.qps, found.limited) == (1000, True)
    assert max(trial.offered for trial in found.trials) == 1000


def test_by_ramps_less_is_tried_where_what_was_found_does_not_hold() -> None:
    """Ramps overshoot, so that their failures do not count; those of what was found do."""
    assert find_by_ramps(ramping(100, failing=0.1), OBJECTIVE, first=5, most=1000).qps == pytest.approx(88, abs=2)


def test_by_ramps_a_service_that_never_meets_the_objective_has_none() -> None:
    assert find_by_ramps(ramping(0.1), OBJECTIVE, first=5, most=1000).qps is None
    assert (
        find_by_ramps(ramping(100, failing=1.0), Objective(100, failed_share=0.0), first=95, most=1000).qps is not None
    )


def test_a_ramp_that_ends_early_ends_the_search_with_what_it_saw() -> None:
    def early(low: float, high: float, steps: int) -> list[Trial]:
        return ramping(5000)(low, high, steps)[:3]

    found = find_by_ramps(early, OBJECTIVE, first=5, most=1000)
    assert found.qps == pytest.approx(204)
    assert not found.limited


def test_a_load_that_was_not_offered_again_does_not_hold() -> None:
    def cut(low: float, high: float, steps: int) -> list[Trial]:
        trials = ramping(5000)(low, high, steps)
        return trials[:1] if steps == 1 else trials

    assert find_by_ramps(cut, OBJECTIVE, first=5, most=1000).qps is None
