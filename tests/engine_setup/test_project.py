from pathlib import Path

import pytest

from engine.setup.project import digest, link_atomically, write_atomically


def test_a_digest_changes_with_content_name_and_facts_only(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("b")
    base = digest(tmp_path, [one, two], "fact")
    assert digest(tmp_path, [two, one], "fact") == base
    assert digest(tmp_path, [one, two], "another") != base
    assert digest(tmp_path, [one], "fact") != base
    renamed = one.rename(tmp_path / "three")
    assert digest(tmp_path, [renamed, two], "fact") != base
    renamed.rename(one).write_text("c")
    assert digest(tmp_path, [one, two], "fact") != base


def test_a_digest_cannot_be_moved_between_files(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("ab")
    two.write_text("c")
    base = digest(tmp_path, [one, two])
    one.write_text("a")
    two.write_text("bc")
    assert digest(tmp_path, [one, two]) != base


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "file"
    write_atomically(file, "old", mode=0o600)

    def fail(_self: Path, _target: Path) -> None:
        raise OSError("the disk is full")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="full"):
        write_atomically(file, "new")
    assert file.read_text() == "old"
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_link_is_replaced_and_says_so(tmp_path: Path) -> None:
    link = tmp_path / "below" / "link"
    assert link_atomically(link, tmp_path / "one")
    assert not link_atomically(link, tmp_path / "one")
    assert link_atomically(link, tmp_path / "two")
    assert link.readlink() == tmp_path / "two"
