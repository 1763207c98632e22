"""The stages in their order, under one lock."""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from engine.environment import ROOT
from engine.setup import activation, pulumi, virtualenv
from engine.setup.console import Console, told
from engine.setup.project import Project


def main() -> int:
    """Set the checkout up; return the exit status."""
    project = Project.at(ROOT)
    with _alone(project):
        return told("make setup", project.log, lambda: set_up(project, Console(project.log)))


def set_up(project: Project, console: Console) -> None:
    """Go through all stages. Raises SetupError at the first that cannot be done."""
    found = pulumi.find(project)
    console.run("virtualenv", lambda stage: virtualenv.install(project, stage))
    pulumi.install(project, found, console)
    console.run("shell", lambda _: activation.prepare(project))


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    """Let one set-up at a time into this checkout; the lock goes with its process, however that ends."""
    project.data.mkdir(exist_ok=True)
    with (project.data / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stdout.write("another `make setup` is at work in this checkout; waiting for it\n")
            sys.stdout.flush()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
