"""What commands write into a stack's file: one setting or one version, and nothing else changes."""

from pathlib import Path

import pytest
import yaml

from jobs.models.stack_file import NewVersion, add_version, approve, next_name, set_artefact
from jobs.problem import JobError
from stacks.config import STACKS, StackConfig

FILE = """\
# Kept.
encryptionsalt: v1:abc=:v1:def:ghi==
config:
  paistack:target: {region: cn-hangzhou, account_id: "1234567890123456"}
  paistack:services:
    fashion:
      model:
        name: fashion
        artefact: .paistack/models/fashion  # what runs
      instance_type: ecs.c7.large

      replicas: 2
    other:
      model: {name: other, artefact: "a b"}
      instance_type: 'ecs.c7.large'
"""
VERSION = NewVersion("290b271e8cb1", {"accuracy": 0.8731}, {"commit": "123e4567"})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "Pulumi.local.yaml"
    path.write_text(FILE)
    return path


def test_the_setting_is_changed_and_comments_stay(file: Path) -> None:
    assert set_artefact(file, "fashion", Path("/x/3f9c")) == (".paistack/models/fashion", "/x/3f9c")
    changed = file.read_text().replace("/x/3f9c", ".paistack/models/fashion")
    assert [line.split() for line in changed.splitlines()] == [line.split() for line in FILE.splitlines()]


def test_a_setting_in_one_line_is_changed_too(file: Path) -> None:
    set_artefact(file, "other", Path("/x/3f9c"))
    assert 'model: {name: other, artefact: "/x/3f9c"}' in file.read_text()


def test_a_service_without_the_setting_is_told(file: Path) -> None:
    with pytest.raises(JobError, match=r"there is no paistack:services\.third\.model\.artefact to set"):
        set_artefact(file, "third", Path("/x"))
    assert file.read_text() == FILE


def test_the_first_version_makes_the_model_and_all_that_stood_there_stays(file: Path) -> None:
    assert add_version(file, "fashion", "1000", VERSION) == "0.1.0"
    written = file.read_text()
    assert written.startswith(FILE)
    assert yaml.safe_load(written[len(FILE) :]) == {
        "paistack:models": {
            "fashion": {
                "workspace_id": "1000",
                "versions": {
                    "0.1.0": {
                        "content": "290b271e8cb1",
                        "metrics": {"accuracy": 0.8731},
                        "labels": {"commit": "123e4567"},
                    }
                },
            }
        }
    }
    config = StackConfig.from_file(file)
    assert config.models["fashion"].versions["0.1.0"].labels == {"commit": "123e4567"}


def test_a_version_is_added_once_and_named_after_the_one_before(file: Path) -> None:
    other = NewVersion("3f9c00000000", {}, {})
    names = [add_version(file, "fashion", "1000", each) for each in (VERSION, other, VERSION)]
    assert names == ["0.1.0", "0.2.0", "0.1.0"]
    assert list(StackConfig.from_file(file).models["fashion"].versions) == ["0.1.0", "0.2.0"]


def test_a_version_is_approved_where_it_stands(file: Path) -> None:
    add_version(file, "fashion", "1000", VERSION)
    assert approve(file, "fashion", "0.1.0")
    assert StackConfig.from_file(file).models["fashion"].versions["0.1.0"].approved
    before = file.read_text()
    assert not approve(file, "fashion", "0.9.0")
    assert not approve(file, "unknown", "0.1.0")
    assert file.read_text() == before


@pytest.mark.parametrize("path", sorted(STACKS.glob("Pulumi.*.yaml")), ids=lambda path: path.stem)
def test_the_project_s_own_files_change_by_what_is_added_only(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name
    copy.write_text(path.read_text())
    add_version(copy, "fashion", "1000", VERSION)
    lines = copy.read_text().splitlines()
    assert [line for line in path.read_text().splitlines() if line not in lines] == []


def test_names_count_on_from_the_highest() -> None:
    assert next_name([]) == "0.1.0"
    assert next_name(["0.2.0", "0.10.0", "0.9.1-gpu"]) == "0.11.0"
