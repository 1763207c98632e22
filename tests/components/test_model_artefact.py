"""What training wrote, and where it goes."""

from pathlib import Path

import pytest

from components.model_artefact import ArtefactError, ModelArtefact, ServingCode


def test_files_lie_under_the_models_name_and_version(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"version": "3f9c"}')
    (tmp_path / "model.pt").write_bytes(b"weights")
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "card.md").write_text("card")

    objects = ModelArtefact.read("fashion", tmp_path).objects()

    assert objects == {
        "models/fashion/3f9c/extra/card.md": tmp_path / "extra" / "card.md",
        "models/fashion/3f9c/manifest.json": tmp_path / "manifest.json",
        "models/fashion/3f9c/model.pt": tmp_path / "model.pt",
    }


def test_a_missing_artefact_says_how_to_train_one(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"run `make demo`, .* or `python -m model.train --data sample --out "):
        ModelArtefact.read("fashion", tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        ("{", "is not a manifest"),
        ("[]", "is not a manifest"),
        ('{"name": "x"}', "is not a manifest"),
        ('{"version": 3}', "has version 3"),
        ('{"version": "../../etc"}', "cannot be part of a path"),
    ],
)
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, manifest: str, problem: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)

    with pytest.raises(ArtefactError, match=problem):
        ModelArtefact.read("fashion", tmp_path)


def test_serving_code_that_differs_lies_elsewhere(tmp_path: Path) -> None:
    source = tmp_path / "serve.py"
    source.write_text("one")
    before = ServingCode.read(source)
    source.write_text("two")
    after = ServingCode.read(source)

    assert before.prefix != after.prefix
    assert after.objects() == {f"{after.prefix}serve.py": source}


def test_missing_serving_code_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"cannot read the serving code .*nothing.py: No such file"):
        ServingCode.read(tmp_path / "nothing.py")
