"""Code goes to where the hash of its content says, whole, and without what is generated."""

from pathlib import Path

import pytest

from components.model_artefact import ArtefactError
from components.stored_code import StoredCode


def package(folder: Path) -> Path:
    for name in ("app.py", "pages/root.py", "__pycache__/app.pyc", ".cache/x"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_code_that_differs_lies_elsewhere(tmp_path: Path) -> None:
    source = tmp_path / "serve.py"
    source.write_text("one")
    before = StoredCode.read(source)
    source.write_text("two")
    after = StoredCode.read(source)

    assert before.prefix != after.prefix
    assert after.objects() == {f"{after.prefix}serve.py": source}


def test_a_directory_gives_what_is_in_it(tmp_path: Path) -> None:
    assert set(StoredCode.read(package(tmp_path / "serving")).files) == {"app.py", "pages/root.py"}


def test_a_package_keeps_its_name_by_which_it_is_imported(tmp_path: Path) -> None:
    folder = package(tmp_path / "serving")
    code = StoredCode.read(folder, as_package=True)
    assert code.objects()[f"{code.prefix}serving/pages/root.py"] == folder / "pages" / "root.py"
    assert len(code.files) == 2


def test_a_file_that_moves_makes_other_code(tmp_path: Path) -> None:
    folder = package(tmp_path / "serving")
    before = StoredCode.read(folder).digest
    (folder / "app.py").rename(folder / "main.py")
    assert StoredCode.read(folder).digest != before


def test_missing_code_is_named(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match=r"there is no code in .*nothing.py"):
        StoredCode.read(tmp_path / "nothing.py")
