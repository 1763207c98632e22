"""What requests and labels say of a model: figures with intervals, drift, and a verdict in words. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jobs.custom_metrics import Measurement
from jobs.problem import JobError
from jobs.quality.reference import Known, Reference
from jobs.quality.request_log import LoggedRequest
from planning.quality import Drift, Estimate, Quality, by_label, counted, drift, quality


@dataclass(frozen=True)
class Judgement:
    """Of one version of a model. `quality` is None without labels, `drifts` is empty without a reference."""

    model: str
    version: str
    requests: int
    labelled: int
    quality: Quality | None
    drifts: Mapping[str, Drift]
    known: Known

    @property
    def verdicts(self) -> list[str]:
        """In words, what matters most first."""
        return [*self._of_quality(), *self._of_drift()]

    def _of_quality(self) -> Iterator[str]:
        if self.quality is None:
            yield "no labels: how often it is right cannot be told"
            return
        accuracy, trained = self.quality.accuracy, self.known.trained.accuracy
        interval = f"{accuracy.low:.1%} to {accuracy.high:.1%}"
        if not accuracy.tells and not accuracy.high < trained:
            yield f"too few labels to tell: {self.labelled} leave the accuracy at {interval}"
        elif accuracy.high < trained:
            yield f"degraded: right in {interval} of the cases, after training it was {trained:.1%}"
        elif accuracy.low > trained:
            yield f"better than after training, {trained:.1%}: right in {interval} of the cases"
        else:
            yield f"as good as after training, {trained:.1%}: right in {interval} of the cases"

    def _of_drift(self) -> Iterator[str]:
        if not self.drifts:
            yield "no reference: whether inputs have moved cannot be told; train again, and deploy that version"
        for name, found in self.drifts.items():
            if found.verdict == "too few to tell":
                yield f"{name}: too few requests to tell, {found.count}; chance alone gives {found.by_chance:.2f}"
            else:
                told = "no" if found.verdict == "none" else found.verdict
                yield f"{name}: {told} drift, {found.psi:.3f} (0.1 is some, 0.25 much)"


def versions(requests: Sequence[LoggedRequest]) -> list[tuple[str, str]]:
    """Models and versions that answered, the most used last."""
    counts: dict[tuple[str, str], int] = {}
    for request in requests:
        if request.predictions:
            counts[request.model, request.version] = counts.get((request.model, request.version), 0) + 1
    return sorted(counts, key=lambda each: counts[each])


def judge(requests: Sequence[LoggedRequest], labels: Mapping[str, str], known: Known) -> Judgement:
    """Of requests that one version answered. JobError for labels that are no class of it, or match nothing."""
    if strange := next(((id_, label) for id_, label in labels.items() if label not in known.labels), None):
        raise JobError(f"--labels: {strange[0]} has the label {strange[1]!r}; the model has {', '.join(known.labels)}")
    answered = [pair for request in requests for pair in request.ids()]
    pairs = [(prediction.label, labels[id_]) for id_, prediction in answered if id_ in labels]
    if labels and not pairs:
        raise JobError(
            f"--labels: none of the {len(labels)} ids is that of one of the {len(answered)} predictions; an id is what "
            "the answer's header x-request-id or x-eas-request-id says, ID/INDEX for one of several images"
        )
    return Judgement(
        requests[0].model,
        requests[0].version,
        len(requests),
        len(pairs),
        quality(pairs, known.labels) if pairs else None,
        _drifts(requests, known.reference) if known.reference else {},
        known,
    )


def measurements(judged: Judgement, service: str, at: datetime) -> Iterator[Measurement]:
    """What is worth an alarm, in percent; nothing of what cannot be told."""
    if judged.quality is not None:
        overall = {"accuracy": judged.quality.accuracy, "recall": judged.quality.recall, "f1": judged.quality.f1}
        for name, figure in overall.items():
            yield from _percent(name, figure, service, at, {})
        for each in judged.quality.per_class:
            for name, of_class in (("recall", each.recall), ("f1", each.f1)):
                if of_class is not None:
                    yield from _percent(f"class_{name}", of_class, service, at, {"class": each.label})
        yield Measurement("labelled_requests", service, judged.labelled, at)
    told = {name: found for name, found in judged.drifts.items() if found.verdict != "too few to tell"}
    if "predictions" in told:
        yield Measurement("prediction_drift_psi", service, told["predictions"].psi, at)
    if inputs := [told[name].psi for name in ("brightness", "contrast") if name in told]:
        yield Measurement("input_drift_psi", service, max(inputs), at)


def _percent(name: str, figure: Estimate, service: str, at: datetime, of: Mapping[str, str]) -> Iterator[Measurement]:
    if figure.tells:
        yield Measurement(f"{name}_percent", service, round(100 * figure.value, 3), at, of)


def _drifts(requests: Sequence[LoggedRequest], reference: Reference) -> dict[str, Drift]:
    """Of predictions and of inputs: brightness is the mean of an image's pixels, contrast their deviation."""
    predictions = [each for request in requests for each in request.predictions]
    now = {
        "predictions": (
            list(reference.predictions.values()),
            by_label([p.label for p in predictions], reference.predictions),
        ),
        "confidence": (reference.confidence, _binned([p.confidence for p in predictions], reference.confidence, 1.0)),
        "brightness": (reference.mean, _binned([p.mean for p in predictions], reference.mean, 256.0)),
        "contrast": (reference.deviation, _binned([p.deviation for p in predictions], reference.deviation, 256.0)),
    }
    return {name: drift(before, after) for name, (before, after) in now.items()}


def _binned(values: Sequence[float], like: Sequence[int], end: float) -> list[int]:
    return counted(values, len(like), end)
