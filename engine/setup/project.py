"""Where things lie, and the error that ends a set-up."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


class SetupError(Exception):
    """A set-up cannot go on. The message is one paragraph for the person who called it: what failed, what to do."""


@dataclass(frozen=True)
class Project:
    """A checkout, and the user's cache, which all checkouts share."""

    root: Path
    cache: Path

    @classmethod
    def at(cls, root: Path, environ: Mapping[str, str] = os.environ) -> "Project":
        base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return cls(root, Path(base) / "paistack" / "engine")

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def bin(self) -> Path:
        return self.venv / "bin"

    @property
    def data(self) -> Path:
        return self.root / ".paistack"

    @property
    def engine(self) -> Path:
        """`bin` links to a built engine, `home` is its PULUMI_HOME; without a built engine there is no `bin`."""
        return self.data / "engine"

    @property
    def log(self) -> Path:
        return self.data / "setup.log"


def digest(root: Path, files: Iterable[Path], *facts: str) -> str:
    """Return a name for some facts and the names and contents of files below `root`."""
    hashed = hashlib.sha256(repr(facts).encode())
    for file in sorted(files):
        content = file.read_bytes()
        hashed.update(f"{file.relative_to(root)} {len(content)}\n".encode())
        hashed.update(content)
    return hashed.hexdigest()[:16]


def write_atomically(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file so that a reader, or the next run after a cut, sees all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as file:
        file.write(text)
    new.replace(path)


def link_atomically(path: Path, target: Path) -> bool:
    """Make `path` a symbolic link to `target`; tell whether that changed anything."""
    if path.is_symlink() and path.readlink() == target:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_name(f".{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(path)
    return True
