from pathlib import Path

import pytest

from engine.setup import virtualenv
from engine.setup.console import Stage
from engine.setup.project import Project, SetupError


class Recorded(Stage):
    """A stage that runs nothing: it records the commands, and makes of a virtualenv what is looked at."""

    def __init__(self, project: Project) -> None:
        super().__init__("virtualenv", project.log)
        self.project = project
        self.commands: list[str] = []
        self.fails = ""
        self.python = "3.11.7"

    def run(
        self,
        command: list[str | Path],
        **_options: object,
    ) -> str:
        text = " ".join(str(part) for part in command)
        kind = "venv" if "-m venv" in text else "editable" if " -e " in text else "pins" if " -r " in text else "uv"
        self.commands.append(kind)
        if kind == self.fails:
            raise SetupError("no route")
        if kind == "venv":
            self.project.bin.mkdir(parents=True)
            (self.project.bin / "python").touch()
            (self.project.venv / "pyvenv.cfg").write_text(f"home = /usr\nversion = {self.python}\n")
        return ""


@pytest.fixture
def stage(project: Project) -> Recorded:
    return Recorded(project)


def rerun(project: Project, stage: Recorded) -> list[str]:
    stage.commands.clear()
    virtualenv.install(project, stage)
    return stage.commands


EVERYTHING = ["venv", "uv", "pins", "editable"]


def test_a_second_run_does_nothing(project: Project, stage: Recorded) -> None:
    assert rerun(project, stage) == EVERYTHING
    assert rerun(project, stage) == []


@pytest.mark.parametrize("name", virtualenv.INPUTS)
def test_a_changed_pin_is_installed_into_the_same_virtualenv(project: Project, stage: Recorded, name: str) -> None:
    virtualenv.install(project, stage)
    with (project.root / name).open("a") as file:
        file.write("\n# changed\n")
    assert rerun(project, stage) == ["uv", "pins", "editable"]


@pytest.mark.parametrize("step", ["uv", "pins", "editable"])
def test_a_run_that_was_cut_off_starts_the_virtualenv_anew(project: Project, stage: Recorded, step: str) -> None:
    stage.fails = step
    with pytest.raises(SetupError):
        virtualenv.install(project, stage)
    stage.fails = ""
    assert rerun(project, stage) == EVERYTHING
    assert rerun(project, stage) == []


def test_a_virtualenv_of_an_old_python_is_replaced(project: Project, stage: Recorded) -> None:
    stage.python = "3.10.4"
    virtualenv.install(project, stage)
    (project.venv / "setup.stamp").unlink()
    assert rerun(project, stage) == EVERYTHING


def test_a_virtualenv_whose_python_is_gone_is_replaced(project: Project, stage: Recorded) -> None:
    virtualenv.install(project, stage)
    (project.bin / "python").unlink()
    assert rerun(project, stage) == EVERYTHING


def test_a_checkout_that_was_moved_gets_a_new_virtualenv(project: Project, stage: Recorded) -> None:
    virtualenv.install(project, stage)
    moved = Project(project.root.rename(project.root.with_name("moved")), project.cache)
    elsewhere = Recorded(moved)
    assert rerun(moved, elsewhere) == EVERYTHING
