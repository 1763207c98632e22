"""Showing a run while it goes on: a bar or lines on the console, and TensorBoard logs."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress

from model import learning
from model.job import Job
from model.learning import Step


class Follower:
    """Takes every step of a run: a bar on a terminal, elsewhere a line for each epoch."""

    def __init__(self, job: Job, images: int, console: Console) -> None:
        self._per_epoch = learning.batches_per_epoch(images, job.recipe)
        self._epochs, self._console = job.recipe.epochs, console
        self._losses: list[float] = []
        self._started = time.monotonic()
        self._progress = Progress(console=console, disable=not console.is_terminal)
        self._bar = self._progress.add_task("starting", total=self._epochs * self._per_epoch)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._progress.stop()

    def __call__(self, step: Step) -> None:
        if not self._losses and step.number > 1:
            self._say(f"resumed after step {step.number - 1} of {self._epochs * self._per_epoch}")
        self._losses = [*self._losses, step.loss][-self._per_epoch :]
        told = f"epoch {step.epoch}/{self._epochs}, loss {sum(self._losses) / len(self._losses):.3f}"
        if step.validation_loss is not None:
            told += f", on validation {step.validation_loss:.3f}"
        self._progress.update(self._bar, completed=step.number, description=told)
        if not self._console.is_terminal and step.number % self._per_epoch == 0:
            self._say(f"{told}, {time.monotonic() - self._started:.0f} s")

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False)


@contextmanager
def following(job: Job, images: int, console: Console, logs: Path | None) -> Iterator[Callable[[Step], None]]:
    """Inside, what is called with each step shows it: on the console, and where `logs` is a folder there too."""
    console.print(f"training {job.name} on {images} images from {job.source_name}", highlight=False)
    with ExitStack() as open_, Follower(job, images, console) as follower:
        watchers: list[Callable[[Step], None]] = [follower]
        if logs is not None:
            from model.board import Board  # takes a second to import

            board = Board(logs)
            open_.callback(board.close)
            watchers.append(board)

        def on_step(step: Step) -> None:
            for watch in watchers:
                watch(step)

        yield on_step
