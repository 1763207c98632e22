"""How well a classifier does on images that it did not learn from."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel
from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support


class ClassMetrics(BaseModel):
    """One class: shares from 0 to 1, and how many images show it. Never predicted means precision 0."""

    label: str
    precision: float
    recall: float
    f1: float
    images: int


class Metrics(BaseModel):
    """The content of metrics.json: shares from 0 to 1; precision, recall and F1 are plain means over classes."""

    accuracy: float
    precision: float
    recall: float
    f1: float
    images: int
    per_class: list[ClassMetrics]
    confusion_matrix: list[list[int]]
    """Images by true class (rows) and predicted class (columns)."""


def evaluate(probabilities: NDArray[np.float32], classes: NDArray[np.int64], labels: tuple[str, ...]) -> Metrics:
    """Compare probabilities, (n, classes), with the truth, (n,)."""
    predicted, numbers = probabilities.argmax(1), range(len(labels))
    scores = precision_recall_fscore_support(classes, predicted, labels=numbers, zero_division=0.0)
    return Metrics(
        accuracy=accuracy_score(classes, predicted),
        **{name: float(np.mean(score)) for name, score in zip(("precision", "recall", "f1"), scores, strict=False)},
        images=len(classes),
        per_class=[
            ClassMetrics(label=label, precision=p, recall=r, f1=f, images=n)
            for label, p, r, f, n in zip(labels, *scores, strict=True)
        ],
        confusion_matrix=confusion_matrix(classes, predicted, labels=numbers).tolist(),
    )
