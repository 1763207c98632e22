"""Builds the Pulumi engine and the alicloud plugin from pinned Go modules into the user's cache."""

import fcntl
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from engine.setup.console import Stage
from engine.setup.project import Project, SetupError, digest

PLUGIN_VERSION = "4.0.0"  # the plugin that pulumi_alicloud 4.0.0 asks for
PLUGIN = "pulumi-resource-alicloud"
PROGRAMS = ("pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python")
UPSTREAM = "github.com/aliyun/terraform-provider-alicloud"
PULUMI = "github.com/pulumi/pulumi/pkg/v3"
SDK = "github.com/pulumi/pulumi/sdk/v3"
# Static and without debugging information: a third smaller. The collector's setting trades memory for time.
BUILD = ("build", "-v", "-trimpath", "-buildvcs=false")
ENVIRONMENT = {"CGO_ENABLED": "0", "GOGC": "400", "GOWORK": "off"}


@dataclass(frozen=True)
class Go:
    """A Go that can build the modules."""

    path: str
    version: str

    @classmethod
    def find(cls, module: Path) -> "Go":
        """Find a Go that accepts the module's `go` line. Raises SetupError that says why what is there is not one."""
        path = shutil.which("go")
        wanted = required(module / "go.mod", "go")
        if path is None:
            raise SetupError(f"there is no Go; {wanted} or newer is needed")
        stage = Stage("go", Path(os.devnull))
        try:
            # Asked inside the module: a Go with toolchain switching answers with the one it would switch to.
            version = stage.run([path, "env", "GOVERSION"], cwd=module, env={**os.environ, **ENVIRONMENT})
        except SetupError as error:
            raise SetupError(f"the Go at {path} is not usable ({error}); {wanted} or newer is needed") from error
        return cls(path, version.strip())


@dataclass(frozen=True)
class Part:
    """One of the two things that are built: a Go module, and the function that builds it into a folder."""

    name: str
    module: Path
    make: Callable[["Part", Go, Stage, Path], None]

    def key(self) -> str:
        sources = [p for p in self.module.rglob("*") if p.is_file() and not p.name.endswith("_test.go")]
        return f"{self.name}-{digest(self.module, sources, platform.system(), platform.machine(), *BUILD)}"

    def built(self, cache: Path) -> Path | None:
        """Return the folder of an earlier build from these sources, by whichever Go."""
        return next(iter(sorted(cache.glob(f"{self.key()}-go*"), reverse=True)), None)

    def build(self, cache: Path, stage: Stage) -> Path:
        """Build into the cache, unless that has been done, and return the folder."""
        with _locked(cache, stage):
            if done := self.built(cache):
                return done
            go = Go.find(self.module)
            for leftover in cache.glob(".building-*"):
                shutil.rmtree(leftover, ignore_errors=True)
            work = Path(tempfile.mkdtemp(prefix=".building-", dir=cache))
            out = work / "out"
            out.mkdir()
            self.make(self, go, stage, out)
            final = cache / f"{self.key()}-{go.version}"
            out.rename(final)
            shutil.rmtree(work)
            return final


def parts(project: Project) -> tuple[Part, Part]:
    """Return the engine (CLI and Python language host) and the plugin, in the order in which they share most work."""
    engine = project.root / "engine"
    return Part("engine", engine / "cli", _make_engine), Part("alicloud", engine / "provider", _make_plugin)


def required(go_mod: Path, name: str) -> str:
    """Return the version that a go.mod names for a module, or for `go` itself."""
    found = re.search(rf"^\s*(?:require )?{re.escape(name)} v?(\S+)", go_mod.read_text(), re.MULTILINE)
    if found is None:
        raise SetupError(f"{go_mod} does not name {name}")
    return found[1]


def _make_engine(part: Part, go: Go, stage: Stage, out: Path) -> None:
    version = required(part.module / "go.mod", PULUMI)
    # Without the version the CLI prints an empty one, and the automation API refuses it.
    flags = f"-s -w -X {SDK}/go/common/version.Version=v{version}"
    _go(go, stage, part.module, [*BUILD, "-ldflags", flags, "-o", str(out / "pulumi"), f"{PULUMI}/cmd/pulumi"])
    host = "pulumi-language-python"
    _go(go, stage, part.module, [*BUILD, "-ldflags", flags, "-o", str(out / host), f"./{host}"])
    sdk = Path(_go(go, stage, part.module, ["list", "-m", "-f", "{{.Dir}}", SDK]).strip()) / "python"
    for script in (sdk / "cmd" / "pulumi-language-python-exec", sdk / "dist" / "pulumi-resource-pulumi-python"):
        shutil.copyfile(script, out / script.name)
        (out / script.name).chmod(0o755)


def _make_plugin(part: Part, go: Go, stage: Stage, out: Path) -> None:
    modfile = trim_upstream(part.module, go, stage, out / "source")
    _go(go, stage, part.module, [*BUILD, "-modfile", str(modfile), "-ldflags", "-s -w", "-o", str(out / PLUGIN), "."])


def trim_upstream(module: Path, go: Go, stage: Stage, out: Path) -> Path:
    """Write the upstream provider's trimmed source below `out`; return a go.mod that builds with it."""
    out.mkdir(parents=True)
    _go(go, stage, module, ["mod", "download", UPSTREAM])
    upstream = _go(go, stage, module, ["list", "-m", "-f", "{{.Dir}}", UPSTREAM]).strip()
    _go(go, stage, module, ["run", "./trim", upstream, str(out / "upstream")])
    modfile = out / "trimmed.mod"
    shutil.copyfile(module / "go.mod", modfile)
    shutil.copyfile(module / "go.sum", modfile.with_suffix(".sum"))
    _go(go, stage, module, ["mod", "edit", f"-replace={UPSTREAM}={out / 'upstream'}", str(modfile)])
    return modfile


def _go(go: Go, stage: Stage, module: Path, arguments: list[str]) -> str:
    env = {**os.environ, **ENVIRONMENT}
    return stage.run([go.path, *arguments], cwd=module, env=env, hint=_Counts())


class _Counts:
    """Makes the sign of life of a Go build: how many modules were fetched and packages compiled so far."""

    def __init__(self) -> None:
        self.modules = self.packages = 0

    def __call__(self, line: str) -> str:
        if line.startswith("go: downloading"):
            self.modules += 1
        else:
            self.packages += 1
        return f"{self.modules} modules downloaded, {self.packages} packages compiled"


@contextmanager
def _locked(cache: Path, stage: Stage) -> Iterator[None]:
    """Let one build at a time into the cache; the lock goes with its process, however that ends."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        stage.hint = "waiting for another build in this cache"
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
