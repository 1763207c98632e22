"""A trained model on disk, loaded and warmed up."""

import io
import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from .images import Input, Pixels
from .settings import Settings


class ModelError(Exception):
    """The model cannot be loaded; the message names the file and what to do."""


@dataclass(frozen=True)
class Model:
    """A loaded artefact; `classify` takes uint8 (n, channels, size, size) and gives float32 (n, classes)."""

    name: str
    version: str
    labels: tuple[str, ...]
    input: Input
    classify: Callable[[Pixels], NDArray[np.float32]]


def load(settings: Settings) -> Model:
    """Read, check and warm up the artefact in `model_dir`. Raises ModelError."""
    folder = settings.model_dir
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        file, runtime = RUNTIMES[settings.runtime]
        files = {name: (folder / name).read_bytes() for name in (file, "labels.json")}
        broken = [name for name, content in files.items() if sha256(content).hexdigest() != manifest["files"][name]]
        labels, spec = tuple(json.loads(files["labels.json"])), Input(**manifest["input"])
        name, version = manifest["name"], manifest["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise ModelError(f"{folder}: {problem}; it must hold what `python -m model.train --out` writes") from error
    if broken:
        raise ModelError(f"{folder}: {', '.join(broken)}: not the sha256 in manifest.json; copy the artefact again")
    classify = runtime(files[file], settings)
    for n in (1, 1, 1, 2, settings.max_batch, settings.max_batch):
        classify(np.zeros((n, spec.channels, spec.size, spec.size), np.uint8))
    return Model(name, version, labels, spec, classify)


def torch_script(content: bytes, settings: Settings) -> Callable[[Pixels], NDArray[np.float32]]:
    # Importing torch takes seconds; by now the port is open and /healthz says "loading".
    import torch

    torch.set_num_threads(settings.torch_num_threads)
    wanted = settings.device if settings.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(wanted)
    with warnings.catch_warnings():
        # EAS serves TorchScript, which PyTorch deprecates in favour of torch.export.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            loaded = torch.jit.load(io.BytesIO(content), map_location=device)  # type: ignore[no-untyped-call]
            module = torch.jit.freeze(loaded.eval())
        except RuntimeError as error:
            raise ModelError(f"model.pt cannot be loaded on {device}: {error}") from error

    def classify(pixels: Pixels) -> NDArray[np.float32]:
        with torch.inference_mode():
            probabilities: NDArray[np.float32] = module(torch.from_numpy(pixels).to(device)).cpu().numpy()
        return probabilities

    return classify


def onnx_runtime(content: bytes, settings: Settings) -> Callable[[Pixels], NDArray[np.float32]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.torch_num_threads
    there = onnxruntime.get_available_providers()
    on_gpu = settings.device == "cuda" or (settings.device == "auto" and "CUDAExecutionProvider" in there)
    provider = "CUDAExecutionProvider" if on_gpu else "CPUExecutionProvider"
    if provider not in there:
        raise ModelError(f"ONNX Runtime has no {provider} here; it has {', '.join(there)}; choose another --device")
    try:
        session = onnxruntime.InferenceSession(content, options, providers=[provider])
    # onnxruntime's errors are made in C, each a class of its own.
    except Exception as error:
        raise ModelError(f"model.onnx cannot be loaded by ONNX Runtime: {error}") from error

    def classify(pixels: Pixels) -> NDArray[np.float32]:
        probabilities: NDArray[np.float32] = session.run(None, {"images": pixels})[0]
        return probabilities

    return classify


RUNTIMES = {"torchscript": ("model.pt", torch_script), "onnx": ("model.onnx", onnx_runtime)}
"""By the setting's value: the file of the artefact, and what runs it."""
