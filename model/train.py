"""Trains the image classifier: `python -m model.train --data sample --out .paistack/models/fashion`.

Nothing is trained when neither the images nor the settings nor the program have changed since the artefact was stored.
"""

import os
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console

from model import artefact, sources
from model.artefact import ArtefactError
from model.dataset import DataError
from model.job import Job, program_digest
from model.recipe import Augmentation, Recipe

DEFAULTS = Recipe()
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def train(
    data: Annotated[str, typer.Option(help="sample, fashion-mnist (the whole set), or a folder of images")],
    out: Annotated[Path, typer.Option(help="folder for the artefact; what it held is replaced")],
    name: Annotated[str | None, typer.Option(help="the model's name; by default the folder's")] = None,
    epochs: Annotated[int, typer.Option(min=1)] = DEFAULTS.epochs,
    batch_size: Annotated[int, typer.Option(min=2)] = DEFAULTS.batch_size,
    learning_rate: Annotated[float, typer.Option(min=1e-6, max=1)] = DEFAULTS.learning_rate,
    width: Annotated[int, typer.Option(min=8, max=64, help="channels in the first stage")] = DEFAULTS.width,
    seed: Annotated[int, typer.Option(min=0)] = DEFAULTS.seed,
    size: Annotated[int | None, typer.Option(min=16, max=512, help="pixels a side; photographs only")] = None,
    channels: Annotated[Literal["1", "3"] | None, typer.Option(help="grey or colour; photographs only")] = None,
    flip: Annotated[bool, typer.Option(help="mirror images while training; not where sides matter")] = True,
    device: Annotated[Literal["auto", "cpu", "cuda"], typer.Option(help="auto: a GPU where there is one")] = "auto",
    force: Annotated[bool, typer.Option("--force", help="train though nothing has changed")] = False,
) -> None:
    """Train a classifier of product images, measure it on images held back, and store it as TorchScript."""
    recipe = Recipe(
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        width=width,
        seed=seed,
        augmentation=Augmentation(flip=flip),
    )
    try:
        source = sources.find(data)
        spec = source.input_spec(size, int(channels) if channels else None)
        job = Job(
            name=name or out.resolve().name,
            source_name=Path(data).name,
            source=source,
            spec=spec,
            recipe=recipe,
            fingerprint=source.fingerprint(),
            code=program_digest(),
        )
        with artefact.exclusive(out):
            if force or not _kept(out, job):
                _train(out, job, device)
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


def _train(out: Path, job: Job, device: str) -> None:
    # Threads that spin at a barrier starve each other where the cores are shared: twenty times slower, measured.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # Importing torch takes seconds, which an unchanged artefact does not cost.
    from model import training

    training.train(job, out, training.find_device(device), Console(soft_wrap=True))


if __name__ == "__main__":
    app()
