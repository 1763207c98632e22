"""What the log says of an answer: what was predicted for which kind of input, and by whose call; no image itself."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .classifier import Model
from .images import Pixels

# Headers by which callers say where a call belongs, and the names that the log has for them.
TAGS: Mapping[bytes, str] = {
    b"x-paistack-source": "source",
    b"x-paistack-region": "region",
    b"x-paistack-business": "business",
}
# What CloudMonitor takes in the value of a dimension, and how much of it.
_NOT_TAKEN = re.compile(r"[^A-Za-z0-9.\-_/\\]")
_LONGEST = 64


def tags_of(headers: Mapping[bytes, bytes]) -> dict[str, str]:
    """What the caller says of itself; an empty header says nothing."""
    given = {name: headers[header].decode("latin-1") for header, name in TAGS.items() if headers.get(header)}
    return {name: _NOT_TAKEN.sub("_", text)[:_LONGEST] for name, text in given.items()}


def predicted(model: Model, images: Sequence[Pixels], predictions: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Fields of a request's log line; `mean` and `deviation` are those of an image's pixels, 0 to 255."""
    told = [
        {
            "label": prediction["label"],
            "confidence": round(prediction["confidence"], 4),
            "mean": round(float(pixels.mean()), 1),
            "deviation": round(float(pixels.std()), 1),
        }
        for pixels, prediction in zip(images, predictions, strict=True)
    ]
    return {"model": model.name, "version": model.version, "predictions": told}
