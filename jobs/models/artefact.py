"""What a model version says about itself, as far as it is shown and registered; training writes it."""

from pathlib import Path

from pydantic import BaseModel, ValidationError
from rich.table import Table

from jobs.problem import JobError


class Data(BaseModel):
    source: str
    fingerprint: str
    version: str | None = None
    train: int
    held_back: int


class Manifest(BaseModel):
    """manifest.json."""

    name: str
    version: str
    data: Data
    code: str


class ClassMetrics(BaseModel):
    label: str
    precision: float
    recall: float
    f1: float
    images: int


class Metrics(BaseModel):
    """metrics.json: shares from 0 to 1."""

    accuracy: float
    recall: float
    f1: float
    images: int
    per_class: list[ClassMetrics]

    def table(self) -> Table:
        """A row for each class, and one for all."""
        table = Table("class", "precision", "recall", "F1", "images")
        for each in self.per_class:
            table.add_row(each.label, f"{each.precision:.3f}", f"{each.recall:.3f}", f"{each.f1:.3f}", f"{each.images}")
        return table


def read(folder: Path) -> tuple[Manifest, Metrics]:
    """Of the version in the folder. Raises JobError."""
    try:
        manifest = Manifest.model_validate_json((folder / "manifest.json").read_bytes())
        return manifest, Metrics.model_validate_json((folder / "metrics.json").read_bytes())
    except (OSError, ValidationError) as error:
        raise JobError(f"{folder}: holds no model version ({error})") from None
