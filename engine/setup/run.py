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
    return told("make setup", project.log, lambda: set_up(project))


def set_up(project: Project) -> None:
    """Go through all stages. Raises SetupError at the first that cannot be done."""
    with _alone(project) as lock:
        console = Console(project.log, held=(lock,))
        found = pulumi.find(project)
        console.run("virtualenv", lambda stage: virtualenv.install(project, stage))
        pulumi.install(project, found, console)
        console.run("shell", lambda _: activation.prepare(project))


@contextmanager
def _alone(project: Project) -> Iterator[int]:
    """Let one set-up at a time into this checkout; yield the descriptor of the lock.

    The lock goes when every process that holds the descriptor has ended, however: this one, and its commands.
    """
    project.data.mkdir(exist_ok=True)
    with (project.data / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stdout.write(
                "another `make setup` is at work in this checkout, or a command that it had started; waiting\n"
            )
            sys.stdout.flush()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()
