"""`python3 -m engine.setup` as a whole, where it needs no network."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from engine.environment import ROOT
from engine.setup.build import PLUGIN_VERSION
from engine.setup.project import Project
from engine.setup.virtualenv import UV
from tests.engine_setup.conftest import Script

SET_UP = (sys.executable, "-m", "engine.setup")


def environment(project: Project, path: Path) -> dict[str, str]:
    return {
        "PATH": str(path),
        "HOME": str(project.root.parent),
        "XDG_CACHE_HOME": str(project.cache.parent.parent),
    }


def set_up(project: Project, path: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        SET_UP, cwd=project.root, env=environment(project, path), capture_output=True, text=True, timeout=60
    )


def test_without_go_and_pulumi_both_ways_out_are_named_before_anything_is_done(project: Project, path: Path) -> None:
    done = set_up(project, path)
    assert done.returncode == 1
    assert "no Pulumi is installed, and there is no Go to build with (1.25.11 or newer)" in done.stderr
    assert "install Go 1.25.11 or newer" in done.stderr
    assert "install Pulumi 3.250 or newer" in done.stderr
    assert "Traceback" not in done.stderr
    assert not project.venv.exists()


def test_an_old_go_is_told_apart_from_none(project: Project, path: Path, script: Script) -> None:
    script(path / "go", "echo 'go: go.mod requires go >= 1.25.11 (running go 1.22.1)' >&2; exit 1")
    assert "running go 1.22.1" in set_up(project, path).stderr


def test_an_old_python_can_read_the_entry_point() -> None:
    source = (ROOT / "engine" / "setup" / "__main__.py").read_text()
    before_imports = source[: source.index("from engine")]
    ast.parse(before_imports, feature_version=(3, 4))


def test_a_third_party_package_is_not_needed_to_set_up() -> None:
    code = "import sys, engine.setup.run; print(*sorted(m.partition('.')[0] for m in sys.modules))"
    printed = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=True
    ).stdout.split()
    assert {name for name in printed if name not in sys.stdlib_module_names} <= {"__main__", "engine"}


@pytest.mark.parametrize(
    ("file", "pattern", "version"),
    [
        ("requirements-infra.txt", r"^pulumi-alicloud==(\S+)", PLUGIN_VERSION),
        ("engine/provider/bridge/bridge.go", r'Version = "(\S+)"', PLUGIN_VERSION),
    ],
)
def test_versions_that_must_agree_agree(file: str, pattern: str, version: str) -> None:
    found = re.search(pattern, (ROOT / file).read_text(), re.MULTILINE)
    assert found
    assert found[1] == version


def test_the_installed_uv_is_the_pinned_one() -> None:
    printed = subprocess.run([ROOT / ".venv" / "bin" / "uv", "--version"], capture_output=True, text=True, check=True)
    assert printed.stdout.split()[1] == UV
