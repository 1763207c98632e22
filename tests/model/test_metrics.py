"""Metrics, against numbers worked out by hand."""

import numpy as np
import pytest

from model.metrics import evaluate

LABELS = ("bag", "boot", "coat")


def test_shares_and_confusions_are_those_worked_out_by_hand() -> None:
    predicted, truth = np.array([0, 0, 1, 1, 1, 0]), np.array([0, 0, 0, 1, 1, 2])
    metrics = evaluate(np.eye(3, dtype=np.float32)[predicted], truth, LABELS)
    assert metrics.accuracy == pytest.approx(4 / 6)
    assert metrics.images == 6
    assert metrics.confusion_matrix == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    bag, boot, _ = metrics.per_class
    assert (bag.label, bag.images) == ("bag", 3)
    assert (bag.precision, bag.recall, bag.f1) == pytest.approx((2 / 3, 2 / 3, 2 / 3))
    assert (boot.precision, boot.recall, boot.f1) == pytest.approx((2 / 3, 1, 0.8))
    assert metrics.f1 == pytest.approx((2 / 3 + 0.8 + 0) / 3)
    assert metrics.recall == pytest.approx((2 / 3 + 1 + 0) / 3)


def test_a_class_that_is_never_predicted_has_no_precision() -> None:
    metrics = evaluate(np.eye(3, dtype=np.float32)[[0, 0]], np.array([0, 2]), LABELS)
    assert (metrics.per_class[2].precision, metrics.per_class[2].recall, metrics.per_class[2].images) == (0, 0, 1)
