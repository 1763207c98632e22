"""One run of an instance, from its start to its stop."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emulator.errors import ApiError
from emulator.processes.command import Command
from emulator.processes.output import OutputLog
from emulator.processes.places import relocated
from emulator.processes.ports import free_port, is_free
from emulator.services.dsw.parameters import WholeSettings
from emulator.services.dsw.records import Instance
from emulator.services.dsw.runtime.mounts import Mount, Mounts
from emulator.services.dsw.runtime.notebook import (
    SEARCH_PATH,
    find_jupyter,
    jupyter_command,
    listening,
    serve_missing,
)
from emulator.services.dsw.runtime.paths import HOME, WORKSPACE
from emulator.services.dsw.runtime.processes import MARK

if TYPE_CHECKING:
    from emulator.services.dsw.state import DswState

SYNC_S = 1.0
NOTEBOOK_STARTS_WITHIN_S = 120.0


class SessionError(Exception):
    """Why an instance failed: `code` and the message are its ReasonCode and ReasonMessage."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Session:
    """Runs `instance` as it was when it was started: what is changed later holds from the next start on."""

    def __init__(self, state: "DswState", instance: Instance, home: Path) -> None:
        self._state, self._id, self._home = state, instance.id, home
        self._settings = WholeSettings.model_validate(instance.settings)
        self._token = instance.token
        self._port = instance.port
        self._logs = {name: OutputLog(home / "logs" / name, state.now) for name in ("start-command", "notebook")}
        self._mounts = Mounts(self._mounted(), state.oss, home / "mounts", state.file_systems)
        self._open = False
        self._sync_problem = ""
        self._placeholder: asyncio.Server | None = None

    @property
    def home_directory(self) -> Path:
        """The container's own file system, as far as there is one here."""
        return self._home / "root"

    async def run(self) -> None:
        """Starts everything and keeps the mounts live; ends only with SessionError."""
        self._state.set_status(self._id, "ResourceAllocating")
        self._allocate()
        self._state.set_status(self._id, "EnvPreparing")
        await self._prepare()
        self._state.set_status(self._id, "Starting")
        command = self._start_command()
        notebook = await self._start_notebook()
        self._state.set_status(self._id, "Running")
        while True:
            await _first_of(command, notebook, timeout_s=SYNC_S)
            if command is not None and command.done():
                self._tell_end(command.result())
                command = None
            if notebook is not None and notebook.done():
                raise SessionError("NotebookExited", f"JupyterLab exited with code {notebook.result()}")
            await self.sync()

    async def sync(self, *, final: bool = False) -> None:
        """Brings mounts and buckets together; what cannot be is told in an event, once."""
        if not self._open:
            return
        try:
            await self._mounts.sync(self._state.now(), final=final)
        except (ApiError, ValueError, OSError) as error:
            if str(error) != self._sync_problem:
                self._sync_problem = str(error)
                self._state.record(self._id, f"A mount cannot be kept up to date: {error}", level="Warning")
        else:
            self._sync_problem = ""

    async def end(self, grace_s: float) -> None:
        """Ends every process, then puts into the buckets what is not there yet."""
        await self._state.processes.end(self._id, grace_s)
        if self._placeholder is not None:
            self._placeholder.close()
        await self.sync(final=True)
        for log in self._logs.values():
            log.end()

    def _mounted(self) -> list[Mount]:
        return [
            Mount(dataset.mount_path, self._state.mount_source(dataset), dataset.read_only)
            for dataset in self._settings.datasets or []
        ]

    def _allocate(self) -> None:
        if not self._port or not is_free(self._port):
            self._port = free_port()
            self._state.set_port(self._id, self._port)
        for directory in ("workspace", "tmp"):
            (self._home / directory).mkdir(parents=True, exist_ok=True)

    async def _prepare(self) -> None:
        asked = self._settings.requested_resource
        if asked is not None and asked.memory.isdigit():
            # Seen on the cloud: taken without its unit, told only by an instance that fails without a reason.
            raise SessionError("", "")
        image = self._state.image_url(self._settings)
        if not self.home_directory.exists():
            await asyncio.to_thread(self._state.images.unpack, image, self.home_directory)
        try:
            await self._mounts.open(self._state.now())
        except (ApiError, ValueError) as error:
            raise SessionError("FailedMount", str(error)) from None
        self._open = True

    def _start_command(self) -> asyncio.Future[int] | None:
        """Runs `UserCommand.OnStart.Content` with sh, at every start. The instance does not wait for its end, and runs
        on when it fails: what the cloud does then is documented nowhere."""
        content = self._settings.start_command
        if not content.strip():
            return None
        script = self._home / "start.sh"
        script.touch(mode=0o600)
        script.write_text(relocated(content, self._places()))
        self._state.record(self._id, "Started the start command")
        return self._start(["sh", str(script)], "start-command", {})

    async def _start_notebook(self) -> asyncio.Future[int] | None:
        executable = find_jupyter()
        if executable is None:
            self._placeholder = await serve_missing(self._port)
            return None
        argv = jupyter_command(executable, self._port, self._working_directory())
        notebook = self._start(argv, "notebook", {"JUPYTER_TOKEN": self._token})
        ready = asyncio.create_task(listening(self._port))
        await _first_of(notebook, ready, timeout_s=NOTEBOOK_STARTS_WITHIN_S)
        ready.cancel()
        if notebook.done():
            raise SessionError("NotebookExited", f"JupyterLab exited with code {notebook.result()}")
        if not ready.done():
            raise SessionError("NotebookNotReady", f"JupyterLab did not listen within {NOTEBOOK_STARTS_WITHIN_S:g} s")
        return notebook

    def _start(self, argv: list[str], log: str, further: dict[str, str]) -> asyncio.Future[int]:
        output = self._logs[log].begin()
        try:
            return Command.start(argv, self._environment() | further, self._working_directory(), output).exited
        except OSError as error:
            raise SessionError("FailedToStart", f"{argv[0]} cannot be started: {error.strerror}") from None
        finally:
            os.close(output)

    def _environment(self) -> dict[str, str]:
        """What the instance declares, on a minimal base; nothing of the emulator's own environment."""
        base = {
            "PATH": SEARCH_PATH,
            "HOME": str(self.home_directory),
            "TMPDIR": str(self._home / "tmp"),
            "LANG": "C.UTF-8",
        }
        places = self._places()
        declared = self._settings.environment_variables or {}
        return base | {name: relocated(value, places) for name, value in declared.items()} | {MARK: self._id}

    def _places(self) -> dict[str, Path]:
        return {WORKSPACE: self._home / "workspace", HOME: self.home_directory, **self._mounts.places}

    def _working_directory(self) -> Path:
        dataset = self._settings.working_dataset()
        return self._mounts.places[dataset.mount_path] if dataset else self._home / "workspace"

    def _tell_end(self, code: int) -> None:
        ended = f"was ended by signal {-code}" if code < 0 else f"exited with code {code}"
        self._state.record(self._id, f"The start command {ended}", level="Warning" if code else "Normal")


async def _first_of(*futures: asyncio.Future[Any] | None, timeout_s: float) -> None:
    """Returns when the first of them is done, or the time is over; those that are None never are."""
    waited = [future for future in futures if future is not None]
    if waited:
        await asyncio.wait(waited, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    else:
        await asyncio.sleep(timeout_s)
