"""From a job to a stored artefact: train, export, measure what was exported, store."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from model import artefact, learning, network
from model.artefact import Data, Manifest, Run
from model.dataset import DataError, Dataset
from model.job import Job
from model.learning import Step
from model.metrics import Metrics, evaluate


def train(job: Job, out: Path, device: torch.device, console: Console) -> None:
    """Do the job, on `console`, and replace what `out` held; inside `artefact.exclusive`. Raises DataError, OSError."""
    started = time.monotonic()
    dataset = job.source.load(job.spec)
    with _following(console, job, len(dataset.train)) as on_step:
        classifier = learning.fit(dataset, job.spec, job.recipe, device, on_step)
    model = network.export(classifier, job.spec.channels, job.spec.size)
    probabilities = learning.predict(network.load(model), dataset.held_back.pixels)
    metrics = evaluate(probabilities, dataset.held_back.classes, dataset.labels)
    files = {
        "model.pt": model,
        "labels.json": f"{json.dumps(dataset.labels)}\n".encode(),
        "metrics.json": f"{metrics.model_dump_json(indent=2)}\n".encode(),
    }
    run = Run(
        finished_at=datetime.now(UTC).replace(microsecond=0),
        duration_s=round(time.monotonic() - started, 1),
        device=device.type,
        threads=torch.get_num_threads(),
        torch=torch.__version__,
    )
    manifest = _manifest(job, dataset, files, run)
    artefact.store(out, manifest, files)
    _report(console, out, manifest, metrics)


def find_device(wanted: str) -> torch.device:
    """`cpu`, `cuda`, or for `auto` the GPU where there is one. Raises DataError."""
    if wanted == "cuda" and not torch.cuda.is_available():
        raise DataError("--device cuda: PyTorch finds no GPU here; allowed: cpu, auto")
    return torch.device("cuda" if wanted != "cpu" and torch.cuda.is_available() else "cpu")


def _manifest(job: Job, dataset: Dataset, files: dict[str, bytes], run: Run) -> Manifest:
    data = Data(
        source=job.source_name,
        fingerprint=job.fingerprint,
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
        files={name: artefact.sha256(content) for name, content in files.items()},
        run=run,
    )
    return unversioned.model_copy(update={"version": unversioned.content_version()})


@contextmanager
def _following(console: Console, job: Job, images: int) -> Iterator[Callable[[Step], None]]:
    """Show a run's steps: a bar on a terminal, elsewhere a line for each epoch."""
    per_epoch = learning.batches_per_epoch(images, job.recipe)
    losses: list[float] = []
    started = time.monotonic()

    def on_step(step: Step) -> None:
        losses.append(step.loss)
        mean = sum(losses[-per_epoch:]) / len(losses[-per_epoch:])
        told = f"epoch {step.epoch}/{job.recipe.epochs}, loss {mean:.3f}"
        progress.update(bar, completed=step.number, description=told)
        if not console.is_terminal and step.number % per_epoch == 0:
            console.print(f"{told}, {time.monotonic() - started:.0f} s", highlight=False)

    console.print(f"training {job.name} on {images} images from {job.source_name}", highlight=False)
    with Progress(console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("starting", total=job.recipe.epochs * per_epoch)
        yield on_step


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
