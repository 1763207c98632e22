"""Builds the Pulumi engine and the alicloud plugin from pinned Go modules into the user's cache."""

import fcntl
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.setup.console import Stage
from engine.setup.go import Go, required
from engine.setup.project import Project, digest

PLUGIN = "pulumi-resource-alicloud"
PLUGIN_VERSION = "4.0.0"  # the one that pulumi_alicloud of the same version asks for
PROGRAMS = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")

PULUMI = "github.com/pulumi/pulumi/pkg/v3"
SDK = "github.com/pulumi/pulumi/sdk/v3"
UPSTREAM = "github.com/aliyun/terraform-provider-alicloud"

FLAGS = ("-trimpath", "-buildvcs=false")  # what is built does not depend on where
STRIPPED = "-s -w"  # a third smaller
UNUSED_S = 60 * 86400.0


@dataclass(frozen=True)
class Part:
    """One of the two things that are built: a Go module, and a function that builds it into a folder."""

    name: str
    module: Path
    build_into: Callable[[Path, Go, Stage, Path], None]

    def built(self, cache: Path) -> Path | None:
        """Return the folder of an earlier build from these sources, by whichever Go; None if there is none."""
        folder = next(iter(sorted(cache.glob(f"{self.name}-{self._key()}-go*"), reverse=True)), None)
        if folder:
            os.utime(folder)  # in use
        return folder

    def build(self, cache: Path, stage: Stage) -> Path:
        """Build into the cache, unless that is done, and return the folder. Raises SetupError."""
        with _only_build(cache, stage):
            if done := self.built(cache):  # by the one that had the lock before
                return done
            go = Go.find(self.module)
            _remove_leftovers(cache)
            with tempfile.TemporaryDirectory(prefix=".building-", dir=cache) as work:
                out = Path(work) / "out"
                out.mkdir()
                self.build_into(self.module, go, stage, out)
                return out.rename(cache / f"{self.name}-{self._key()}-{go.version}")

    def _key(self) -> str:
        sources = (p for p in self.module.rglob("*") if p.is_file() and not p.name.endswith("_test.go"))
        return digest(self.module, sources, platform.system(), platform.machine(), *FLAGS, STRIPPED)


def parts(project: Project) -> tuple[Part, Part]:
    """Return the engine (CLI and Python language host) and the plugin. In this order they share most compiled code."""
    engine = project.root / "engine"
    return Part("engine", engine / "cli", _build_engine), Part("alicloud", engine / "provider", _build_plugin)


def _build_engine(module: Path, go: Go, stage: Stage, out: Path) -> None:
    # Without its version the CLI prints an empty one, and the automation API refuses it.
    link = f"{STRIPPED} -X {SDK}/go/common/version.Version=v{required(module, PULUMI)}"
    for program, package in (
        ("pulumi", f"{PULUMI}/cmd/pulumi"),
        ("pulumi-language-python", "./pulumi-language-python"),
    ):
        go.run(stage, module, "build", "-v", *FLAGS, "-ldflags", link, "-o", str(out / program), package)
    sdk = Path(go.run(stage, module, "list", "-m", "-f", "{{.Dir}}", SDK).strip()) / "python"
    for script in (sdk / "cmd" / "pulumi-language-python-exec", sdk / "dist" / "pulumi-resource-pulumi-python"):
        shutil.copyfile(script, out / script.name)
        (out / script.name).chmod(0o755)


def _build_plugin(module: Path, go: Go, stage: Stage, out: Path) -> None:
    modfile = trim_upstream(module, go, stage, out.parent / "source")
    arguments = ("-modfile", str(modfile), "-ldflags", STRIPPED, "-o", str(out / PLUGIN), ".")
    go.run(stage, module, "build", "-v", *FLAGS, *arguments)


def trim_upstream(module: Path, go: Go, stage: Stage, out: Path) -> Path:
    """Write the part of the upstream provider that the table needs below `out`; return a go.mod that builds with it."""
    out.mkdir()
    go.run(stage, module, "mod", "download", UPSTREAM)
    upstream = go.run(stage, module, "list", "-m", "-f", "{{.Dir}}", UPSTREAM).strip()
    go.run(stage, module, "run", "./trim", upstream, str(out / "upstream"))
    modfile = out / "trimmed.mod"
    shutil.copyfile(module / "go.mod", modfile)
    shutil.copyfile(module / "go.sum", modfile.with_suffix(".sum"))
    go.run(stage, module, "mod", "edit", f"-replace={UPSTREAM}={out / 'upstream'}", str(modfile))
    return modfile


def _remove_leftovers(cache: Path) -> None:
    """Remove builds that were cut off, and those that no checkout has used for a long time."""
    for folder in cache.glob("[!.]*-go*"):
        if time.time() - folder.stat().st_mtime > UNUSED_S:
            shutil.rmtree(folder)
    for folder in cache.glob(".building-*"):
        shutil.rmtree(folder)


@contextmanager
def _only_build(cache: Path, stage: Stage) -> Iterator[None]:
    """Let one build at a time into the cache; the lock goes with its process, however that ends."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        stage.hint = "waiting for another build"
        fcntl.flock(lock, fcntl.LOCK_EX)
        stage.hint = ""
        yield
