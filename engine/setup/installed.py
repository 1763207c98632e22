"""Finds a Pulumi that the user has installed, with its Python language host, and the alicloud plugin."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.setup.build import PLUGIN, PLUGIN_VERSION
from engine.setup.console import Stage
from engine.setup.project import Project

OLDEST = (3, 250)
ANSWER_S = 20.0
DOWNLOAD_S = 300.0


@dataclass(frozen=True)
class Installed:
    """An installed Pulumi: the command as found on PATH, its version, and its PULUMI_HOME."""

    command: Path
    version: str
    home: Path

    @property
    def has_plugin(self) -> bool:
        return (self.home / "plugins" / f"resource-alicloud-v{PLUGIN_VERSION}" / PLUGIN).exists()

    def install_plugin(self, stage: Stage) -> str:
        """Let Pulumi fetch the plugin from where it is released. Raises SetupError."""
        env = {**os.environ, "PULUMI_HOME": str(self.home), "PULUMI_SKIP_UPDATE_CHECK": "true"}
        command: list[str | Path] = [self.command, "plugin", "install", "resource", "alicloud", PLUGIN_VERSION]
        stage.run(command, env=env, timeout_s=DOWNLOAD_S)
        return f"plugin {PLUGIN_VERSION}, fetched by the installed pulumi"


def find(project: Project, environ: Mapping[str, str] = os.environ) -> Installed | None:
    """Return the first usable Pulumi on PATH that this project did not put there."""
    for folder in environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which("pulumi", path=folder) if folder else None
        if found is None:
            continue
        command = Path(found)
        real = command.resolve()
        if real.is_relative_to(project.cache.resolve()) or command.parent.resolve() == project.bin.resolve():
            continue
        version = _version(command)
        # The engine looks for the host beside itself first; without one it cannot run Python.
        if version and _at_least(version, OLDEST) and os.access(real.parent / "pulumi-language-python", os.X_OK):
            return Installed(command, version, _home(project, environ))
    return None


def _home(project: Project, environ: Mapping[str, str]) -> Path:
    set_home = environ.get("PULUMI_HOME")
    if set_home and Path(set_home) != project.engine / "home":  # that one is set by our own activate script
        return Path(set_home)
    return Path.home() / ".pulumi"


def _version(command: Path) -> str | None:
    env = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        answer = subprocess.run(  # noqa: S603 the user's own pulumi
            [command, "version"], capture_output=True, text=True, timeout=ANSWER_S, check=True, env=env
        )
    except (OSError, subprocess.SubprocessError):
        return None  # something on PATH that is called pulumi but is not
    found = re.match(r"v?(\d+\.\d+\.\d+\S*)", answer.stdout.strip())
    return found[1] if found else None


def _at_least(version: str, oldest: tuple[int, int]) -> bool:
    major, minor, *_ = version.split(".")
    return (int(major), int(minor)) >= oldest
