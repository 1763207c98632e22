"""From a job to a stored artefact: train, export, measure what was exported, store."""

import contextlib
import json
import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from model import artefact, confusion, exchange, learning, model_card, network, reference, workers
from model.artefact import ArtefactError, Data, Manifest
from model.checkpoint import Checkpoint
from model.dataset import DataError, Dataset
from model.following import following
from model.job import Job
from model.metrics import Metrics, evaluate
from model.network import Classifier
from model.weights import read as read_weights
from model.workers import Workers

ALLOWED_DIFFERENCE = 1e-4
"""Between the probabilities of the network and of an exported file: runtimes add up in different orders."""


@dataclass(frozen=True)
class Run:
    """Where and how a job is done; no part of what comes of it."""

    out: Path
    device: torch.device
    console: Console
    checkpoint_s: float
    """Seconds between checkpoints, beside one after each epoch."""
    logs: Path | None
    """For TensorBoard."""


def train(job: Job, run: Run, keep: Callable[[], bool], weights: Path | None) -> None:
    """Do the job and replace what `out` held, unless `keep` says that it stays.

    In each of torchrun's processes, the first of which has the folder to itself. Raises DataError, ArtefactError,
    OSError.
    """
    with workers.joined(run.device) as these, contextlib.ExitStack() as held:
        if these.is_first:
            held.enter_context(artefact.exclusive(run.out))
        if not these.agreed(these.is_first and keep()):
            _train(job, run, these, weights)


def _train(job: Job, run: Run, these: Workers, weights: Path | None) -> None:
    started = time.monotonic()
    dataset = job.source.load(job.spec)
    checkpoint = Checkpoint(run.out.parent / f".{run.out.name}.checkpoint", job.key, run.checkpoint_s)
    images = learning.learnt_from(dataset, job.recipe)
    with following(job, images, run.console, run.logs if these.is_first else None) as on_step:
        fitted = learning.fit(
            dataset,
            job.spec,
            job.recipe,
            device=run.device,
            weights=read_weights(weights) if weights else None,
            workers=these,
            checkpoint=checkpoint,
            on_step=on_step,
        )
    if not these.is_first:
        return
    if checkpoint.problem:
        run.console.print(checkpoint.problem, highlight=False)
    files, metrics = _files(job, dataset, fitted.classifier)
    how = artefact.Run(
        finished_at=datetime.now(UTC).replace(microsecond=0),
        duration_s=round(time.monotonic() - started, 1),
        device=run.device.type,
        threads=torch.get_num_threads(),
        torch=torch.__version__,
        epochs=fitted.epochs,
        best_epoch=fitted.best_epoch,
        processes=these.count,
        commit=job.commit,
    )
    manifest = _manifest(job, dataset, files, how)
    artefact.store(run.out, manifest, files)
    checkpoint.remove()
    _report(run.console, run.out, manifest, metrics)


def _files(job: Job, dataset: Dataset, classifier: Classifier) -> tuple[dict[str, bytes], Metrics]:
    """Everything of an artefact but its manifest. Raises ArtefactError when an export is not the network."""
    held_back = dataset.held_back
    truth = learning.predict(classifier, held_back.pixels)
    script = network.export(classifier, job.spec.channels, job.spec.size)
    onnx = exchange.to_onnx(classifier, job.spec.channels, job.spec.size)
    probabilities = learning.predict(network.load(script), held_back.pixels)
    difference = max(
        _difference("model.pt", probabilities, truth),
        _difference("model.onnx", exchange.from_onnx(onnx)(held_back.pixels), truth),
    )
    metrics = evaluate(probabilities, held_back.classes, dataset.labels)
    card = model_card.text(job, metrics, learnt=len(dataset.train), difference=difference)
    files = {
        "model.pt": script,
        "model.onnx": onnx,
        "labels.json": f"{json.dumps(dataset.labels)}\n".encode(),
        "metrics.json": f"{metrics.model_dump_json(indent=2)}\n".encode(),
        "reference.json": reference.document(probabilities, held_back.pixels, dataset.labels),
        "confusion.png": confusion.picture(metrics),
        "model_card.md": card.encode(),
    }
    return files, metrics


def _difference(name: str, exported: NDArray[np.float32], truth: NDArray[np.float32]) -> float:
    """The largest one between the exported file's probabilities and the network's, rounded up to a power of ten."""
    largest = float(np.abs(exported - truth).max())
    if not largest <= ALLOWED_DIFFERENCE:
        raise ArtefactError(
            f"{name} is not the network: its probabilities differ by {largest:.1e}; allowed: {ALLOWED_DIFFERENCE:.0e}"
        )
    return 10.0 ** math.ceil(math.log10(max(largest, 1e-7)))


def find_device(wanted: str) -> torch.device:
    """`cpu`, `cuda`, or for `auto` the GPU where there is one; one for each process of torchrun. Raises DataError."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise DataError("--device cuda: PyTorch finds no GPU here; allowed: cpu, auto")
    if wanted == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    return torch.device("cuda", workers.place(os.environ).local_rank)


def _manifest(job: Job, dataset: Dataset, files: dict[str, bytes], run: artefact.Run) -> Manifest:
    data = Data(
        source=job.source_name,
        fingerprint=job.fingerprint,
        version=job.source.version,
        train=len(dataset.train),
        held_back=len(dataset.held_back),
    )
    unversioned = Manifest(
        name=job.name,
        version="",
        input=job.spec,
        training=job.recipe,
        data=data,
        code=job.code,
        weights=job.begun_with,
        files={name: artefact.sha256(content) for name, content in files.items()},
        run=run,
    )
    return unversioned.model_copy(update={"version": unversioned.content_version()})


def _report(console: Console, out: Path, manifest: Manifest, metrics: Metrics) -> None:
    """Say how good the stored model is, for each class and over all."""
    table = Table("class", "precision", "recall", "F1", "images")
    for each in metrics.per_class:
        table.add_row(each.label, f"{each.precision:.3f}", f"{each.recall:.3f}", f"{each.f1:.3f}", str(each.images))
    table.add_row("mean", f"{metrics.precision:.3f}", f"{metrics.recall:.3f}", f"{metrics.f1:.3f}", str(metrics.images))
    console.print(table)
    console.print(
        f"{manifest.name} {manifest.version}: {metrics.accuracy:.1%} of {metrics.images} held-back images right, "
        f"after {manifest.run.duration_s:.0f} s; stored in {out}",
        highlight=False,
    )
