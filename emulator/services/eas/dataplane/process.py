"""One operating-system process group, from its start to the end of its last process."""

import asyncio
import contextlib
import os
import signal
import subprocess
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


def end_leftover(pid: int, started: float) -> bool:
    """Kills the group of a process that an earlier emulator started; whether it was still there.

    The start time tells it from a later process that got the same pid.
    """
    try:
        process = psutil.Process(pid)
        if abs(process.create_time() - started) > 0.01:
            return False
    except psutil.NoSuchProcess:
        return False
    _kill_group(pid)
    with contextlib.suppress(psutil.NoSuchProcess):
        process.wait(timeout=10)
    return True


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
