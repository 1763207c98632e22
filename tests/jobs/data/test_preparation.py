"""A heap of images becomes a dataset: versioned by content, split without a leak, each rejection told."""

import json
from pathlib import Path

import pytest

from jobs.data.image import Limits, examine
from jobs.data.labels import Labelled, from_csv, from_folders
from jobs.data.preparation import Prepared, prepare
from jobs.problem import JobError
from model.prepared import PreparedFolder
from tests.jobs.data.pictures import bomb, encoded, heap, picture


def prepared(files: list[Labelled], out: Path) -> Prepared:
    return prepare("products", files, out, Limits(), lambda: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return heap(tmp_path / "raw")


def test_a_dataset_holds_each_image_in_one_part(folder: Path, tmp_path: Path) -> None:
    found = prepared(from_folders(folder), tmp_path / "out")
    names = list(found.description.files)
    assert found.report.kept == len(names) == 80
    assert found.folder == tmp_path / "out" / "products" / found.description.version
    on_disk = {str(path.relative_to(found.folder)) for path in found.folder.rglob("*") if path.is_file()}
    assert on_disk == {*names, "dataset.json", "report.json"}
    parts = [sum(name.startswith(part) for name in names) for part in ("train/", "validation/", "test/")]
    assert sum(parts) == 80
    assert parts[0] > 50
    assert min(parts) > 2


def test_the_version_follows_from_the_content_and_not_from_names_or_time(folder: Path, tmp_path: Path) -> None:
    first = prepared(from_folders(folder), tmp_path / "out").description
    for path in sorted((folder / "bags").iterdir(), reverse=True):
        path.rename(path.with_name(f"renamed-{path.name}"))
    assert prepared(from_folders(folder), tmp_path / "other").description == first
    (folder / "bags" / "new.png").write_bytes(encoded(picture(5000)))
    second = prepared(from_folders(folder), tmp_path / "out").description
    assert second.version != first.version
    assert first.files.items() <= second.files.items(), "a new image moves none of the others"


def test_what_is_wrong_is_rejected_and_reported(folder: Path, tmp_path: Path) -> None:
    (folder / "bags" / "bomb.png").write_bytes(bomb(60_000, 60_000))
    (folder / "bags" / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (folder / "bags" / "copy.bmp").write_bytes(encoded(picture(3), "BMP"))
    (folder / "boots" / "0-again.png").write_bytes(encoded(picture(5)))
    (folder / "boots" / "wrong.jpg").write_bytes(encoded(picture(77)))
    found = prepared(from_folders(folder), tmp_path / "out")
    assert dict(found.report.counted()) == {"huge": 1, "not an image": 1, "copy": 1, "two labels": 2}
    assert found.report.repaired == {"boots/wrong.jpg": "named .jpg, but is PNG"}
    assert found.report.rejected["boots/0-again.png"] == ("two labels", "the same picture is under bags, boots")
    assert found.report.rejected["bags/copy.bmp"] == ("copy", "shows what bags/3.png shows")
    written = json.loads((found.folder / "report.json").read_text())
    assert written["rejected"]["bags/bomb.png"] == ["huge", "60000 x 60000 pixels; allowed: 16384 a side"]
    assert not list((tmp_path / "out").glob(".new-*"))


def test_images_of_one_group_stay_in_one_part(folder: Path, tmp_path: Path) -> None:
    files = [
        Labelled(each.path, each.name, each.label, group=f"p{number // 2}")
        for number, each in enumerate(from_folders(folder))
    ]
    found = prepared(files, tmp_path / "out")
    parts = {name.rpartition("/")[2]: name.partition("/")[0] for name in found.description.files}
    alone = prepared([Labelled(each.path, each.name, each.label) for each in files], tmp_path / "alone")
    assert len(parts) == len(alone.description.files)
    by_group: dict[str, set[str]] = {}
    for each in files:
        digest = examine(each.path.read_bytes(), ".png", Limits()).pixels[:24]
        by_group.setdefault(each.group, set()).add(parts[f"{digest}.png"])
    assert all(len(there) == 1 for there in by_group.values())


def test_the_model_trains_on_what_was_prepared(folder: Path, tmp_path: Path) -> None:
    found = prepared(from_folders(folder), tmp_path / "out")
    source = PreparedFolder(found.folder)
    dataset = source.load(source.input_spec(16, None))
    assert source.version == found.description.version
    assert dataset.labels == ("bags", "boots")
    assert dataset.validation is not None
    assert len(dataset.train) + len(dataset.validation) + len(dataset.held_back) == 80


def test_labels_come_from_a_table(folder: Path, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file,label,group\nbags/0.png,Bag,7\nboots/0.png,Boot (ankle),\n")
    assert [(each.name, each.label, each.group) for each in from_csv(folder, table)] == [
        ("bags/0.png", "Bag", "7"),
        ("boots/0.png", "Boot (ankle)", ""),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,label\n", "found columns name, label; allowed: file, label, group"),
        ("file,label\nbags/99.png,a\n", "line 2: there is no file 'bags/99.png'"),
        ("file,label\n../raw/../../etc/passwd,a\n", "line 2: there is no file"),
        ("file,label\nbags/0.png,T-shirt/top\n", "line 2: found the label 'T-shirt/top'; allowed: up to 64 letters"),
        ("file,label\nbags/0.png,a\nbags/0.png,b\n", "line 3: bags/0.png is in line 2 already"),
    ],
)
def test_a_wrong_table_is_refused_at_its_line(folder: Path, tmp_path: Path, text: str, message: str) -> None:
    table = tmp_path / "labels.csv"
    table.write_text(text)
    with pytest.raises(JobError) as refused:
        from_csv(folder, table)
    assert message in str(refused.value)


def test_a_class_that_would_not_be_measured_is_refused(tmp_path: Path) -> None:
    folder = heap(tmp_path / "raw", 2)
    with pytest.raises(JobError, match=r"class \w+: none of its 2 images falls into"):
        prepared(from_folders(folder), tmp_path / "out")


def test_one_class_is_not_enough(folder: Path, tmp_path: Path) -> None:
    files = [each for each in from_folders(folder) if each.label == "bags"]
    with pytest.raises(JobError, match="found 1 class with usable images and 0 rejected files; two"):
        prepared(files, tmp_path / "out")
