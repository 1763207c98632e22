"""Labelled images for training: what every source of them gives, and which source `--data` names."""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict


class DataError(Exception):
    """The data cannot be trained on; the message says which file or flag, and what to do."""


class InputSpec(BaseModel):
    """What an image must become before the network takes it: uint8 of shape (channels, size, size)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int
    channels: Literal[1, 3]
    background: Literal["black", "white"]
    """What a product lies on: fills what letterboxing adds, and what is transparent."""


@dataclass(frozen=True)
class Part:
    """Images with their classes: uint8 (n, channels, size, size) and int64 (n,)."""

    pixels: NDArray[np.uint8]
    classes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.classes)

    def take(self, rows: NDArray[np.bool_]) -> "Part":
        return Part(self.pixels[rows], self.classes[rows])


@dataclass(frozen=True)
class Dataset:
    """Parts without a common image: to learn from, to measure on, and perhaps to tell by when to stop."""

    labels: tuple[str, ...]
    train: Part
    held_back: Part
    validation: Part | None = None


class Source(Protocol):
    """Where labelled images come from."""

    def input_spec(self, size: int | None, channels: int | None) -> InputSpec:
        """The input that suits these images, where the caller leaves a choice. Raises DataError."""

    def fingerprint(self) -> str:
        """sha256 (hex) that changes when an image or a label does; decodes nothing. Raises DataError."""

    @property
    def version(self) -> str | None:
        """The data's own version, where it has one."""

    def load(self, spec: InputSpec) -> Dataset:
        """All images in memory, split the same way every time. Raises DataError."""
