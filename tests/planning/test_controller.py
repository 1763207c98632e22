"""One decision about a floor, by hand, and what holds of all of them."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from planning.controller import Asked, Decision, Limits, Situation, Verdict, Wanted, asked_between, decide
from planning.plan import Step

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LIMITS = Limits(least=2, most=10, hysteresis=timedelta(minutes=10), stale_after=timedelta(minutes=15))


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def decided(floor: int, now: int, ahead: int | None = None, *earlier: tuple[float, int], **others: Any) -> Decision:
    """`earlier` are minutes ago and the floor that was wanted then, the oldest first."""
    whole: dict[str, Any] = {
        "at": NOW,
        "floor": floor,
        "replicas": 3,
        "asked": Asked(now, now if ahead is None else ahead),
        "why": "seasons",
        "metrics_age": minutes(5),
        "earlier": tuple(Wanted(NOW - minutes(ago), wanted) for ago, wanted in earlier),
    }
    return decide(Situation(**whole | others), LIMITS)


def test_a_higher_floor_is_taken_at_once() -> None:
    assert decided(2, 6) == Decision(6, Verdict.RAISES, "the plan asks for 6, 3 run: seasons", 6)


def test_what_comes_before_the_next_round_counts_now() -> None:
    assert decided(2, 2, 7).floor == 7
    assert decided(2, 7, 7).floor == 7


def test_the_floor_stays_one_below_the_most_since_eas_refuses_equal_bounds() -> None:
    found = decided(2, 40)
    assert (found.floor, found.wanted) == (9, 9)
    assert found.reason == "the plan asks for 40, 3 run, and the floor goes to 9 at most: seasons"


def test_the_same_floor_holds() -> None:
    assert decided(5, 5) == Decision(5, Verdict.HOLDS, "the plan asks for 5: seasons", 5)
    assert decided(2, 0).verdict is Verdict.HOLDS, "less than the least is the least"


def test_a_lower_floor_waits_until_it_was_wanted_for_ten_minutes() -> None:
    assert decided(8, 4) == Decision(
        8, Verdict.WAITS, "the plan asks for 4 since 09:00, and 10 min have to pass: seasons", 4
    )
    assert decided(8, 4, None, (5, 4)).verdict is Verdict.WAITS
    found = decided(8, 4, None, (10, 4), (5, 4))
    assert found == Decision(4, Verdict.LOWERS, "no more than 4 were asked for during 10 min: seasons", 4)


def test_it_is_lowered_to_the_highest_that_was_wanted_meanwhile() -> None:
    assert decided(8, 3, None, (15, 7), (10, 6), (5, 5)).floor == 6


def test_a_wish_for_the_present_floor_begins_the_wait_anew() -> None:
    assert decided(8, 4, None, (15, 4), (10, 8), (5, 4)).verdict is Verdict.WAITS
    assert decided(8, 4, None, (15, 4), (10, 9), (5, 4)).verdict is Verdict.WAITS


def test_nobody_knows_what_was_wanted_while_no_controller_ran() -> None:
    assert decided(8, 4, None, (60, 4), (55, 4)).verdict is Verdict.WAITS


def test_wishes_from_a_clock_that_went_ahead_count_nothing() -> None:
    assert decided(8, 4, None, (-30, 4), (-20, 4)).verdict is Verdict.WAITS


@pytest.mark.parametrize("floor", [2, 5, 9, 14])
def test_without_fresh_metrics_the_reactive_rule_is_alone_at_once(floor: int) -> None:
    old = decided(floor, 9, metrics_age=minutes(16))
    assert old == Decision(2, Verdict.REACTIVE, "the newest metric is 16 min old, and 15 are allowed", 2)
    assert decided(floor, 9, metrics_age=None, trouble="no answer").reason == "there are no metrics: no answer"
    just = decided(floor, 9, metrics_age=timedelta(minutes=15, seconds=1))
    assert just.reason == "the newest metric is 15.1 min old, and 15 are allowed"
    assert decided(floor, 9, metrics_age=minutes(15)).verdict is not Verdict.REACTIVE


def test_a_floor_outside_the_limits_is_put_inside_at_once() -> None:
    assert decided(12, 4) == Decision(4, Verdict.LOWERS, "the floor was 12, outside 2 to 9", 4)
    assert decided(1, 1) == Decision(2, Verdict.RAISES, "the floor was 1, outside 2 to 9", 2)


def test_limits_without_room_are_refused() -> None:
    with pytest.raises(ValueError, match="needs 0 <= least < most, found 4 and 4"):
        Limits(4, 4)


def test_what_a_plan_asks_for_between_two_moments() -> None:
    steps = [Step(NOW, 3), Step(NOW + minutes(4), 8), Step(NOW + minutes(10), 1)]
    assert asked_between(steps, NOW, NOW + minutes(3), none=0) == Asked(3, 3)
    assert asked_between(steps, NOW + minutes(1), NOW + minutes(6), none=0) == Asked(3, 8)
    assert asked_between(steps, NOW + minutes(5), NOW + minutes(20), none=0) == Asked(8, 8)
    assert asked_between(steps, NOW - minutes(5), NOW + minutes(1), none=0) == Asked(0, 3)
    assert asked_between([], NOW, NOW + minutes(5), none=0) == Asked(0, 0)


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_the_floor_keeps_to_its_limits_and_falls_only_late(seed: int) -> None:
    """A controller's life of random loads, gaps in the metrics, and others who move the floor."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    limits = Limits(chance.randrange(3), chance.randrange(4, 12))
    floor, at, past = limits.least, NOW, list[Wanted]()
    for _ in range(300):
        at += minutes(chance.choice([1, 5, 5, 5, 40]))
        if chance.random() < 0.05:
            floor = chance.randrange(15)
        asked = Asked(chance.randrange(15), chance.randrange(15))
        age = chance.choice([minutes(5), minutes(5), minutes(5), minutes(30), None])
        found = decide(Situation(at, floor, 1, asked, "", age, tuple(past)), limits)

        assert limits.least <= found.floor < limits.most
        if age != minutes(5):
            assert found.floor == limits.least
        elif limits.within(floor) == floor:
            assert found.floor >= max(asked.now, asked.ahead) or found.floor == limits.most - 1
            lower = [each for each in past if at - each.at <= limits.hysteresis]
            assert found.floor >= floor or all(each.floor <= found.floor for each in lower)
            assert found.floor >= floor or any(at - each.at >= limits.hysteresis for each in past)
        floor = found.floor
        past.append(Wanted(at, found.wanted))
