"""What a model's predictions and inputs were like when it was measured, with which later ones are compared."""

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

CONFIDENCE_BINS = 10
"""Of equal width from 0 to 1."""
PIXEL_BINS = 16
"""Of equal width from 0 to 256."""


class Reference(BaseModel):
    """The content of reference.json: how many of the held-back images fell where."""

    images: int
    predictions: dict[str, int]
    """By predicted class, all classes."""
    confidence: list[int]
    mean: list[int]
    """By the mean of an image's pixels, all channels together."""
    deviation: list[int]
    """By the standard deviation of an image's pixels."""


def document(probabilities: NDArray[np.float32], pixels: NDArray[np.uint8], labels: tuple[str, ...]) -> bytes:
    """The content of reference.json, of arguments as `measured` has them."""
    return f"{measured(probabilities, pixels, labels).model_dump_json(indent=2)}\n".encode()


def measured(probabilities: NDArray[np.float32], pixels: NDArray[np.uint8], labels: tuple[str, ...]) -> Reference:
    """From probabilities, (n, classes), and the images as the network takes them, (n, channels, size, size)."""
    classes = np.bincount(probabilities.argmax(1), minlength=len(labels))
    flat = pixels.reshape(len(pixels), -1).astype(np.float32)
    return Reference(
        images=len(pixels),
        predictions=dict(zip(labels, classes.tolist(), strict=True)),
        confidence=_counts(probabilities.max(1), CONFIDENCE_BINS, 1.0),
        mean=_counts(flat.mean(1), PIXEL_BINS, 256.0),
        deviation=_counts(flat.std(1), PIXEL_BINS, 256.0),
    )


def _counts(values: NDArray[np.float32], bins: int, end: float) -> list[int]:
    counted: list[int] = np.histogram(values, bins, (0.0, end))[0].tolist()
    return counted
