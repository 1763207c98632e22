"""The Go toolchain, as far as building a module needs it."""

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from engine.setup.console import Stage
from engine.setup.project import SetupError

# Static binaries, no workspace around the module; the collector's setting trades memory for time.
ENVIRONMENT = {"CGO_ENABLED": "0", "GOWORK": "off", "GOGC": "400"}


@dataclass(frozen=True)
class Go:
    """A Go that can build a module."""

    path: str
    version: str  # go1.26.8

    @classmethod
    def find(cls, module: Path) -> "Go":
        """Find a Go that accepts the module's `go` line. Raises SetupError that says why what is there is not one."""
        path = shutil.which("go")
        wanted = required(module, "go")
        if path is None:
            raise SetupError(f"there is no Go to build with ({wanted} or newer)")
        probe = Stage("go", Path(os.devnull))
        try:
            # Asked inside the module: a Go that switches toolchains answers with the one it switches to.
            version = probe.run([path, "env", "GOVERSION"], cwd=module, env={**os.environ, **ENVIRONMENT})
        except SetupError as error:
            raise SetupError(f"{path} is not {wanted} or newer ({error})") from error
        return cls(path, version.strip())

    def run(self, stage: Stage, module: Path, *arguments: str) -> str:
        """Run a go command in a module and return what it printed. Raises SetupError."""
        env = {**os.environ, **ENVIRONMENT}
        return stage.run([self.path, *arguments], cwd=module, env=env, hint=_Progress())


def required(module: Path, name: str) -> str:
    """Return the version that a module's go.mod names for another module, or for `go` itself."""
    go_mod = module / "go.mod"
    found = re.search(rf"^\s*(?:require )?{re.escape(name)} v?(\S+)", go_mod.read_text(), re.MULTILINE)
    if found is None:
        raise SetupError(f"{go_mod} does not name {name}")
    return found[1]


class _Progress:
    """Makes the sign of life of a build: how many modules were fetched and packages compiled so far."""

    def __init__(self) -> None:
        self.modules = self.packages = 0

    def __call__(self, line: str) -> str:
        if line.startswith("go: downloading"):
            self.modules += 1
        else:
            self.packages += 1
        return f"{self.modules} modules downloaded, {self.packages} packages compiled"
