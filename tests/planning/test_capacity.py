"""The capacity is found by few trials, holds when it is offered again, and is never exceeded by much."""

from collections.abc import Callable

import pytest

from planning.capacity import Objective, Trial, find_capacity

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
