"""One stack of the project, driven through the `pulumi` command."""

import json
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from engine.environment import ROOT
from jobs.problem import JobError

PROJECT = "paistack"

# What Pulumi complains of when it reads a state that another run is just writing to a folder.
_HALF_WRITTEN = ("EOF", "unexpected end of JSON input")
_READ_TRIES, _READ_AGAIN_S = 5, 0.2

# What Pulumi keeps in a stack's file about its encryption.
_ENCRYPTION = re.compile(r"^(encryptionsalt|encryptedkey|secretsprovider):.*$", re.MULTILINE)


@dataclass(frozen=True)
class PulumiStack:
    """A stack by name, with the environment and the configuration file that it runs with: `settings`, the one that a
    person edits, or a copy of it."""

    name: str
    settings: Path
    config_file: Path
    environment: Mapping[str, str]

    @classmethod
    def open(cls, name: str, settings: Path, environment: Mapping[str, str], *, copies: Path) -> Self:
        """The stack with the settings in that file, created in the backend when it is not there yet.

        Pulumi writes the salt of its encryption into a stack's file when it first uses it. The project's files stay as
        they are under version control: as long as one has no salt, a copy in `copies` that has one is used.
        Raises JobError without an engine.
        """
        if shutil.which("pulumi", path=environment["PATH"]) is None:
            raise JobError("there is no `pulumi` on the PATH or in .venv/bin: run `make setup`")
        salted = bool(_ENCRYPTION.search(settings.read_text()))
        stack = cls(name, settings, settings if salted else copies / f"Pulumi.{name}.yaml", environment)
        stack.read_settings()
        stack._create_if_missing(ROOT if salted else copies)
        return stack

    def read_settings(self) -> None:
        """Has the next command run with what `settings` holds now."""
        if self.config_file != self.settings:
            _salted_copy(self.settings, self.config_file)

    def run(self, command: str, *arguments: str) -> int:
        """Runs `pulumi COMMAND` on the stack in this terminal; its exit status."""
        started = [*self._command(command), *arguments]
        finished = subprocess.run(  # noqa: S603 the arguments are the caller's own
            started, cwd=ROOT, env=self.environment, check=False
        )
        return finished.returncode

    def capture(self, command: str, *arguments: str) -> str:
        """What `pulumi COMMAND` prints for programs; JobError with its complaints when it fails."""
        return self._capture([*self._command(command), *arguments], ROOT)

    def export_state(self) -> dict[str, Any]:
        """The stack's state."""
        state: dict[str, Any] = json.loads(self._read(["pulumi", "stack", "export", "--stack", self.name]))
        return state

    def import_state(self, path: Path) -> None:
        """Makes the state in a file the stack's own."""
        self._capture(["pulumi", "stack", "import", "--stack", self.name, "--file", str(path)], ROOT)

    def cancel(self) -> None:
        """Removes the lock of an update; the caller knows that nobody runs one."""
        self._capture(["pulumi", "cancel", self.name, "--yes"], ROOT)

    def last_result(self) -> str | None:
        """How the last finished update ended: succeeded or failed; None before the first."""
        history = ["pulumi", "stack", "history", "--json", "--page-size", "1", "--stack", self.name]
        updates = json.loads(self._read(history))
        return updates[0]["result"] if updates else None

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secrets in clear text."""
        output = ["pulumi", "stack", "output", "--json", "--show-secrets", "--stack", self.name]
        outputs: dict[str, Any] = json.loads(self._read(output))
        return outputs

    def _command(self, command: str) -> list[str]:
        return ["pulumi", command, "--stack", self.name, "--config-file", str(self.config_file)]

    def _create_if_missing(self, folder: Path) -> None:
        """`folder` is where Pulumi writes the salt to, beside a Pulumi.yaml."""
        there = json.loads(self._read(["pulumi", "stack", "ls", "--json", "--project", PROJECT]))
        if self.name in {stack["name"].rpartition("/")[2] for stack in there}:
            return
        if folder != ROOT:
            (folder / "Pulumi.yaml").write_text(f"name: {PROJECT}\nruntime: python\n")
        self._capture(["pulumi", "stack", "init", self.name, "--no-select"], folder)

    def _read(self, command: list[str]) -> str:
        """What a command that only reads prints, also while another run writes the state, or was killed when it did."""
        for _ in range(_READ_TRIES):
            try:
                return self._capture(command, ROOT)
            except JobError as error:
                if not str(error).endswith(_HALF_WRITTEN):
                    raise
                time.sleep(_READ_AGAIN_S)
        self._remove_empty_sidecars()
        return self._capture(command, ROOT)

    def _remove_empty_sidecars(self) -> None:
        """Pulumi keeps the content type of each file in a folder beside it, and does not write that as a whole: a run
        that is killed at that moment leaves an empty one, with which no command reads the state any more."""
        backend = urlsplit(self.environment.get("PULUMI_BACKEND_URL", ""))
        if backend.scheme == "file":
            for sidecar in (Path(unquote(backend.path)) / ".pulumi").rglob("*.attrs"):
                if sidecar.stat().st_size == 0:
                    sidecar.unlink()

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


def _salted_copy(settings: Path, copy: Path) -> None:
    salt = _ENCRYPTION.search(copy.read_text()) if copy.exists() else None
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(settings.read_text() + (f"{salt.group()}\n" if salt else ""))
