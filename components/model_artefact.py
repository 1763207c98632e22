"""A trained model on disk, and where each of its files goes in the bucket."""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self


class ArtefactError(Exception):
    """There is no usable artefact at the given path; the message says how to make one."""


@dataclass(frozen=True)
class ModelArtefact:
    """A directory that training wrote: the model's files and a manifest.json that carries their version."""

    name: str
    version: str
    directory: Path

    @classmethod
    def read(cls, name: str, directory: Path) -> Self:
        """The artefact of model `name`; ArtefactError when `directory` holds none."""
        manifest = directory / "manifest.json"
        try:
            version = json.loads(manifest.read_text())["version"]
        except FileNotFoundError:
            train = f"`python -m model.train --data sample --out {directory}`"
            raise ArtefactError(
                f"there is no model in {directory}: run `make demo`, which trains one, or {train}"
            ) from None
        except (ValueError, KeyError, TypeError) as error:
            raise ArtefactError(f'{manifest} is not a manifest with a "version" ({error}): train again') from None
        if not isinstance(version, str) or not re.fullmatch(r"[A-Za-z0-9._-]{1,64}", version):
            raise ArtefactError(f"{manifest} has version {version!r}, which cannot be part of a path in OSS")
        return cls(name, version, directory)

    @property
    def prefix(self) -> str:
        """Where the files lie in the bucket. Another version lies elsewhere, so that replicas keep what they run."""
        return f"models/{self.name}/{self.version}/"

    def objects(self) -> dict[str, Path]:
        """Each file by its key in the bucket."""
        files = sorted(path for path in self.directory.rglob("*") if path.is_file())
        return {f"{self.prefix}{path.relative_to(self.directory).as_posix()}": path for path in files}


@dataclass(frozen=True)
class ServingCode:
    """The one file that a container runs to serve a model, stored under the hash of its content."""

    source: Path
    digest: str

    @classmethod
    def read(cls, source: Path) -> Self:
        """ArtefactError when there is no such file."""
        try:
            digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
        except OSError as error:
            raise ArtefactError(f"cannot read the serving code {source}: {error.strerror}") from None
        return cls(source, digest)

    @property
    def prefix(self) -> str:
        return f"code/{self.digest}/"

    def objects(self) -> dict[str, Path]:
        """The file by its key in the bucket."""
        return {f"{self.prefix}{self.source.name}": self.source}
