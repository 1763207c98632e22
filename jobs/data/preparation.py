"""From files with labels to a dataset on disk: examined, without copies, split without a leak, named by its content."""

import hashlib
import json
import shutil
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from jobs.data.image import Kept, Limits, RejectedError, examine
from jobs.data.labels import Labelled
from jobs.problem import JobError

DESCRIPTION, REPORT = "dataset.json", "report.json"
PARTS = {"train": 0.8, "validation": 0.9, "test": 1.0}
"""Up to which fraction of the hash an image belongs to a part."""


class Description(BaseModel):
    """The content of dataset.json: every file with its sha256, below `train/`, `validation/` and `test/`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    labels: tuple[str, ...]
    files: dict[str, str]


@dataclass
class Report:
    """What became of each file that was looked at."""

    kept: int = 0
    repaired: dict[str, str] = field(default_factory=dict)
    """What was done to a file, by its name."""
    rejected: dict[str, tuple[str, str]] = field(default_factory=dict)
    """A word to count by and the reason, by the file's name."""

    def counted(self) -> Mapping[str, int]:
        """How many were rejected, by the word."""
        return Counter(kind for kind, _ in self.rejected.values())


@dataclass(frozen=True)
class Prepared:
    folder: Path
    description: Description
    report: Report


@dataclass(frozen=True)
class _Image:
    labelled: Labelled
    kept: Kept

    @property
    def part(self) -> str:
        """By the hash of the group, or of the pixels: the same in every run, whatever else is in the dataset."""
        drawn = fraction(self.labelled.group or self.kept.pixels)
        return next(part for part, limit in PARTS.items() if drawn < limit)

    @property
    def path(self) -> str:
        return f"{self.part}/{self.labelled.label}/{self.kept.pixels[:24]}{self.kept.suffix}"


def prepare(
    name: str, files: Iterable[Labelled], datasets: Path, limits: Limits, on_file: Callable[[], None]
) -> Prepared:
    """Write the dataset below `datasets`/NAME/VERSION, unless it is there. Raises JobError, OSError."""
    report = Report()
    datasets.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=".new-", dir=datasets))
    try:
        spool = new / ".spool"
        spool.mkdir()
        images = _without_copies(_examined(files, limits, report, on_file, spool), report)
        digests = {image.path: _stored(spool, new, image) for image in images}
        shutil.rmtree(spool)
        labels = tuple(sorted({image.labelled.label for image in images}))
        _check_parts(images, labels, report)
        report.kept = len(images)
        version = hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()[:12]
        description = Description(name=name, version=version, labels=labels, files=dict(sorted(digests.items())))
        (new / DESCRIPTION).write_text(f"{description.model_dump_json(indent=1)}\n")
        (new / REPORT).write_text(f"{json.dumps(vars(report), indent=1)}\n")
        folder = datasets / name / version
        if not (folder / DESCRIPTION).exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            new.chmod(0o755)
            new.rename(folder)
        return Prepared(folder, description, report)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def fraction(text: str) -> float:
    """From 0 to 1, as good as random, the same for the same text; salted, since data may be chosen by its hash."""
    return int.from_bytes(hashlib.sha256(f"part {text}".encode()).digest()[:8]) / 2**64


def _examined(
    files: Iterable[Labelled], limits: Limits, report: Report, on_file: Callable[[], None], spool: Path
) -> list[_Image]:
    """Those that are images; their content lies in `spool`, so that memory holds a few at a time."""

    def look(labelled: Labelled) -> _Image | tuple[str, RejectedError]:
        try:
            kept = examine(labelled.path.read_bytes(), labelled.path.suffix, limits)
        except RejectedError as error:
            return labelled.name, error
        (spool / f"{kept.pixels}{kept.suffix}").write_bytes(kept.content)
        return _Image(labelled, Kept(b"", kept.suffix, kept.pixels, kept.repairs))

    images: list[_Image] = []
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(look, files):
            on_file()
            match found:
                case _Image():
                    images.append(found)
                case (name, error):
                    report.rejected[name] = (error.kind, str(error))
    return images


def _without_copies(images: Iterable[_Image], report: Report) -> list[_Image]:
    """Each picture once; none of those that are there under two labels, since one of them is wrong."""
    copies: dict[str, list[_Image]] = defaultdict(list)
    for image in images:
        copies[image.kept.pixels].append(image)
    kept: list[_Image] = []
    for first, *others in copies.values():
        labels = sorted({image.labelled.label for image in (first, *others)})
        if len(labels) > 1:
            for image in (first, *others):
                report.rejected[image.labelled.name] = ("two labels", f"the same picture is under {', '.join(labels)}")
            continue
        for image in others:
            report.rejected[image.labelled.name] = ("copy", f"shows what {first.labelled.name} shows")
        if first.kept.repairs:
            report.repaired[first.labelled.name] = "; ".join(first.kept.repairs)
        kept.append(first)
    return sorted(kept, key=lambda image: image.path)


def _stored(spool: Path, new: Path, image: _Image) -> str:
    """Moves the file to its place; its sha256."""
    target = new / image.path
    target.parent.mkdir(parents=True, exist_ok=True)
    (spool / f"{image.kept.pixels}{image.kept.suffix}").rename(target)
    return hashlib.sha256(target.read_bytes()).hexdigest()


def _check_parts(images: list[_Image], labels: tuple[str, ...], report: Report) -> None:
    if len(labels) < 2:
        found = f"{len(labels)} class{'' if len(labels) == 1 else 'es'} with usable images"
        raise JobError(f"found {found} and {len(report.rejected)} rejected files; two classes are needed at least")
    there = Counter((image.labelled.label, image.part) for image in images)
    for label in labels:
        if missing := [part for part in ("train", "test") if not there[label, part]]:
            count = sum(there[label, part] for part in PARTS)
            raise JobError(
                f"class {label}: none of its {count} images falls into {' and '.join(missing)}, which the images' "
                "hashes decide; some 30 images of a class suffice as a rule"
            )
