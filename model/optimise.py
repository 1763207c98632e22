"""A faster version of a model, by 8-bit arithmetic: `python -m model.optimise ARTEFACT --data sample --out OUT`.

Weights and activations become 8-bit integers; what ranges activations have is measured on training images
(https://onnxruntime.ai/docs/performance/model-optimizations/quantization.html). ONNX Runtime runs it: `--runtime onnx`.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from model import artefact, confusion, exchange, learning, network, reference, sources
from model.artefact import ArtefactError, Manifest
from model.dataset import DataError, Dataset
from model.metrics import evaluate

CALIBRATION = 512
"""Training images that the ranges are measured on."""
REPEATS = 200
Classify = Callable[[NDArray[np.uint8]], NDArray[np.float32]]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Measured(BaseModel):
    """One form of the model: how good, how large, how fast on one thread. Latency is the median, in milliseconds."""

    accuracy: float
    f1: float
    bytes: int
    latency_ms: float
    images_per_s: float
    """In batches of 16."""


@app.command()
def optimise(
    trained: Annotated[Path, typer.Argument(help="folder of the artefact")],
    data: Annotated[str, typer.Option(help="what it was trained on, as --data of model.train")],
    out: Annotated[Path, typer.Option(help="folder for the optimised artefact; what it held is replaced")],
) -> None:
    """Quantise a model, measure it beside the one it came from, and store it as a version of its own."""
    torch.set_num_threads(1)
    try:
        manifest = artefact.read(trained)
        if manifest is None:
            raise ArtefactError(f"{trained}: holds no whole artefact; train it with `python -m model.train`")
        if "model.onnx" not in manifest.files:
            raise ArtefactError(f"{trained}: holds no model.onnx; train it again with `python -m model.train`")
        source = sources.find(data)
        if source.fingerprint() != manifest.data.fingerprint:
            raise DataError(f"--data {data}: not what {trained} was trained on ({manifest.data.source}); name that")
        with artefact.exclusive(out):
            _optimise(trained, manifest, source.load(manifest.input), out, Console(soft_wrap=True))
    except (DataError, ArtefactError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


def quantised(model: bytes, images: NDArray[np.uint8]) -> bytes:
    """The ONNX model with 8-bit weights and activations; `images` show what ranges these have."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / name for name in ("whole.onnx", "prepared.onnx", "quantised.onnx")]
        paths[0].write_bytes(model)
        quant_pre_process(str(paths[0]), str(paths[1]))
        quantize_static(
            str(paths[1]),
            str(paths[2]),
            _Images(images),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
            # Seven bits of weights: on processors without VNNI eight would overflow.
            reduce_range=True,
            op_types_to_quantize=["Conv", "Gemm", "Add", "Relu", "GlobalAveragePool"],
        )
        return paths[2].read_bytes()


class _Images(CalibrationDataReader):  # type: ignore[misc]  # onnxruntime has no types
    """Hands over the images in batches, once."""

    def __init__(self, images: NDArray[np.uint8]) -> None:
        self._batches: Iterator[NDArray[np.uint8]] = (images[at : at + 64] for at in range(0, len(images), 64))

    def get_next(self) -> dict[str, Any] | None:
        batch = next(self._batches, None)
        return None if batch is None else {"images": batch}


def _optimise(trained: Path, manifest: Manifest, dataset: Dataset, out: Path, console: Console) -> None:
    whole, script = (trained / "model.onnx").read_bytes(), (trained / "model.pt").read_bytes()
    # The training images are in no order, or by class: a few of each place.
    chosen = np.linspace(0, len(dataset.train) - 1, min(CALIBRATION, len(dataset.train))).astype(int)
    small = quantised(whole, dataset.train.pixels[chosen])
    loaded = network.load(script)

    def by_torch(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
        return learning.predict(loaded, pixels)

    forms: dict[str, tuple[int, Classify]] = {
        "TorchScript": (len(script), by_torch),
        "ONNX": (len(whole), exchange.from_onnx(whole)),
        "ONNX, 8 bits": (len(small), exchange.from_onnx(small)),
    }
    measured = {name: _measure(size, classify, dataset) for name, (size, classify) in forms.items()}
    held_back = dataset.held_back
    probabilities = forms["ONNX, 8 bits"][1](held_back.pixels)
    metrics = evaluate(probabilities, held_back.classes, dataset.labels)
    comparison = {name: each.model_dump() for name, each in measured.items()}
    files = {
        "model.onnx": small,
        "labels.json": (trained / "labels.json").read_bytes(),
        "metrics.json": f"{metrics.model_dump_json(indent=2)}\n".encode(),
        "reference.json": reference.document(probabilities, held_back.pixels, dataset.labels),
        "confusion.png": confusion.picture(metrics),
    }
    unversioned = manifest.model_copy(
        update={
            "files": {name: artefact.sha256(content) for name, content in files.items()},
            "run": manifest.run.model_copy(
                update={"finished_at": datetime.now(UTC).replace(microsecond=0), "comparison": comparison}
            ),
        }
    )
    artefact.store(out, unversioned.model_copy(update={"version": unversioned.content_version()}), files)
    console.print(_table(measured))
    console.print(f"{manifest.name} {unversioned.content_version()} stored in {out}", highlight=False)


def _measure(size: int, classify: Classify, dataset: Dataset) -> Measured:
    held_back = dataset.held_back
    metrics = evaluate(classify(held_back.pixels), held_back.classes, dataset.labels)
    single, batch = held_back.pixels[:1], held_back.pixels[:16]
    per_batch = _median_s(classify, batch)
    return Measured(
        accuracy=metrics.accuracy,
        f1=metrics.f1,
        bytes=size,
        latency_ms=round(_median_s(classify, single) * 1000, 3),
        images_per_s=round(len(batch) / per_batch),
    )


def _median_s(classify: Classify, pixels: NDArray[np.uint8]) -> float:
    """Of a call, after some that are not counted."""
    taken = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        classify(pixels)
        taken.append(time.perf_counter() - started)
    return float(np.median(taken[REPEATS // 10 :]))


def _table(measured: dict[str, Measured]) -> Table:
    table = Table("model", "accuracy", "F1", "bytes", "p50 of one image", "images/s in batches of 16")
    for name, each in measured.items():
        figures = (f"{each.accuracy:.1%}", f"{each.f1:.3f}", f"{each.bytes:,}", f"{each.latency_ms:.2f} ms")
        table.add_row(name, *figures, f"{each.images_per_s:.0f}")
    return table


if __name__ == "__main__":
    app()
