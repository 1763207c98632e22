"""A folder of one's own photographs: one sub-folder for each class, PNG or JPEG files at any depth below it."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from model.dataset import DataError, Dataset, InputSpec, Part
from model.serving.images import Input, decode
from model.serving.refusal import RefusedError

HELD_BACK = 0.2
"""Share of each class that is measured on."""
SIZE = 64
MAX_PIXELS = 100_000_000
MAX_BYTES = 4 * 2**30


@dataclass(frozen=True)
class Photograph:
    path: Path
    label: str
    digest: str
    """sha256 of the file."""


@dataclass(frozen=True)
class ImageFolder:
    """Labels are the names of the sub-folders. A file that occurs twice counts once."""

    folder: Path
    version = None

    def input_spec(self, size: int | None, channels: int | None) -> InputSpec:
        """Colour, and 64 pixels a side, unless something else is asked for."""
        return InputSpec(size=size or SIZE, channels=1 if channels == 1 else 3, background="white")

    def fingerprint(self) -> str:
        """sha256 over every file's label and content; a renamed file changes nothing."""
        lines = "".join(f"{each.digest} {each.label}\n" for each in self._photographs)
        return hashlib.sha256(lines.encode()).hexdigest()

    def load(self, spec: InputSpec) -> Dataset:
        """Of each class the fifth with the lowest hashes is held back: adding a photograph moves few others."""
        check_memory(self.folder, len(self._photographs), spec)
        labels = tuple(sorted({each.label for each in self._photographs}))
        held_back: list[Photograph] = []
        train: list[Photograph] = []
        for label in labels:
            members = [each for each in self._photographs if each.label == label]
            if len(members) < 2:
                raise DataError(f"{self.folder / label}: one image; a class needs two, to learn from and to measure on")
            count = max(1, round(len(members) * HELD_BACK))
            held_back += members[:count]
            train += members[count:]
        return Dataset(labels, part_of(train, labels, spec), part_of(held_back, labels, spec))

    @cached_property
    def _photographs(self) -> list[Photograph]:
        """All distinct images by hash, each class at least once. Raises DataError."""
        classes = sorted(each for each in self.folder.iterdir() if each.is_dir() and not each.name.startswith("."))
        if len(classes) < 2:
            found = f"one, {classes[0].name}" if classes else "none"
            raise DataError(f"{self.folder}: a sub-folder for each class is needed, two at least; found {found}")
        found_by_digest: dict[str, Photograph] = {}
        for photograph in (each for folder in classes for each in _photographs_below(folder)):
            first = found_by_digest.setdefault(photograph.digest, photograph)
            if first.label != photograph.label:
                raise DataError(f"{first.path} and {photograph.path} are one image under two labels; remove one")
        return sorted(found_by_digest.values(), key=lambda each: each.digest)


def _photographs_below(folder: Path) -> Iterator[Photograph]:
    files = sorted(each for each in folder.rglob("*") if each.is_file() and not each.name.startswith("."))
    images = [each for each in files if each.suffix.lower() in (".png", ".jpg", ".jpeg")]
    if not images:
        others = ", ".join(
            f"{n} {suffix or 'without suffix'}" for suffix, n in Counter(f.suffix for f in files).items()
        )
        raise DataError(f"{folder}: no .png, .jpg or .jpeg file; found {others or 'no file'}")
    for path in images:
        yield Photograph(path, folder.name, hashlib.sha256(path.read_bytes()).hexdigest())


def check_memory(folder: Path, images: int, spec: InputSpec) -> None:
    """Raises DataError where so many images would not fit into memory."""
    needed = images * spec.channels * spec.size**2
    if needed > MAX_BYTES:
        raise DataError(
            f"{folder}: {images} images of {spec.size} pixels a side take {needed / 2**30:.1f} GiB of memory; "
            f"allowed: {MAX_BYTES >> 30} GiB; choose a smaller --size"
        )


def part_of(photographs: list[Photograph], labels: tuple[str, ...], spec: InputSpec) -> Part:
    """The photographs as the network takes them. Raises DataError."""
    numbers = {label: number for number, label in enumerate(labels)}
    target = Input(**spec.model_dump())

    def pixels(photograph: Photograph) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        try:
            return decode(photograph.path.read_bytes(), target, MAX_PIXELS)
        except RefusedError as error:
            raise DataError(f"{photograph.path}: {error.message}; repair or remove it") from error

    with ThreadPoolExecutor() as pool:
        images = list(pool.map(pixels, photographs))
    return Part(np.stack(images), np.array([numbers[each.label] for each in photographs], np.int64))
