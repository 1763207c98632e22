"""The classifier in the format that other runtimes take: ONNX."""

import io
import warnings
from collections.abc import Callable

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from model.network import Classifier

OPSET = 17
"""Of ONNX 1.12 (2022): every runtime in use knows it."""


def to_onnx(classifier: Classifier, channels: int, size: int) -> bytes:
    """Takes `images`, uint8 (n, channels, size, size); gives `probabilities`, float32 (n, classes).

    The same classifier gives the same bytes.
    """
    example = torch.zeros(1, channels, size, size, dtype=torch.uint8)
    file = io.BytesIO()
    with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        # The exporter that replaces this one takes twenty times as long, and writes this machine's paths.
        torch.onnx.export(
            classifier.cpu().eval(),
            (example,),
            file,  # type: ignore[arg-type]  # this exporter takes it
            dynamo=False,
            opset_version=OPSET,
            input_names=["images"],
            output_names=["probabilities"],
            dynamic_axes={"images": {0: "n"}, "probabilities": {0: "n"}},
        )
    return file.getvalue()


def from_onnx(content: bytes) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """What ONNX Runtime answers, on the CPU."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def classify(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = [pixels[at : at + 256] for at in range(0, len(pixels), 256)]
        return np.concatenate([session.run(None, {"images": part})[0] for part in parts])

    return classify
