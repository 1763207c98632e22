"""One operating-system process group, from its start to the end of its last process."""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil


class Process:
    """A running command, leader of its own session and process group.

    `started` is the start time that the kernel recorded: together with the pid it names the process for as long as
    the machine runs. `exited` is done with the exit code (negative: the signal) when the whole group is gone.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        self._popen = popen
        self._loop = asyncio.get_running_loop()
        self.pid = popen.pid
        self.started = psutil.Process(popen.pid).create_time()
        self.exited: asyncio.Future[int] = self._loop.create_future()
        self._pidfd = os.pidfd_open(popen.pid)
        self._loop.add_reader(self._pidfd, self._reap)

    @classmethod
    def start(cls, argv: Sequence[str], env: Mapping[str, str], directory: Path, output: int) -> "Process":
        """Starts `argv` in `directory` with exactly `env`; `output` is the descriptor for stdout and stderr.

        OSError when there is no such command, or it may not be run.
        """
        popen = subprocess.Popen(  # noqa: S603 - running the service's own command is what an instance is
            list(argv),
            env=dict(env),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        return cls(popen)

    def terminate(self) -> None:
        """SIGTERM to the main process, as EAS sends it."""
        if not self.exited.done():
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the whole group."""
        if not self.exited.done():
            _kill_group(self.pid)

    def _reap(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        # The leader is not yet waited for, so the group's number cannot have been given to another one.
        _kill_group(self.pid)
        self.exited.set_result(self._popen.wait())


def end_leftovers(directory: Path) -> int:
    """Ends the processes of instances under `directory` that an earlier emulator left; how many groups there were.

    They are known by the HOME or the TMPDIR that every instance is started with. A record of their pids would miss one
    that was started just before the emulator was killed.
    """
    leaders = {group for process in psutil.process_iter() if (group := _group_under(process, directory)) is not None}
    for group in leaders:
        _kill_group(group)
    gone_by = time.monotonic() + 10
    while any(psutil.pid_exists(group) and _is_running(group) for group in leaders):
        if time.monotonic() > gone_by:
            raise TimeoutError(f"the processes {sorted(leaders)} of an earlier emulator do not end")
        time.sleep(0.01)
    return len(leaders)


def _group_under(process: psutil.Process, directory: Path) -> int | None:
    """The process group of an instance's process; None for every other process."""
    try:
        environment = process.environ()
        homes = (environment.get(name, "") for name in ("HOME", "TMPDIR"))
        return os.getpgid(process.pid) if any(Path(home).is_relative_to(directory) for home in homes) else None
    except (psutil.Error, ProcessLookupError):
        return None


def _is_running(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
