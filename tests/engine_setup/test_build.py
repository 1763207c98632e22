import os
import threading
from pathlib import Path

import pytest

from engine.setup import build
from engine.setup.console import Stage
from engine.setup.go import Go, required
from engine.setup.project import Project, SetupError
from tests.engine_setup.conftest import Script


@pytest.fixture
def stage(project: Project) -> Stage:
    return Stage("engine", project.log)


@pytest.fixture
def go(path: Path, script: Script) -> Path:
    """A Go of a good version that builds nothing."""
    return script(path / "go", "[ $1 = env ] && echo go1.26.8")


class Builds:
    """A part whose build writes one file; counts how often it is built."""

    def __init__(self, project: Project) -> None:
        self.count = 0
        self.fails = False
        self.part = build.Part("engine", project.root / "engine" / "cli", self._build)

    def _build(self, _module: Path, _go: Go, _stage: Stage, out: Path) -> None:
        self.count += 1
        (out / "pulumi").write_text("half")
        if self.fails:
            raise SetupError("no route")
        (out / "pulumi").write_text("whole")


@pytest.fixture
def builds(project: Project) -> Builds:
    return Builds(project)


@pytest.mark.usefixtures("go")
def test_what_is_built_is_not_built_again(project: Project, stage: Stage, builds: Builds) -> None:
    folder = builds.part.build(project.cache, stage)
    assert builds.part.build(project.cache, stage) == builds.part.built(project.cache) == folder
    assert builds.count == 1
    assert folder.name.endswith("-go1.26.8")


@pytest.mark.usefixtures("go")
def test_a_build_that_fails_leaves_nothing_and_can_be_repeated(project: Project, stage: Stage, builds: Builds) -> None:
    builds.fails = True
    with pytest.raises(SetupError):
        builds.part.build(project.cache, stage)
    assert builds.part.built(project.cache) is None
    assert [p.name for p in project.cache.iterdir()] == ["lock"]
    builds.fails = False
    assert (builds.part.build(project.cache, stage) / "pulumi").read_text() == "whole"


@pytest.mark.usefixtures("go")
def test_remains_of_a_killed_build_are_removed(project: Project, stage: Stage, builds: Builds) -> None:
    remains = project.cache / ".building-abc" / "out"
    remains.mkdir(parents=True)
    builds.part.build(project.cache, stage)
    assert not remains.parent.exists()


@pytest.mark.usefixtures("go")
def test_builds_that_nobody_has_used_for_long_are_removed(project: Project, stage: Stage, builds: Builds) -> None:
    old, recent = project.cache / "engine-1-go1.25", project.cache / "engine-2-go1.25"
    for folder in (old, recent):
        folder.mkdir(parents=True)
    os.utime(old, (0, 0))
    builds.part.build(project.cache, stage)
    assert not old.exists()
    assert recent.exists()


@pytest.mark.usefixtures("go")
def test_two_set_ups_at_once_build_once(project: Project, builds: Builds) -> None:
    stages = [Stage("engine", project.log.with_name(f"{i}.log")) for i in range(4)]
    threads = [threading.Thread(target=builds.part.build, args=(project.cache, stage)) for stage in stages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert builds.count == 1


def test_an_earlier_build_is_used_without_go(project: Project, stage: Stage, builds: Builds, go: Path) -> None:
    folder = builds.part.build(project.cache, stage)
    go.unlink()
    assert builds.part.build(project.cache, stage) == folder


@pytest.mark.usefixtures("go")
def test_a_changed_source_is_built_anew_and_a_changed_test_is_not(
    project: Project, stage: Stage, builds: Builds
) -> None:
    builds.part.build(project.cache, stage)
    (builds.part.module / "new_test.go").write_text("package main\n")
    assert builds.part.built(project.cache)
    (builds.part.module / "new.go").write_text("package main\n")
    assert builds.part.built(project.cache) is None


def test_a_go_that_is_too_old_is_named(project: Project, path: Path, script: Script) -> None:
    module = project.root / "engine" / "cli"
    script(path / "go", "echo 'go: go.mod requires go >= 1.25.11 (running go 1.22.1)' >&2; exit 1")
    with pytest.raises(SetupError, match=r"go is not 1\.25\.11 or newer .*running go 1\.22\.1"):
        Go.find(module)


def test_versions_are_read_from_go_mod(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text("module m\n\ngo 1.25.11\n\nrequire (\n\ta.b/c/v3 v3.259.0\n\ta.b/c v1.0.0\n)\n")
    assert required(tmp_path, "go") == "1.25.11"
    assert required(tmp_path, "a.b/c/v3") == "3.259.0"
    assert required(tmp_path, "a.b/c") == "1.0.0"
    with pytest.raises(SetupError, match=r"does not name a\.b"):
        required(tmp_path, "a.b")
