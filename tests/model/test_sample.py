"""The sample that ships: whole, balanced, and drawn from the whole set as its program says."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.fashion_mnist import LABELS, TEST, TRAIN, FashionMnist, images_path, labels_path, read_idx
from model.sample import make
from model.sources import DEBIAN_PACKAGE, SAMPLE

SIZES = {TRAIN: 8000, TEST: 1500}


def test_every_file_has_its_checksum() -> None:
    lines = (SAMPLE / make.CHECKSUMS).read_text().splitlines()
    listed = {name: digest for digest, name in (line.split("  ") for line in lines)}
    present = [*SAMPLE.glob("*.gz"), *(SAMPLE / make.PICTURES).iterdir()]
    assert listed == {str(each.relative_to(SAMPLE)): hashlib.sha256(each.read_bytes()).hexdigest() for each in present}


def test_every_class_has_the_same_share_of_both_parts() -> None:
    source = FashionMnist(SAMPLE)
    dataset = source.load(source.input_spec(None, None))
    assert (len(dataset.train), len(dataset.held_back)) == (8000, 1500)
    assert np.bincount(dataset.train.classes).tolist() == [800] * 10
    assert np.bincount(dataset.held_back.classes).tolist() == [150] * 10


def test_no_image_is_learned_from_and_measured_on() -> None:
    source = FashionMnist(SAMPLE)
    dataset = source.load(source.input_spec(None, None))
    train, held_back = ({image.tobytes() for image in part.pixels} for part in (dataset.train, dataset.held_back))
    pictures = {_picture(make.picture_name(label)).tobytes() for label in LABELS}
    assert not train & held_back
    assert not pictures & (train | held_back)


def test_each_picture_is_of_the_class_that_its_list_says() -> None:
    truth = json.loads((SAMPLE / make.PICTURES / "labels.json").read_text())
    assert sorted(truth.values()) == sorted(LABELS)
    assert {path.name for path in (SAMPLE / make.PICTURES).glob("*.png")} == set(truth)


@pytest.mark.skipif(not DEBIAN_PACKAGE.is_dir(), reason="needs the Debian package dataset-fashion-mnist")
def test_the_sample_is_what_its_program_draws_from_the_whole_set(tmp_path: Path) -> None:
    make.make(DEBIAN_PACKAGE, tmp_path)
    for part in SIZES:
        for path in (images_path, labels_path):
            assert np.array_equal(read_idx(path(tmp_path, part)), read_idx(path(SAMPLE, part)))
    images, classes = read_idx(images_path(DEBIAN_PACKAGE, TEST)), read_idx(labels_path(DEBIAN_PACKAGE, TEST))
    for number, label in enumerate(LABELS):
        same = (images == _picture(make.picture_name(label))).all((1, 2))
        assert classes[same].tolist() == [number]


def _picture(name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    with Image.open(SAMPLE / make.PICTURES / name) as image:
        return np.asarray(image)
