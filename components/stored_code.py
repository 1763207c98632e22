"""Code on disk that a service or a notebook runs, and where each of its files goes in the bucket."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from components.model_artefact import ArtefactError

_LEFT_OUT = frozenset({"__pycache__", "node_modules"})


@dataclass(frozen=True)
class StoredCode:
    """A file, or a directory without what is hidden or generated in it, stored under the hash of its content."""

    files: dict[str, Path]
    digest: str

    @classmethod
    def read(cls, source: Path, *, as_package: bool = False) -> Self:
        """A directory's files lie under its name when it is a package, which is imported by it.

        ArtefactError when there is no such file or directory, or nothing in it.
        """
        files = {source.name: source} if source.is_file() else _below(source, source.parent if as_package else source)
        if not files:
            raise ArtefactError(f"there is no code in {source}, which should be a file or a directory with files")
        digest = hashlib.sha256()
        for name, path in sorted(files.items()):
            digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\0".encode())
        return cls(files, digest.hexdigest()[:16])

    @property
    def prefix(self) -> str:
        """Where the files lie in the bucket."""
        return f"code/{self.digest}/"

    def objects(self) -> dict[str, Path]:
        """Each file by its key in the bucket."""
        return {f"{self.prefix}{name}": path for name, path in self.files.items()}


def _below(directory: Path, root: Path) -> dict[str, Path]:
    found = {path.relative_to(root): path for path in directory.rglob("*") if path.is_file()}
    return {str(name): path for name, path in found.items() if not any(map(_is_left_out, name.parts))}


def _is_left_out(part: str) -> bool:
    return part.startswith(".") or part in _LEFT_OUT
