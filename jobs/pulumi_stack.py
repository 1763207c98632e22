"""One stack of the project, driven through the `pulumi` command."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from jobs.problem import JobError
from stacks.config import STACKS

PROJECT = "paistack"

# What Pulumi keeps in a stack's file about its encryption.
_ENCRYPTION = re.compile(r"^(encryptionsalt|encryptedkey|secretsprovider):.*$", re.MULTILINE)


@dataclass(frozen=True)
class PulumiStack:
    """A stack by name, with the environment and the configuration file that it runs with."""

    name: str
    root: Path
    config_file: Path
    environment: Mapping[str, str]

    @classmethod
    def open(cls, name: str, root: Path, environment: Mapping[str, str]) -> Self:
        """The stack, created in the backend when it is not there yet; JobError without an engine.

        Pulumi writes the salt of its encryption into a stack's file when it first uses it. The project's files stay as
        they are under version control: as long as they have no salt, a copy that has one is used.
        """
        if shutil.which("pulumi", path=environment["PATH"]) is None:
            raise JobError("there is no `pulumi` on the PATH or in .venv/bin: run `make setup`")
        written = STACKS / f"Pulumi.{name}.yaml"
        if _ENCRYPTION.search(written.read_text()):
            stack = cls(name, root, written, environment)
        else:
            stack = cls(name, root, _salted_copy(written, root / ".paistack" / "stacks"), environment)
        stack._create_if_missing()
        return stack

    def run(self, command: str, *arguments: str) -> int:
        """Runs `pulumi COMMAND` on the stack in this terminal; its exit status."""
        started = [*self._command(command), *arguments]
        finished = subprocess.run(  # noqa: S603 the arguments are the caller's own
            started, cwd=self.root, env=self.environment, check=False
        )
        return finished.returncode

    def capture(self, command: str, *arguments: str) -> str:
        """What `pulumi COMMAND` prints for programs; JobError with its complaints when it fails."""
        return self._capture([*self._command(command), *arguments], self.root)

    def export_state(self) -> dict[str, Any]:
        """The stack's state."""
        state: dict[str, Any] = json.loads(
            self._capture(["pulumi", "stack", "export", "--stack", self.name], self.root)
        )
        return state

    def import_state(self, path: Path) -> None:
        """Makes the state in a file the stack's own."""
        self._capture(["pulumi", "stack", "import", "--stack", self.name, "--file", str(path)], self.root)

    def cancel(self) -> None:
        """Removes the lock of an update; the caller knows that nobody runs one."""
        self._capture(["pulumi", "cancel", self.name, "--yes"], self.root)

    def last_result(self) -> str | None:
        """How the last finished update ended: succeeded or failed; None before the first."""
        history = ["pulumi", "stack", "history", "--json", "--page-size", "1", "--stack", self.name]
        updates = json.loads(self._capture(history, self.root))
        return updates[0]["result"] if updates else None

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets in clear text."""
        output = ["pulumi", "stack", "output", "--json", "--show-secrets", "--stack", self.name]
        outputs: dict[str, Any] = json.loads(self._capture(output, self.root))
        return outputs

    def _command(self, command: str) -> list[str]:
        return ["pulumi", command, "--stack", self.name, "--config-file", str(self.config_file)]

    def _create_if_missing(self) -> None:
        there = json.loads(self._capture(["pulumi", "stack", "ls", "--json", "--project", PROJECT], self.root))
        if self.name in {stack["name"].rpartition("/")[2] for stack in there}:
            return
        # In the folder of the configuration file, which is where the salt is written to.
        folder = self.root if self.config_file.parent == STACKS else self.config_file.parent
        if folder != self.root:
            (folder / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
        self._capture(["pulumi", "stack", "init", self.name, "--no-select"], folder)

    def _capture(self, command: list[str], folder: Path) -> str:
        finished = subprocess.run(  # noqa: S603 written in this package
            [*command, "--non-interactive"],
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if finished.returncode:
            complaint = finished.stderr.strip() or finished.stdout.strip()
            raise JobError(f"`{' '.join(command[:3])}` failed: {complaint}")
        return finished.stdout


def _salted_copy(written: Path, folder: Path) -> Path:
    copy = folder / written.name
    salt = _ENCRYPTION.search(copy.read_text()) if copy.exists() else None
    folder.mkdir(parents=True, exist_ok=True)
    copy.write_text(written.read_text() + (f"{salt.group()}\n" if salt else ""))
    return copy
