"""A trained model on disk, and where each of its files goes in the bucket."""

import hashlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Annotated, Self

from pydantic import BaseModel, StringConstraints, ValidationError

MANIFEST = "manifest.json"


class ArtefactError(Exception):
    """There is no usable artefact at the given path; the message says how to make one."""


class Manifest(BaseModel):
    """What training says about its artefact, as far as it matters here: the version, and each file's sha256."""

    version: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    files: dict[str, str]


@dataclass(frozen=True)
class ModelArtefact:
    """A directory that training wrote: the model's files, and the manifest that carries their version."""

    name: str
    version: str
    directory: Path
    files: tuple[str, ...]

    @classmethod
    def read(cls, name: str, directory: Path) -> Self:
        """The artefact of model `name`; ArtefactError when `directory` holds none, or not what its manifest says."""
        again = f"`python -m model.train --data sample --out {directory}`"
        try:
            manifest = Manifest.model_validate_json((directory / MANIFEST).read_bytes())
            for file, digest in manifest.files.items():
                if _sha256(_inside(directory, file)) != digest:
                    raise ArtefactError(
                        f"{directory / file} is not the file that {MANIFEST} names: train again, {again}"
                    )
        except OSError as error:
            raise ArtefactError(
                f"there is no model in {directory} ({error.strerror}: {error.filename}): run `make demo`, which trains "
                f"one, or {again}"
            ) from None
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "the document"
            raise ArtefactError(f"{directory / MANIFEST}: {where}: {first['msg']}: train again, {again}") from None
        return cls(name, manifest.version, directory, (*sorted(manifest.files), MANIFEST))

    @property
    def prefix(self) -> str:
        """Where the files lie in the bucket. Another version lies elsewhere, so that replicas keep what they run."""
        return f"models/{self.name}/{self.version}/"

    def objects(self) -> dict[str, Path]:
        """Each file by its key in the bucket."""
        return {f"{self.prefix}{file}": self.directory / file for file in self.files}


def _inside(directory: Path, file: str) -> Path:
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts:
        raise ArtefactError(f"{directory / MANIFEST} names {file!r}, which lies outside of its folder")
    return directory / path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
