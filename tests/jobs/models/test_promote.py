"""Promotion changes one setting of a stack's file and nothing else."""

from pathlib import Path

import pytest

from jobs.models.promote import set_artefact
from jobs.problem import JobError

FILE = """\
# Kept.
config:
  paistack:services:
    fashion:
      model:
        name: fashion
        artefact: .paistack/models/fashion  # what runs
      replicas: 2
    other:
      model: {name: other, artefact: "a b"}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Pulumi.local.yaml"
    path.write_text(FILE)
    return path


def test_the_setting_is_changed_and_comments_stay(file: Path) -> None:
    assert set_artefact(file, "fashion", Path("/x/3f9c")) == (".paistack/models/fashion", "/x/3f9c")
    assert file.read_text() == FILE.replace(".paistack/models/fashion", "/x/3f9c")


def test_a_setting_in_one_line_is_changed_too(file: Path) -> None:
    set_artefact(file, "other", Path("/x/3f9c"))
    assert "model: {name: other, artefact: /x/3f9c}" in file.read_text()


def test_a_service_without_the_setting_is_told(file: Path) -> None:
    with pytest.raises(JobError, match=r"there is no paistack:services\.third\.model\.artefact to set"):
        set_artefact(file, "third", Path("/x"))
    assert file.read_text() == FILE
