"""A training job: everything that a model's weights follow from."""

import json
from dataclasses import dataclass
from pathlib import Path

from model.artefact import Manifest, sha256
from model.dataset import InputSpec, Source
from model.recipe import Recipe

PROGRAM = (
    "augment.py",
    "batch_norm.py",
    "confusion.py",
    "exchange.py",
    "learning.py",
    "model_card.py",
    "network.py",
    "reference.py",
    "stopping.py",
    "weights.py",
)


@dataclass(frozen=True)
class Job:
    """What is to be trained under which name; `fingerprint` is the source's sha256, `code` the program's."""

    name: str
    source_name: str
    source: Source
    spec: InputSpec
    recipe: Recipe
    fingerprint: str
    code: str
    begun_with: str | None
    """sha256 of the weights that the network begins with."""
    commit: str | None = None

    @property
    def key(self) -> str:
        """The same for jobs whose weights are the same."""
        content = [self.spec.model_dump(), self.recipe.model_dump(), self.fingerprint, self.code, self.begun_with]
        return sha256(json.dumps(content, sort_keys=True).encode())

    def made(self, manifest: Manifest) -> bool:
        """Whether the artefact with this manifest is what the job would give."""
        of_job = (self.name, self.spec, self.recipe, self.fingerprint, self.code, self.begun_with)
        stored = (manifest.name, manifest.input, manifest.training, manifest.data.fingerprint, manifest.code)
        return of_job == (*stored, manifest.weights)


def program_digest() -> str:
    """sha256 over the modules that weights depend on: changed code makes another model."""
    return sha256(b"".join((Path(__file__).parent / name).read_bytes() for name in PROGRAM))
