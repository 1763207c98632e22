"""A bare checkout in a temporary folder, and programs on a PATH of their own in place of Go and Pulumi."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from engine.environment import ROOT
from engine.setup.project import Project
from engine.setup.virtualenv import INPUTS


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A checkout with what a set-up reads, nothing set up, and a cache of its own."""
    root = tmp_path / "checkout"
    shutil.copytree(ROOT / "engine", root / "engine", ignore=shutil.ignore_patterns("__pycache__"))
    for name in INPUTS:
        shutil.copy(ROOT / name, root)
    return Project(root, tmp_path / "cache")


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder that is the whole PATH, but for the programs that a shell script needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("sh", "cat", "mkdir", "dirname", "touch", "sleep"):
        found = shutil.which(tool)
        assert found
        (folder / tool).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder))
    return folder


Script = Callable[[Path, str], Path]


@pytest.fixture
def script() -> Script:
    """Write an executable shell script."""

    def write(path: Path, body: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
        return path

    return write
