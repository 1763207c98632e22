"""The stage that makes `.venv`: a virtualenv with every pinned package and the project itself."""

import os
import shutil
import sys
from pathlib import Path

from engine.setup.console import Stage
from engine.setup.project import Project, digest, write_atomically

UV = "0.13.9"  # installs from the pins in parallel; pip alone takes several times as long
OLDEST_PYTHON = (3, 11)
INPUTS = ("requirements.txt", "requirements-infra.txt", "requirements-dev.txt", "constraints.txt", "pyproject.toml")


def install(project: Project, stage: Stage) -> str:
    """Make the virtualenv what the pins say. A healthy one is kept and only brought up to date."""
    stamp = project.venv / "setup.stamp"  # what is installed, and where the virtualenv was when it was installed
    begun = project.venv / "setup.begun"  # there while packages are being installed
    current = f"{_digest(project)} {project.venv}"
    kept = _is_usable(project.venv) and not begun.exists() and not _is_moved(stamp, project)
    if kept and stamp.is_file() and stamp.read_text() == current:
        return f"Python {_version(project.venv)}, up to date"
    if not kept:
        shutil.rmtree(project.venv, ignore_errors=True)
        # Not sys.executable: that may be the very virtualenv that was just removed.
        stage.run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", project.venv])
    write_atomically(begun, "")
    _install_packages(project, stage)
    write_atomically(stamp, f"{_digest(project)} {project.venv}")
    begun.unlink()
    installed = len(list((project.venv / "lib").glob("python*/site-packages/*.dist-info")))
    return f"Python {_version(project.venv)}, {installed} packages installed"


def _install_packages(project: Project, stage: Stage) -> None:
    python, uv = project.bin / "python", project.bin / "uv"
    env = {**os.environ, "VIRTUAL_ENV": str(project.venv), "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    stage.run([python, "-m", "pip", "install", "--progress-bar", "off", f"uv=={UV}"], env=env)
    # Compiled once here: Python would do it at each import where it may not write bytecode.
    install: list[str | Path] = [uv, "pip", "install", "--compile-bytecode", "--python", python]
    pins: list[str | Path] = ["-r", project.root / "requirements-dev.txt", "-c", project.root / "constraints.txt"]
    stage.run([*install, *pins], env=env, hint=_progress)
    # compat: one .pth line to the root, so that a folder that appears later is found without another install.
    editable: list[str | Path] = [
        "--no-deps",
        "--no-build-isolation",
        "--config-settings",
        "editable_mode=compat",
        "-e",
        project.root,
    ]
    stage.run([*install, *editable], env=env)


def _progress(line: str) -> str:
    """The compilation of a new virtualenv takes longest, and uv says nothing until it is over."""
    return f"{line.strip()}, compiling them" if line.startswith("Installed") else line.strip()


def _digest(project: Project) -> str:
    return digest(project.root, (project.root / name for name in INPUTS), UV, _version(project.venv))


def _is_moved(stamp: Path, project: Project) -> bool:
    """Tell whether the checkout has been moved: scripts in a virtualenv hold its absolute path."""
    return stamp.is_file() and stamp.read_text().partition(" ")[2] != str(project.venv)


def _is_usable(venv: Path) -> bool:
    if not (venv / "bin" / "python").exists():  # also false when its base interpreter is gone
        return False
    major, minor, *_ = (int(part) for part in _version(venv).split("."))
    return (major, minor) >= OLDEST_PYTHON


def _version(venv: Path) -> str:
    """Return the Python version of a virtualenv, without starting it; 0.0 where there is none."""
    config = venv / "pyvenv.cfg"
    for line in config.read_text().splitlines() if config.is_file() else ():
        key, _, value = line.partition("=")
        if key.strip() in ("version", "version_info"):
            return value.strip()
    return "0.0"
