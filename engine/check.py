"""Checks the Go code and what is generated from it (part of `make check`). Changes nothing that git tracks."""

import shutil
import sys

from engine import schema
from engine.environment import ROOT
from engine.setup.build import FLAGS
from engine.setup.console import Console, Stage, told
from engine.setup.go import Go
from engine.setup.project import Project, SetupError, digest, write_atomically

CLI = ROOT / "engine" / "cli"
MODULES = (CLI, schema.PROVIDER)
# What needs no upstream source: that is a hundred times as much code, and the build of the plugin checks the rest.
PACKAGES = {CLI: ("./...",), schema.PROVIDER: ("./table", "./trim")}


def check(project: Project, stage: Stage) -> str:
    """Format, vet and test both modules, and generate the schema anew to compare. Raises SetupError."""
    agreement = schema.check_sdk(schema.SCHEMA.read_text())
    if shutil.which("go") is None:
        return f"{agreement}; Go code not checked: there is no Go"
    key = digest(ROOT, (p for m in MODULES for p in m.rglob("*") if p.is_file()))
    stamp = project.engine / "checked"
    if stamp.is_file() and stamp.read_text() == key:
        return f"{agreement}; Go code unchanged since it was found good"
    for module in MODULES:
        go = Go.find(module)
        if ugly := stage.run(["gofmt", "-l", "."], cwd=module).split():
            raise SetupError(f"not formatted: {', '.join(ugly)} in {module}; run `gofmt -w .` there")
        for command in ("vet", "test"):
            go.run(stage, module, command, *FLAGS, *PACKAGES[module])
    if schema.generate(project, go, stage) != schema.SCHEMA.read_text():
        raise SetupError(f"{schema.SCHEMA} is not what its sources give; run `make engine-schema` and commit it")
    write_atomically(stamp, key)
    return f"{agreement}; Go code formatted, vetted, tested; schema up to date"


def main() -> int:
    project = Project.at(ROOT)
    log = project.data / "check.log"
    return told("make check", log, lambda: Console(log).run("engine", lambda stage: check(project, stage)))


if __name__ == "__main__":
    sys.exit(main())
