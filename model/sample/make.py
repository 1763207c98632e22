"""Draws the sample from the whole of Fashion-MNIST: `python -m model.sample.make`."""

import hashlib
import json
from pathlib import Path

import numpy as np
import typer
from numpy.typing import NDArray
from PIL import Image

from model.fashion_mnist import LABELS, TEST, TRAIN, images_path, labels_path, read_idx, write_idx
from model.sources import DEBIAN_PACKAGE, SAMPLE

PER_CLASS = {TRAIN: 800, TEST: 150}
PICTURES = "pictures"
CHECKSUMS = "SHA256SUMS"


def make(whole: Path = DEBIAN_PACKAGE, out: Path = SAMPLE) -> None:
    """Write the four idx files, and under `pictures/` one test image of each class that they leave out."""
    (out / PICTURES).mkdir(parents=True, exist_ok=True)
    for part, count in PER_CLASS.items():
        images, classes = read_idx(images_path(whole, part)), read_idx(labels_path(whole, part))
        ranked = [_ranked(images, classes, number) for number in range(len(LABELS))]
        chosen = np.sort(np.concatenate([members[:count] for members in ranked]))
        write_idx(images_path(out, part), images[chosen])
        write_idx(labels_path(out, part), classes[chosen])
        if part == TEST:
            for label, members in zip(LABELS, ranked, strict=True):
                Image.fromarray(images[members[count]]).save(out / PICTURES / picture_name(label), optimize=True)
    truth = {picture_name(label): label for label in LABELS}
    (out / PICTURES / "labels.json").write_text(f"{json.dumps(truth, indent=2)}\n")
    made = sorted([*out.glob("*.gz"), *(out / PICTURES).iterdir()])
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(out)}\n" for path in made]
    (out / CHECKSUMS).write_text("".join(sums))


def picture_name(label: str) -> str:
    """The file name of the single picture of a class: `Ankle boot` gives `ankle-boot.png`."""
    return label.lower().replace("/", "-").replace(" ", "-") + ".png"


def _ranked(images: NDArray[np.uint8], classes: NDArray[np.uint8], number: int) -> NDArray[np.intp]:
    """The indices of a class's images by the images' hashes: an arbitrary order, the same on every machine."""
    members = np.flatnonzero(classes == number)
    return np.array(sorted(members, key=lambda index: hashlib.sha256(images[index].tobytes()).digest()))


if __name__ == "__main__":
    typer.run(make)
