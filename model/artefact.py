"""A trained model on disk: a folder that is there whole or not at all, and says what it was made of."""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from model.dataset import InputSpec
from model.recipe import Recipe

MANIFEST = "manifest.json"
FILES = frozenset(
    {"model.pt", "model.onnx", "labels.json", "metrics.json", "reference.json", "confusion.png", "model_card.md"}
)
"""What an artefact holds beside its manifest."""


class ArtefactError(Exception):
    """The folder cannot take an artefact; the message says why, and what to do."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Data(Frozen):
    """What was trained on: the source's name, its sha256, and how many images each part has."""

    source: str
    fingerprint: str
    version: str | None = None
    """That the data has by itself, where it was prepared by `paistack data prepare`."""
    train: int
    held_back: int


class Run(Frozen):
    """How a training run went; no part of the version."""

    finished_at: datetime
    duration_s: float
    device: str
    threads: int
    torch: str
    epochs: int | None = None
    """That were run; fewer than asked for where the run stopped early."""
    best_epoch: int | None = None
    processes: int = 1
    commit: str | None = None
    """Of the repository that the program came from."""
    comparison: dict[str, dict[str, float]] | None = None
    """Of an optimised version: how good, large and fast it and the ones that it came from are."""


class Manifest(Frozen):
    """The content of manifest.json. `files` gives each file's sha256, `code` that of the training program."""

    name: str
    version: str
    input: InputSpec
    training: Recipe
    data: Data
    code: str
    weights: str | None = None
    """sha256 of the weights that the network began with."""
    files: dict[str, str]
    run: Run

    def content_version(self) -> str:
        """The first 12 hex digits of the sha256 over the manifest, less its name, its version and the run."""
        content = self.model_dump(mode="json", exclude={"name", "version", "run"})
        return sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode())[:12]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, waiting for another holder, and clear up what a killed one left.

    Raises ArtefactError when the folder holds anything but an artefact: storing one replaces the whole folder.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _beside(folder, "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        previous = _beside(folder, "previous")
        if previous.exists() and not folder.exists():
            previous.rename(folder)
        for leftover in folder.parent.glob(f".{folder.name}.new-*"):
            shutil.rmtree(leftover)
        shutil.rmtree(previous, ignore_errors=True)
        _refuse_strangers(folder)
        yield


def read(folder: Path) -> Manifest | None:
    """The manifest of a whole artefact; None when there is none, or a file is not what the manifest says."""
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
        whole = all(sha256((folder / name).read_bytes()) == digest for name, digest in manifest.files.items())
    except (FileNotFoundError, ValidationError):
        return None
    return manifest if whole else None


def store(folder: Path, manifest: Manifest, files: Mapping[str, bytes]) -> None:
    """Put the files and their manifest in place of what the folder held. To be called inside `exclusive`."""
    new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.new-", dir=folder.parent))
    try:
        new.chmod(0o755)
        for name, content in {**files, MANIFEST: f"{manifest.model_dump_json(indent=2)}\n".encode()}.items():
            with (new / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        previous = _beside(folder, "previous")
        if folder.exists():
            folder.rename(previous)
        new.rename(folder)
        shutil.rmtree(previous, ignore_errors=True)
    except BaseException:
        shutil.rmtree(new, ignore_errors=True)
        raise


def _refuse_strangers(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise ArtefactError(f"--out {folder}: is a file; name a folder")
    present = {each.name for each in folder.iterdir()}
    strangers = sorted(present - FILES - {MANIFEST})
    if strangers:
        raise ArtefactError(
            f"--out {folder}: holds {', '.join(strangers[:5])}, which training would delete; name another"
        )


def _beside(folder: Path, role: str) -> Path:
    return folder.parent / f".{folder.name}.{role}"
