"""A training job: everything that a model's weights follow from."""

from dataclasses import dataclass
from pathlib import Path

from model.artefact import Manifest, sha256
from model.dataset import InputSpec, Source
from model.recipe import Recipe

PROGRAM = ("augment.py", "learning.py", "network.py")


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

    def made(self, manifest: Manifest) -> bool:
        """Whether the artefact with this manifest is what the job would give."""
        of_job = (self.name, self.spec, self.recipe, self.fingerprint, self.code)
        return of_job == (manifest.name, manifest.input, manifest.training, manifest.data.fingerprint, manifest.code)


def program_digest() -> str:
    """sha256 over the modules that weights depend on: changed code makes another model."""
    return sha256(b"".join((Path(__file__).parent / name).read_bytes() for name in PROGRAM))
