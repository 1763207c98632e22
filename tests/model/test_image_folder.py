"""A user's own photographs: how they are split, and what is wrong with a folder that cannot be trained on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from model.dataset import DataError, Dataset
from model.image_folder import ImageFolder


def photographs(folder: Path, label: str, count: int, seed: int = 0) -> None:
    random = np.random.default_rng([seed, *label.encode()])
    (folder / label).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        pixels = random.integers(0, 256, (40, 30, 3), np.uint8)
        Image.fromarray(pixels).save(folder / label / f"{seed}-{number}.png")


def load(folder: Path) -> Dataset:
    source = ImageFolder(folder)
    return source.load(source.input_spec(16, None))


def held_back(folder: Path) -> set[bytes]:
    return {image.tobytes() for image in load(folder).held_back.pixels}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    photographs(tmp_path, "boots", 20)
    photographs(tmp_path, "bags", 10)
    return tmp_path


def test_labels_are_the_names_of_the_folders_and_a_fifth_of_each_is_held_back(folder: Path) -> None:
    dataset = load(folder)
    assert dataset.labels == ("bags", "boots")
    assert dataset.train.pixels.shape == (24, 3, 16, 16)
    assert np.bincount(dataset.train.classes).tolist() == [8, 16]
    assert np.bincount(dataset.held_back.classes).tolist() == [2, 4]


def test_the_split_depends_on_the_images_and_not_on_their_names(folder: Path) -> None:
    before, fingerprint = held_back(folder), ImageFolder(folder).fingerprint()
    for number, path in enumerate(sorted((folder / "boots").iterdir(), reverse=True)):
        path.rename(path.with_name(f"renamed-{number}.png"))
    assert held_back(folder) == before
    assert ImageFolder(folder).fingerprint() == fingerprint


def test_a_new_photograph_changes_the_fingerprint_and_moves_few_others(folder: Path) -> None:
    before, fingerprint = held_back(folder), ImageFolder(folder).fingerprint()
    photographs(folder, "boots", 1, seed=1)
    assert ImageFolder(folder).fingerprint() != fingerprint
    assert len(held_back(folder) - before) <= 1


def test_a_file_that_occurs_twice_counts_once(folder: Path) -> None:
    (folder / "bags" / "again").mkdir()
    original = folder / "bags" / "0-0.png"
    (folder / "bags" / "again" / "copy.png").write_bytes(original.read_bytes())
    dataset = load(folder)
    assert len(dataset.train) + len(dataset.held_back) == 30


def test_other_files_and_hidden_ones_are_left_alone(folder: Path) -> None:
    (folder / "notes.txt").write_text("not an image")
    (folder / "bags" / "notes.txt").write_text("not an image")
    (folder / "bags" / ".thumbnail.png").write_text("not an image")
    (folder / ".cache").mkdir()
    assert len(load(folder).train) == 24


def test_grey_photographs_are_chosen_by_channels(folder: Path) -> None:
    source = ImageFolder(folder)
    assert source.load(source.input_spec(16, 1)).train.pixels.shape == (24, 1, 16, 16)


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="a sub-folder for each class is needed, two at least; found none"):
        ImageFolder(tmp_path).fingerprint()


def test_a_single_class_is_refused(tmp_path: Path) -> None:
    photographs(tmp_path, "bags", 3)
    with pytest.raises(DataError, match="two at least; found one, bags"):
        ImageFolder(tmp_path).fingerprint()


def test_a_class_without_images_is_refused_with_what_it_holds(folder: Path) -> None:
    (folder / "shoes").mkdir()
    (folder / "shoes" / "a.webp").write_bytes(b"RIFF")
    with pytest.raises(DataError, match=r"shoes: no .png, .jpg or .jpeg file; found 1 .webp"):
        ImageFolder(folder).fingerprint()


def test_a_class_with_a_single_image_is_refused(folder: Path) -> None:
    photographs(folder, "shoes", 1)
    with pytest.raises(DataError, match="shoes: one image; a class needs two"):
        load(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "found bytes that begin with b''"),
        (b"GIF89a", "found GIF"),
        (b"\x89PNG\r\n\x1a\n", "the PNG cannot be decoded"),
    ],
)
def test_an_unreadable_image_is_named(folder: Path, content: bytes, message: str) -> None:
    (folder / "bags" / "broken.png").write_bytes(content)
    with pytest.raises(DataError, match=rf"broken.png: {message}.*; repair or remove it"):
        load(folder)


def test_an_image_under_two_labels_is_refused(folder: Path) -> None:
    (folder / "boots" / "bag.png").write_bytes((folder / "bags" / "0-0.png").read_bytes())
    with pytest.raises(DataError, match=r"0-0.png and .*bag.png are one image under two labels; remove one"):
        ImageFolder(folder).fingerprint()


def test_more_images_than_memory_should_hold_are_refused_before_they_are_read(folder: Path) -> None:
    source = ImageFolder(folder)
    with pytest.raises(DataError, match=r"30 images of 9000 pixels a side take 6\.8 GiB of memory; allowed: 4 GiB"):
        source.load(source.input_spec(9000, None))
