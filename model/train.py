"""Trains the image classifier: `python -m model.train --data sample --out .paistack/models/fashion`.

Nothing is trained when neither the images nor the settings nor the program have changed since the artefact was stored.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from model import artefact, sources
from model.artefact import ArtefactError, sha256
from model.dataset import DataError
from model.job import Job, program_digest
from model.recipe import Augmentation, EarlyStopping, Recipe

DEFAULTS = Recipe()
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def train(
    data: Annotated[str, typer.Option(help="sample, fashion-mnist (the whole set), or a folder of images")],
    out: Annotated[Path, typer.Option(help="folder for the artefact; what it held is replaced")],
    name: Annotated[str | None, typer.Option(help="the model's name; by default the folder's")] = None,
    architecture: Annotated[Literal["resnet18", "resnet34", "resnet50"], typer.Option()] = DEFAULTS.architecture,
    weights: Annotated[str, typer.Option(help="none, imagenet, or a file of torchvision weights")] = DEFAULTS.weights,
    epochs: Annotated[int, typer.Option(min=1)] = DEFAULTS.epochs,
    batch_size: Annotated[int, typer.Option(min=2)] = DEFAULTS.batch_size,
    learning_rate: Annotated[float, typer.Option(min=1e-6, max=1)] = DEFAULTS.learning_rate,
    width: Annotated[int, typer.Option(min=8, max=64, help="channels in the first stage")] = DEFAULTS.width,
    seed: Annotated[int, typer.Option(min=0)] = DEFAULTS.seed,
    size: Annotated[int | None, typer.Option(min=16, max=512, help="pixels a side; photographs only")] = None,
    channels: Annotated[Literal["1", "3"] | None, typer.Option(help="grey or colour; photographs only")] = None,
    flip: Annotated[bool, typer.Option(help="mirror images while training; not where sides matter")] = True,
    rotate: Annotated[float, typer.Option(min=0, max=180, help="turned by up to this, in degrees")] = (
        DEFAULTS.augmentation.rotate_degrees
    ),
    crop: Annotated[float, typer.Option(min=0, max=0.9, help="share of the side cropped or added, at most")] = (
        DEFAULTS.augmentation.crop
    ),
    shift: Annotated[float, typer.Option(min=0, max=1, help="share of the side moved by, at most")] = (
        DEFAULTS.augmentation.shift
    ),
    colour: Annotated[float, typer.Option(min=0, max=0.9, help="change of brightness, contrast, saturation")] = (
        DEFAULTS.augmentation.colour
    ),
    early_stop: Annotated[int | None, typer.Option(min=1, help="epochs without progress after which it ends")] = None,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto: a GPU where there is one")] = "auto",
    checkpoint_s: Annotated[float, typer.Option(min=0, help="seconds between checkpoints")] = 60.0,
    logs: Annotated[Path | None, typer.Option(help="folder for TensorBoard")] = None,
    commit: Annotated[
        str | None, typer.Option(help="of the repository, for the manifest", envvar="CODE_COMMIT")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="train though nothing has changed")] = False,
) -> None:
    """Train a classifier of product images, measure it on images held back, and store it as TorchScript."""
    recipe = Recipe(
        architecture=architecture,
        weights=weights,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        width=width,
        seed=seed,
        augmentation=Augmentation(rotate_degrees=rotate, crop=crop, shift=shift, flip=flip, colour=colour),
        early_stopping=EarlyStopping(patience=early_stop) if early_stop else None,
    )
    try:
        source = sources.find(data)
        spec = source.input_spec(size, int(channels) if channels else None)
        begin = _weights(architecture, weights)
        job = Job(
            name=name or out.resolve().name,
            source_name=Path(data).name,
            source=source,
            spec=spec,
            recipe=recipe,
            fingerprint=source.fingerprint(),
            code=program_digest(),
            begun_with=sha256(begin.read_bytes()) if begin else None,
            commit=commit,
        )
        _run(job, out, device, checkpoint_s, logs, begin, force)
    except (DataError, ArtefactError, OSError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(2) from None


def _kept(out: Path, job: Job) -> bool:
    stored = artefact.read(out)
    if stored is None or not job.made(stored):
        return False
    since = stored.run.finished_at.astimezone()
    typer.echo(f"kept: nothing changed since {since:%Y-%m-%d %H:%M}; {out} holds {stored.name} {stored.version}")
    return True


def _weights(architecture: str, named: str) -> Path | None:
    if named == "none":
        return None
    from model.weights import file_of  # imports torch

    return file_of(architecture, named)


def _run(
    job: Job, out: Path, device: str, checkpoint_s: float, logs: Path | None, weights: Path | None, force: bool
) -> None:
    def keep() -> bool:
        return not force and _kept(out, job)

    if "WORLD_SIZE" not in os.environ:
        # Importing torch takes seconds, which an unchanged artefact does not cost.
        with artefact.exclusive(out):
            if keep():
                return
    # Threads that spin at a barrier starve each other where the cores are shared: twenty times slower, measured.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from model import training

    how = training.Run(out, training.find_device(device), Console(soft_wrap=True), checkpoint_s, logs)
    training.train(job, how, keep, weights)


if __name__ == "__main__":
    app()
