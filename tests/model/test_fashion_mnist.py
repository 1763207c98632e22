"""The idx files of Fashion-MNIST, whole and damaged."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from model import sources
from model.dataset import DataError
from model.fashion_mnist import TEST, TRAIN, FashionMnist, images_path, labels_path, read_idx, write_idx


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty training images and ten test images."""
    for part, n in ((TRAIN, 20), (TEST, 10)):
        write_idx(images_path(tmp_path, part), np.arange(n * 784, dtype=np.uint32).astype(np.uint8).reshape(n, 28, 28))
        write_idx(labels_path(tmp_path, part), (np.arange(n) % 10).astype(np.uint8))
    return tmp_path


def test_what_is_written_is_read_back(folder: Path) -> None:
    assert read_idx(labels_path(folder, TEST)).tolist() == list(range(10))
    assert read_idx(images_path(folder, TRAIN)).shape == (20, 28, 28)


def test_a_folder_with_the_four_files_is_taken_for_fashion_mnist(folder: Path) -> None:
    assert sources.find(str(folder)) == FashionMnist(folder)


def test_the_fingerprint_changes_with_a_single_label(folder: Path) -> None:
    before = FashionMnist(folder).fingerprint()
    assert FashionMnist(folder).fingerprint() == before
    write_idx(labels_path(folder, TEST), np.zeros(10, np.uint8))
    assert FashionMnist(folder).fingerprint() != before


def test_the_sample_and_the_whole_set_are_named_and_others_are_folders(tmp_path: Path) -> None:
    assert sources.find("sample") == FashionMnist(sources.SAMPLE)
    assert sources.find("fashion-mnist", tmp_path) == FashionMnist(tmp_path)
    with pytest.raises(DataError, match="--data nowhere: no such folder; allowed: sample, fashion-mnist, or a folder"):
        sources.find("nowhere")


def test_without_the_debian_package_the_message_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="apt-get install dataset-fashion-mnist"):
        sources.find("fashion-mnist", tmp_path / "absent")


IMAGES = b"\0\0\x08\3" + np.array([2, 28, 28], ">u4").tobytes() + bytes(2 * 784)


def packed(content: bytes) -> bytes:
    """Without the time, which would be in the names of tests."""
    return gzip.compress(content, mtime=0)


PACKED = packed(IMAGES)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no gzip", "not a whole gzip file"),
        (PACKED[:-20], "not a whole gzip file"),
        (PACKED[:20] + bytes(4) + PACKED[24:], "not a whole gzip file"),
        (packed(b""), "not an idx file"),
        (packed(b"\0\0\x0d\3" + IMAGES[4:]), "not an idx file of bytes"),
        (packed(IMAGES[:-1]), "cut off"),
        (packed(IMAGES[:10]), "cut off"),
        (PACKED, r"images of shape \(2, 28, 28\) and labels of shape \(20,\)"),
        (packed(b"\0\0\x08\1\0\0\0\2\1\1"), r"images of shape \(2,\)"),
    ],
)
def test_a_damaged_file_is_named_with_what_is_wrong(folder: Path, content: bytes, message: str) -> None:
    images_path(folder, TRAIN).write_bytes(content)
    source = FashionMnist(folder)
    with pytest.raises(DataError, match=message) as refused:
        source.load(source.input_spec(None, None))
    assert str(folder) in str(refused.value)


def test_a_class_that_does_not_exist_is_refused(folder: Path) -> None:
    write_idx(labels_path(folder, TRAIN), np.full(20, 10, np.uint8))
    source = FashionMnist(folder)
    with pytest.raises(DataError, match="class 10, but there are 0 to 9"):
        source.load(source.input_spec(None, None))


def test_a_missing_file_is_named(folder: Path) -> None:
    labels_path(folder, TEST).unlink()
    with pytest.raises(DataError, match=r"t10k-labels-idx1-ubyte.gz: No such file or directory"):
        FashionMnist(folder).fingerprint()


def test_another_size_or_colour_than_the_images_have_is_refused() -> None:
    source = FashionMnist(sources.SAMPLE)
    with pytest.raises(DataError, match=r"--size 64: the images .* are 28 pixels a side"):
        source.input_spec(64, None)
    with pytest.raises(DataError, match=r"--channels 3: the images .* are grey"):
        source.input_spec(None, 3)
