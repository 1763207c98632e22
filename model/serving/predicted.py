"""What the log says of an answer: what was predicted for which kind of input, and by whose call; no image itself."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .classifier import Model
from .images import Pixels

# Headers by which callers say where a call belongs, and the names that the log has for them.
TAGS: Mapping[str, str] = {
    "x-paistack-source": "source",
    "x-paistack-region": "region",
    "x-paistack-business": "business",
}
# What CloudMonitor takes in the value of a dimension, and how much of it.
_NOT_TAKEN = re.compile(r"[^A-Za-z0-9.\-_/\\]")
_LONGEST = 64


def predicted(
    model: Model, images: Sequence[Pixels], predictions: Sequence[Mapping[str, Any]], headers: Mapping[str, str]
) -> dict[str, Any]:
    """Fields of a request's log line; `mean` and `deviation` are those of an image's pixels, 0 to 255."""
    tags = {name: _NOT_TAKEN.sub("_", headers[header])[:_LONGEST] for header, name in TAGS.items() if header in headers}
    told = [
        {
            "label": prediction["label"],
            "confidence": round(prediction["confidence"], 4),
            "mean": round(float(pixels.mean()), 1),
            "deviation": round(float(pixels.std()), 1),
        }
        for pixels, prediction in zip(images, predictions, strict=True)
    ]
    return {"model": model.name, "version": model.version, "predictions": told, **({"tags": tags} if tags else {})}
