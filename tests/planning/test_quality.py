"""Quality and drift, against numbers worked out by hand."""

import math

import numpy as np
import pytest

from planning.quality import by_label, counted, drift, quality, wilson

LABELS = ("bag", "boot", "coat")


def pairs(*counts: tuple[str, str, int]) -> list[tuple[str, str]]:
    return [(predicted, true) for predicted, true, count in counts for _ in range(count)]


def test_figures_are_those_worked_out_by_hand() -> None:
    found = quality(pairs(("bag", "bag", 2), ("boot", "bag", 1), ("boot", "boot", 2), ("bag", "coat", 1)), LABELS)

    assert found.accuracy.value == pytest.approx(4 / 6)
    assert found.recall.value == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert found.f1.value == pytest.approx((2 / 3 + 0.8 + 0) / 3)
    bag, boot, coat = found.per_class
    assert bag.precision is not None
    assert bag.recall is not None
    assert (bag.precision.value, bag.recall.value) == pytest.approx((2 / 3, 2 / 3))
    assert boot.f1 is not None
    assert boot.f1.value == pytest.approx(0.8)
    assert coat.precision is None, "nobody said coat"
    assert coat.recall is not None
    assert coat.recall.value == 0


def test_six_labels_tell_nothing_and_two_thousand_tell_much() -> None:
    few = quality(pairs(("bag", "bag", 5), ("boot", "bag", 1)), LABELS)
    many = quality(pairs(("bag", "bag", 900), ("boot", "bag", 100), ("boot", "boot", 1000)), LABELS)

    assert [few.accuracy.tells, few.recall.tells, few.f1.tells] == [False, False, False]
    assert [many.accuracy.tells, many.recall.tells, many.f1.tells] == [True, True, True]
    assert many.accuracy.low < 0.95 < many.accuracy.high


def test_a_few_labels_that_are_all_right_are_not_taken_for_certainty() -> None:
    found = quality(pairs(("bag", "bag", 4)), LABELS)
    assert (found.accuracy.value, found.f1.value) == (1, 1)
    assert not found.f1.tells


def test_classes_without_labels_are_no_part_of_means() -> None:
    found = quality(pairs(("bag", "bag", 3), ("coat", "bag", 1)), LABELS)
    assert found.recall.value == pytest.approx(0.75)
    assert found.f1.value == pytest.approx(6 / 7)
    assert [each.recall is None for each in found.per_class] == [False, True, True]


def test_the_interval_is_wilsons() -> None:
    # By hand: 8 of 10, z = 1.96.
    found = wilson(8, 10)
    assert (found.low, found.high) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10).low == 0


def test_intervals_hold_the_truth_nineteen_times_in_twenty() -> None:
    rng, held = np.random.default_rng(3), 0
    for seed in range(100):
        right = rng.random(300) < 0.8
        drawn = [("bag", "bag") if each else ("boot", "bag") for each in right]
        found = quality(drawn, LABELS, seed=seed).recall
        held += found.low <= 0.8 <= found.high
    assert held >= 90


def test_drift_is_the_population_stability_index() -> None:
    # Shares 0.5, 0.5 and 0.8, 0.2: 0.3 ln 1.6 + -0.3 ln 0.4
    found = drift([500, 500], [800, 200])
    assert found.psi == pytest.approx(0.3 * math.log(1.6) - 0.3 * math.log(0.4))
    assert found.by_chance == pytest.approx(1 / 1000 + 1 / 1000)
    assert found.verdict == "much"


@pytest.mark.parametrize(
    ("now", "verdict"),
    [
        ([500, 500], "none"),
        ([650, 350], "none"),
        ([670, 330], "some"),
        ([9, 1], "too few to tell"),
        ([0, 0], "too few to tell"),
    ],
)
def test_how_far_is_told_in_words(now: list[int], verdict: str) -> None:
    assert drift([500, 500], now).verdict == verdict


def test_the_same_distribution_rarely_looks_like_drift() -> None:
    rng = np.random.default_rng(1)
    shares = np.full(10, 0.1)
    verdicts = [
        drift(rng.multinomial(1500, shares).tolist(), rng.multinomial(600, shares).tolist()).verdict for _ in range(200)
    ]
    assert set(verdicts) == {"none"}


def test_values_are_counted_where_they_fall() -> None:
    assert counted([0, 0.05, 0.95, 1.0], 10, 1.0) == [2, 0, 0, 0, 0, 0, 0, 0, 0, 2]
    assert by_label(["bag", "bag", "coat"], {"bag": 1, "boot": 1, "coat": 1}) == [2, 0, 1]
