"""The stages in their order, under one lock."""

import fcntl
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from engine.environment import ROOT
from engine.setup import activation, pulumi, virtualenv
from engine.setup.console import Console
from engine.setup.project import Project, SetupError


def main() -> int:
    """Set the checkout up; return the exit status. Errors are told in one paragraph, with the log's name."""
    project = Project.at(ROOT)
    try:
        with _alone(project):
            project.log.unlink(missing_ok=True)
            console = Console(project.log)
            console.run("virtualenv", lambda stage: virtualenv.install(project, stage))
            pulumi.install(project, console)
            console.run("shell", lambda _: activation.prepare(project))
    except SetupError as error:
        whole = f" The whole output is in {project.log}." if project.log.exists() else ""
        sys.stderr.write(f"make setup: {error}{whole}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("\nmake setup: interrupted. What is done is kept; run it again to go on.\n")
        return 130
    return 0


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
