"""Plans in few steps: never less than was planned, and the fewest replica-hours more where that can be told."""

from datetime import datetime, timedelta
from itertools import combinations, pairwise

import numpy as np
import pytest

from planning.compression import in_few_steps
from planning.plan import Step

START = datetime(2026, 3, 2)
MINUTES = 120


def steps(*given: tuple[int, int]) -> list[Step]:
    return [Step(START + timedelta(minutes=minute), replicas) for minute, replicas in given]


def floor_of(plan: tuple[Step, ...] | list[Step]) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    """Replicas in each minute."""
    floor = np.zeros(MINUTES, dtype=np.int64)
    for step in plan:
        floor[int((step.at - START).total_seconds()) // 60 :] = step.replicas
    return floor


def at_random(seed: int, count: int) -> list[Step]:
    random = np.random.default_rng(seed)
    minutes = [0, *sorted(random.choice(np.arange(1, MINUTES), count - 1, replace=False).tolist())]
    return steps(*((minute, int(random.integers(1, 9))) for minute in minutes))


END = START + timedelta(minutes=MINUTES)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("most", [1, 3, 8])
def test_few_steps_never_ask_for_less(seed: int, most: int) -> None:
    plan = at_random(seed, 12)
    few = in_few_steps(plan, END, most)
    assert len(few) <= most
    assert few[0].at == plan[0].at
    assert (floor_of(few) >= floor_of(plan)).all()


def test_what_is_few_already_stays() -> None:
    plan = steps((0, 2), (30, 5), (60, 1))
    assert in_few_steps(plan, END, 3) == tuple(plan)


def test_equal_neighbours_are_one_step() -> None:
    assert in_few_steps(steps((0, 2), (30, 2), (60, 1)), END, 24) == tuple(steps((0, 2), (60, 1)))


def test_a_short_dip_is_filled_before_a_long_one() -> None:
    plan = steps((0, 5), (10, 1), (15, 5), (40, 1), (100, 5))
    assert in_few_steps(plan, END, 3) == tuple(steps((0, 5), (40, 1), (100, 5)))


@pytest.mark.parametrize("seed", range(20))
def test_one_step_less_is_taken_where_it_costs_least(seed: int) -> None:
    """Against every way to have one step less."""
    plan = [step for step, after in zip(at_random(seed, 8), [None, *at_random(seed, 8)], strict=False) if after != step]
    plan = list(in_few_steps(plan, END, len(plan)))
    floor = floor_of(plan)
    starts = [int((step.at - START).total_seconds()) // 60 for step in plan]
    costs = []
    for kept in combinations(starts[1:], len(plan) - 2):
        edges = [0, *kept, MINUTES]
        costs.append(sum(int(floor[a:b].max()) * (b - a) for a, b in pairwise(edges)))
    assert int(floor_of(in_few_steps(plan, END, len(plan) - 1)).sum()) == min(costs)


def test_no_steps_at_all_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one step"):
        in_few_steps(steps((0, 1)), END, 0)
