"""A dataset that `paistack data prepare` made: split, checked and versioned already, with a list of its files."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, ValidationError

from model.dataset import DataError, Dataset, InputSpec
from model.image_folder import ImageFolder, Photograph, check_memory, part_of

DESCRIPTION = "dataset.json"


class Description(BaseModel):
    """The content of dataset.json: each file, as PART/LABEL/NAME, with its sha256."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    labels: tuple[str, ...]
    files: dict[str, str]


@dataclass(frozen=True)
class PreparedFolder:
    """`test` is held back; `validation` tells when to stop, and is not learnt from."""

    folder: Path

    def input_spec(self, size: int | None, channels: int | None) -> InputSpec:
        """As for photographs that were not prepared."""
        return ImageFolder(self.folder).input_spec(size, channels)

    @property
    def version(self) -> str | None:
        return self._description.version

    def fingerprint(self) -> str:
        """sha256 over what dataset.json lists; the files are held against it when they are read."""
        content = self._description.model_dump_json(include={"labels", "files"})
        return hashlib.sha256(content.encode()).hexdigest()

    def load(self, spec: InputSpec) -> Dataset:
        """The parts as they were split."""
        found = self._description
        check_memory(self.folder, len(found.files), spec)
        parts = {
            part: part_of(photographs, found.labels, spec)
            for part in ("train", "validation", "test")
            if (photographs := [self._photograph(name) for name in found.files if name.startswith(f"{part}/")])
        }
        if missing := {"train", "test"} - parts.keys():
            raise DataError(f"{self.folder / DESCRIPTION}: lists no files in {min(missing)}/; prepare the data again")
        return Dataset(found.labels, parts["train"], parts["test"], parts.get("validation"))

    def _photograph(self, name: str) -> Photograph:
        path, digest = self.folder / name, self._description.files[name]
        parts = PurePosixPath(name).parts
        if len(parts) != 3 or ".." in parts or parts[1] not in self._description.labels:
            raise DataError(f"{self.folder / DESCRIPTION}: {name!r} is not PART/LABEL/NAME; prepare the data again")
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise DataError(f"{path}: {error.strerror}; prepare the data again, or fetch it again") from error
        if found != digest:
            raise DataError(f"{path}: not the sha256 in {DESCRIPTION}; prepare the data again, or fetch it again")
        return Photograph(path, parts[1], digest)

    @cached_property
    def _description(self) -> Description:
        try:
            return Description.model_validate_json((self.folder / DESCRIPTION).read_bytes())
        except (OSError, ValidationError) as error:
            raise DataError(f"{self.folder / DESCRIPTION}: cannot be read ({error}); prepare the data again") from error
