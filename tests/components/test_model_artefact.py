"""What training wrote, and where it goes."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from components.model_artefact import ArtefactError, ModelArtefact


def write_artefact(folder: Path, **changes: Any) -> None:
    (folder / "model.pt").write_bytes(b"weights")
    (folder / "notes.txt").write_text("not part of it")
    manifest = {"version": "3f9c", "files": {"model.pt": hashlib.sha256(b"weights").hexdigest()}, "run": {}}
    (folder / "manifest.json").write_text(json.dumps(manifest | changes))


def test_what_the_manifest_names_lies_under_the_models_name_and_version(tmp_path: Path) -> None:
    write_artefact(tmp_path)

    assert ModelArtefact.read("fashion", tmp_path).objects() == {
        "models/fashion/3f9c/model.pt": tmp_path / "model.pt",
        "models/fashion/3f9c/manifest.json": tmp_path / "manifest.json",
    }


def test_a_missing_artefact_says_how_to_train_one(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"run `make demo`, .* or `python -m model.train --data sample --out "):
        ModelArtefact.read("fashion", tmp_path / "nowhere")


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    write_artefact(tmp_path)
    (tmp_path / "model.pt").unlink()

    with pytest.raises(ArtefactError, match=r"no model in .*No such file or directory: .*model.pt"):
        ModelArtefact.read("fashion", tmp_path)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"version": 3}, "manifest.json: version: Input should be a valid string"),
        ({"version": "../../etc"}, "manifest.json: version: String should match pattern"),
        ({"files": ["model.pt"]}, "manifest.json: files: Input should be an object"),
        ({"files": {"model.pt": "0" * 64}}, "model.pt is not the file that manifest.json names"),
        ({"files": {"../model.pt": "0" * 64}}, "which lies outside of its folder"),
        ({"files": {"/etc/passwd": "0" * 64}}, "which lies outside of its folder"),
    ],
)
def test_an_artefact_that_is_not_whole_is_refused(tmp_path: Path, changes: dict[str, Any], problem: str) -> None:
    write_artefact(tmp_path, **changes)

    with pytest.raises(ArtefactError, match=re.escape(problem)):
        ModelArtefact.read("fashion", tmp_path)


def test_a_manifest_that_is_no_json_is_refused(tmp_path: Path) -> None:
    write_artefact(tmp_path)
    (tmp_path / "manifest.json").write_text("{")

    with pytest.raises(ArtefactError, match=r"manifest.json: the document: Invalid JSON"):
        ModelArtefact.read("fashion", tmp_path)
