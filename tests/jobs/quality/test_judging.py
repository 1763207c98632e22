"""What requests and labels say of a model."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from jobs.problem import JobError
from jobs.quality.calls import UNTOLD, Grouping, grouped
from jobs.quality.calls import measurements as call_measurements
from jobs.quality.judging import judge, measurements, versions
from jobs.quality.reference import Known, Reference, Trained
from jobs.quality.request_log import LoggedRequest, Prediction

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
REFERENCE = Reference(
    predictions={"bag": 500, "boot": 500},
    confidence=[0] * 9 + [1000],
    mean=[0, 1000] + [0] * 14,
    deviation=[1000] + [0] * 15,
)
KNOWN = Known(labels=["bag", "boot"], trained=Trained(accuracy=0.9, recall=0.9, f1=0.9), reference=REFERENCE)


def request(number: int, *labels: str, mean: float = 20, status: int = 200, **tags: str) -> LoggedRequest:
    predictions = tuple(Prediction(label, 0.95, mean, 8) for label in labels)
    return LoggedRequest(f"r{number}", status, 10.0 + number % 10, "fashion", "v1", predictions, tags)


def answered(count: int, **changes: float) -> list[LoggedRequest]:
    return [request(number, ("bag", "boot")[number % 2], **changes) for number in range(count)]  # type: ignore[arg-type]


def labels_of(requests: list[LoggedRequest], wrong: int) -> dict[str, str]:
    """The label of each, of which the first `wrong` are another one."""
    other = {"bag": "boot", "boot": "bag"}
    return {
        each.id: other[each.predictions[0].label] if number < wrong else each.predictions[0].label
        for number, each in enumerate(requests)
    }


@pytest.mark.parametrize(
    ("count", "wrong", "told"),
    [
        (1000, 100, "as good as after training, 90.0%: right in 88.0% to 91.7%"),
        (1000, 300, "degraded: right in 67.1% to 72.8% of the cases, after training it was 90.0%"),
        (1000, 10, "better than after training, 90.0%"),
        (20, 3, "too few labels to tell: 20 leave the accuracy at"),
        (20, 18, "degraded: right in"),
        (0, 0, "no labels: how often it is right cannot be told"),
    ],
)
def test_the_verdict_follows_the_interval(count: int, wrong: int, told: str) -> None:
    requests = answered(max(count, 300))
    found = judge(requests, labels_of(requests[:count], wrong), KNOWN)
    assert found.verdicts[0].startswith(told)
    assert found.labelled == count


def test_each_image_of_a_request_has_an_id_of_its_own() -> None:
    found = judge([request(1, "bag", "boot"), request(2, "bag")], {"r1/1": "boot", "r2": "boot"}, KNOWN)
    assert found.labelled == 2
    assert found.quality is not None
    assert found.quality.accuracy.value == 0.5


def test_drift_is_told_of_predictions_and_inputs() -> None:
    same = judge(answered(400), {}, KNOWN)
    assert {name: each.verdict for name, each in same.drifts.items()} == dict.fromkeys(
        ("predictions", "confidence", "brightness", "contrast"), "none"
    )
    darker = judge(answered(400, mean=200), {}, KNOWN)
    assert darker.drifts["brightness"].verdict == "much"
    assert "brightness: much drift" in " ".join(darker.verdicts)
    few = judge(answered(8), {}, KNOWN)
    assert few.verdicts[1] == "predictions: too few requests to tell, 8; chance alone gives 0.13"


def test_without_a_reference_drift_cannot_be_told() -> None:
    found = judge(answered(400), {}, KNOWN.model_copy(update={"reference": None}))
    assert "no reference: whether inputs have moved cannot be told" in found.verdicts[1]
    assert [each.metric for each in measurements(found, "s", NOW)] == []


def test_only_what_can_be_told_is_reported() -> None:
    requests = answered(400)
    told = list(measurements(judge(requests, labels_of(requests, 40), KNOWN), "shop_dev", NOW))
    overall = {each.metric: each.value for each in told if not each.of}
    assert overall["accuracy_percent"] == 90
    assert overall["labelled_requests"] == 400
    assert {"recall_percent", "f1_percent", "prediction_drift_psi", "input_drift_psi"} <= overall.keys()
    assert {each.of["class"] for each in told if each.of} == {"bag", "boot"}
    assert {(each.service, each.at) for each in told} == {("shop_dev", NOW)}

    few = list(measurements(judge(requests[:5], labels_of(requests[:5], 1), KNOWN), "shop_dev", NOW))
    assert {each.metric for each in few} == {"labelled_requests"}


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ({"r1": "Bag"}, "--labels: r1 has the label 'Bag'; the model has bag, boot"),
        ({"x1": "bag"}, "--labels: none of the 1 ids is that of one of the 2 predictions"),
    ],
)
def test_labels_that_cannot_be_meant_are_told(labels: dict[str, str], told: str) -> None:
    with pytest.raises(JobError, match=told.replace(".", r"\.")):
        judge(answered(2), labels, KNOWN)


def test_the_version_that_answered_most_comes_last() -> None:
    older = [replace(each, version="v0") for each in answered(3)]
    assert versions([*answered(5), *older, request(9, status=400)]) == [("fashion", "v0"), ("fashion", "v1")]


def test_calls_are_counted_by_what_callers_say_and_by_status() -> None:
    found = [
        request(0, "bag", source="app"), request(1, "bag", source="app"), request(2, source="app", status=400),
        request(3, "boot"),
    ]  # fmt: skip
    app, untold = grouped(found, Grouping.SOURCE)
    assert (app.of, app.count, app.share, app.errors, app.mean_ms) == ("app", 3, 0.75, 1, 11)
    assert (untold.of, untold.count, untold.p95_ms) == (UNTOLD, 1, 13)
    assert [(each.of, each.count) for each in grouped(found, Grouping.CODE)] == [("200", 3), ("400", 1)]

    begin = NOW.replace(hour=11)
    told = {tuple(each.of.values()): each.value for each in call_measurements(found, Grouping.SOURCE, "s", begin, NOW)}
    assert told == {("app", "2xx"): pytest.approx(2 / 60, abs=1e-4), ("app", "4xx"): pytest.approx(1 / 60, abs=1e-4),
                    (UNTOLD, "2xx"): pytest.approx(1 / 60, abs=1e-4)}  # fmt: skip
