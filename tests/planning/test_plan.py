"""Plans: what they know, what they hold when, and when they stay away."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from planning.backtest import Rule, replay
from planning.choice import choose
from planning.load import Load
from planning.plan import Plan, Planner
from planning.seasons import Seasons
from planning.series import Floats, Series
from planning.trial import past_days
from planning.wish import Aim, Renewal, Wish
from tests.planning.loads import daily, wandering

WISH = Wish(Rule(capacity=60.0))
DAY = timedelta(hours=24)


def planned(history: Series, wish: Wish = WISH) -> Plan:
    return Planner.of(history, wish).plan(history, DAY)


def played(plan: Plan, wish: Wish, before: float, load: Series) -> tuple[float, float]:
    """Replica-hours and hours of overload of a day under the plan."""
    ticks = np.concatenate([[before], Load.of(load).ticks])
    floor = np.zeros(len(ticks), dtype=np.int64)
    for step in plan.steps:
        floor[1 + int((step.at - load.start).total_seconds()) // 60 :] = step.replicas
    found = replay(ticks, wish.rule, plan.target, floor)
    return float(found.replica_hours), float(found.short_hours)


@pytest.fixture(scope="module")
def ten_days() -> Series:
    return daily(11)


@pytest.mark.parametrize("renewal", list(Renewal))
def test_a_jump_of_every_morning_is_served_for_fewer_hours_than_reactive(ten_days: Series, renewal: Renewal) -> None:
    wish = replace(WISH, renewal=renewal)
    history, today = ten_days.before(10 * 288), ten_days.latest(288)

    hours, short = played(planned(history, wish), wish, history.qps[-1], today)
    present_hours, present_short = played(Plan((), WISH.present_target, "", ""), wish, history.qps[-1], today)

    assert present_short > 0.05
    assert short < 0.4 * present_short
    assert hours < present_hours


def test_safe_takes_neither_more_hours_nor_more_overload(ten_days: Series) -> None:
    wish = replace(WISH, aim=Aim.SAFE)
    history, today = ten_days.before(10 * 288), ten_days.latest(288)

    hours, short = played(planned(history, wish), wish, history.qps[-1], today)
    present_hours, present_short = played(Plan((), WISH.present_target, "", ""), wish, history.qps[-1], today)

    assert short <= present_short
    assert hours <= present_hours


def test_a_safe_plan_holds_replicas_for_a_surge_that_came_once_and_an_economic_one_does_not() -> None:
    """At 21:00 of the last day, one block of five times the load of the evening."""
    history = daily(10)
    surged = history.qps.copy()
    surged[9 * 288 + 21 * 12] *= 5

    def held(aim: Aim, qps: Floats) -> int:
        series = Series(history.start, 300, qps)
        plan = Planner.of(series, replace(WISH, aim=aim)).plan(series, DAY)
        evening = history.end + timedelta(hours=20, minutes=30)
        return max([0, *(step.replicas for step in plan.steps if step.at <= evening)][-1:])

    need = float(np.ceil(1.5 * surged[9 * 288 + 21 * 12] / 60))
    assert held(Aim.SAFE, history.qps) < 5
    assert held(Aim.SAFE, surged) == pytest.approx(need, abs=2)
    assert held(Aim.ECONOMIC, surged) < 5


def test_replicas_are_asked_for_a_start_up_before_the_rise(ten_days: Series) -> None:
    plan = planned(ten_days.before(10 * 288))
    nine = ten_days.at(10 * 288) + timedelta(hours=9)

    def held(at_minutes: int) -> int:
        return [step.replicas for step in plan.steps if step.at <= nine + timedelta(minutes=at_minutes)][-1]

    assert held(-3) >= 16
    assert held(-30) <= 5


def test_no_plan_changes_with_what_comes_after_it(ten_days: Series) -> None:
    rng = np.random.default_rng(0)
    for origin in (6 * 288 + 1, 8 * 288 + 100, 10 * 288):
        noisy = ten_days.qps.copy()
        noisy[origin:] = rng.uniform(0, 5000, len(noisy) - origin)
        other = Series(ten_days.start, ten_days.step_s, noisy)

        one, two = planned(ten_days.before(origin)), planned(other.before(origin))

        assert one.steps == two.steps
        assert (one.target, one.method, one.why) == (two.target, two.method, two.why)


def test_the_choice_by_a_replay_of_the_past_sees_nothing_of_a_day_before_it_is_over(ten_days: Series) -> None:
    """The floors of a past day are made from what was known before it: noise in the last day leaves the others."""
    load = Load.of(ten_days)
    noisy = Load(load.end, load.ticks.copy(), Series(load.blocks.start, 300, load.blocks.qps.copy()))
    noisy.ticks[-1440:] *= np.random.default_rng(1).uniform(0, 9, 1440)
    noisy.blocks.qps[-288:] *= np.random.default_rng(1).uniform(0, 9, 288)

    was, now = ([*past_days(its, WISH.rule, [Seasons()])] for its in (load, noisy))

    assert was[0].far["seasons"].forecast.qps.tolist() == now[0].far["seasons"].forecast.qps.tolist()
    assert was[0].near[0].forecast.qps[0].tolist() == now[0].near[0].forecast.qps[0].tolist()
    assert was[0].near[0].forecast.qps[9].tolist() != now[0].near[0].forecast.qps[9].tolist()
    assert was[1].near[1].forecast.qps.tolist() == now[1].near[1].forecast.qps.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_without_a_season_it_stays_reactive_and_says_so(seed: int) -> None:
    plan = planned(wandering(12, seed=seed))

    assert plan.steps == ()
    assert plan.target == WISH.present_target
    assert plan.why.startswith("stay reactive: no season worth using")


def test_with_too_few_days_it_stays_reactive_and_says_so() -> None:
    plan = planned(daily(3))

    assert (plan.steps, plan.target) == ((), WISH.present_target)
    assert plan.why == "stay reactive: 3.0 days of history, and 5 are the least to plan by"


def test_a_plan_keeps_to_the_bounds() -> None:
    wish = Wish(Rule(capacity=60.0, least=3, most=18))

    plan = planned(daily(9), wish)

    assert {step.replicas for step in plan.steps} <= set(range(3, 19))
    assert max(step.replicas for step in plan.steps) == 18


def test_the_newest_minutes_move_the_plan_for_the_next_ones() -> None:
    history = daily(10, noise=0.01, drift=0.03).before(9 * 288 + 140)
    risen = Series(history.start, 300, np.concatenate([history.qps[:-6], history.qps[-6:] * 1.5]))

    was, now = (Planner.of(its, WISH).plan(its, DAY).forecast for its in (history, risen))

    assert was is not None
    assert now is not None
    assert now.median[0] > 1.3 * was.median[0]
    assert now.median[140] == pytest.approx(was.median[140], rel=0.1)


@pytest.mark.parametrize(("drift", "more"), [(0.05, True), (0.1, False)])
def test_by_a_season_that_explains_little_no_plan_may_have_had_more_overload(drift: float, *, more: bool) -> None:
    """Of a season that explains most, a cheaper plan may."""
    choice = choose(Load.of(daily(11, drift=drift, seed=1)), WISH)

    assert choice.expected is not None
    assert choice.present is not None
    assert choice.expected.replica_hours < choice.present.replica_hours
    assert (choice.expected.short_hours > choice.present.short_hours) is more
