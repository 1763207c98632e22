"""The replay: EAS's rule by hand, a plan under it, and the cheapest schedule against trying them all."""

import numpy as np
import pytest

from planning.backtest import Rule, clairvoyant_hours, replay
from planning.floor import ask_in_time, ask_with_every_block

DOUBLED = np.array([7.0] * 30 + [14.0] * 30 + [7.0] * 30)
ONE = Rule(capacity=1.0)


def test_the_rule_scales_out_a_minute_after_a_rise_and_serves_three_later() -> None:
    played = replay(DOUBLED, ONE, 0.7)

    # Index i of what was played is minute i + 1: the first is only seen. The load doubles in minute 30.
    assert played.asked[28:31].tolist() == [10, 10, 20]
    assert played.ready[29:34].tolist() == [10, 10, 10, 10, 20]
    assert int(played.short.sum()) == 4


def test_the_rule_scales_in_when_the_load_has_been_low_for_five_minutes() -> None:
    played = replay(DOUBLED, ONE, 0.7)

    assert played.asked[58:66].tolist() == [20, 20, 20, 20, 20, 20, 20, 10]
    assert played.released.sum() == 10
    assert played.replica_hours == pytest.approx(played.asked.sum() / 60 + 10 * 30 / 3600)


def test_a_load_within_a_tenth_of_the_target_changes_nothing() -> None:
    assert set(replay(np.array([7.0] * 9 + [7.6] * 9 + [6.4] * 9), ONE, 0.7).asked.tolist()) == {10}
    assert 12 in replay(np.array([7.0] * 9 + [7.8] * 9), ONE, 0.7).asked.tolist()


def test_a_floor_that_is_asked_for_in_time_leaves_no_minute_short() -> None:
    floor = np.zeros(90, dtype=np.int64)
    floor[27:] = 14

    assert not replay(DOUBLED, ONE, 0.7, floor).short.any()
    floor[27] = 13
    assert int(replay(DOUBLED, ONE, 0.7, floor).short.sum()) == 1


def test_replicas_that_still_start_are_let_go_before_those_that_serve() -> None:
    floor = np.zeros(12, dtype=np.int64)
    floor[3:5] = 9

    played = replay(np.full(12, 0.5), Rule(1.0), 0.0, floor)

    assert played.asked.tolist() == [1, 1, 9, 9, 1, 1, 1, 1, 1, 1, 1]
    assert set(played.ready.tolist()) == {1}
    assert played.released.sum() == 0


def test_without_a_start_up_replicas_serve_at_once_and_the_most_is_kept() -> None:
    played = replay(np.array([1.0, 50.0, 50.0, 50.0]), Rule(1.0, most=40, start_up_s=0), 1.0)

    assert played.ready.tolist() == [1, 40, 40]


def test_lanes_do_not_touch_each_other() -> None:
    loads = np.random.default_rng(3).uniform(1, 20, (4, 60))
    targets = np.array([0.5, 0.7, 0.9, 0.0])
    floors = np.random.default_rng(4).integers(0, 15, (4, 60))

    together = replay(loads, ONE, targets, floors)

    for lane in range(4):
        alone = replay(loads[lane], ONE, float(targets[lane]), floors[lane])
        assert together.ready[lane].tolist() == alone.ready.tolist()
        assert together.replica_hours[lane] == alone.replica_hours


def cheapest(need: list[int], rule: Rule) -> float:
    """Hours of the cheapest of all schedules that are never below `need`, tried step by step."""
    most = max(need)
    cost = {held: held * 60.0 for held in range(need[0], most + 1)}
    for least in need[1:]:
        cost = {
            held: min(
                before_cost + max(0, held - before) * rule.start_up_s + max(0, before - held) * rule.drain_s
                for before, before_cost in cost.items()
            )
            + held * 60.0
            for held in range(least, most + 1)
        }
    return min(cost.values()) / 3600


@pytest.mark.parametrize("start_up_s", [0, 60, 180, 600])
def test_the_cheapest_schedule_is_the_one_that_trying_them_all_finds(start_up_s: int) -> None:
    rng = np.random.default_rng(start_up_s)
    rule = Rule(1.0, start_up_s=start_up_s)
    for _ in range(60):
        load = rng.integers(0, 6, rng.integers(2, 40)).astype(float)

        assert clairvoyant_hours(load, rule) == pytest.approx(cheapest([max(1, int(its)) for its in load], rule))


def test_a_plan_from_the_true_load_is_never_short_and_needs_no_rule() -> None:
    load = np.repeat(np.random.default_rng(5).integers(1, 20, 48), 5).astype(float)
    needed = load[::5].astype(np.int64)

    held = replay(load, ONE, 0.0, ask_in_time(needed, ONE))

    assert not held.short.any()
    assert held.asked.tolist() == ask_in_time(needed, ONE)[1:].tolist()


def test_a_plan_that_is_renewed_asks_for_the_next_block_as_soon_as_it_has_to() -> None:
    now, soon = np.array([2, 5]), np.array([5, 1])

    assert ask_with_every_block([now, soon], ONE).tolist() == [2, 2, 5, 5, 5, 5, 5, 5, 5, 5]
