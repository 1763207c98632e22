"""A trained version is brought to its place whole, and an instance without a name is not stopped."""

import subprocess
import sys
from pathlib import Path

import pytest

from model.artefact import ArtefactError, read
from model.deliver import deliver

pytestmark = pytest.mark.model

ROOT = Path(__file__).parents[2]


def test_a_version_lies_under_its_own_name_and_is_kept(untrained: Path, tmp_path: Path) -> None:
    folder = deliver(untrained, tmp_path)
    assert folder == tmp_path / "0123456789ab"
    assert read(folder) == read(untrained)
    before = (folder / "model.pt").stat().st_mtime_ns
    deliver(untrained, tmp_path)
    assert (folder / "model.pt").stat().st_mtime_ns == before


def test_half_a_version_is_made_whole(untrained: Path, tmp_path: Path) -> None:
    folder = deliver(untrained, tmp_path)
    (folder / "model.pt").write_bytes(b"half")
    deliver(untrained, tmp_path)
    assert read(folder) == read(untrained)


def test_what_is_not_whole_is_not_delivered(tmp_path: Path) -> None:
    with pytest.raises(ArtefactError, match="holds no whole artefact; train again"):
        deliver(tmp_path, tmp_path / "versions")


def test_outside_of_an_instance_nothing_is_released() -> None:
    done = subprocess.run([sys.executable, "-m", "model.release"], cwd=ROOT, env={}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "DSW_ENDPOINT is not set: this is run in an instance of DSW" in done.stderr


def test_a_containers_requirements_are_those_that_are_tested() -> None:
    pinned = {line for file in ROOT.glob("requirements*.txt") for line in file.read_text().splitlines()}
    pinned |= set((ROOT / "constraints.txt").read_text().splitlines())
    wanted = {line for line in (ROOT / "model" / "requirements.txt").read_text().splitlines() if line[:1] != "#"}
    assert wanted <= pinned
