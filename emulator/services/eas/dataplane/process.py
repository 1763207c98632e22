"""One operating-system process group, from its start to the end of its last process."""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

import psutil
from typing_extensions import override

from emulator.processes.command import Command


class Process(Command):
    """A running command whose whole process group ends with it.

    `started` is the start time that the kernel recorded: together with the pid it names the process for as long as
    the machine runs.
    """

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        super().__init__(popen)
        self.started = psutil.Process(popen.pid).create_time()

    def terminate(self) -> None:
        """SIGTERM to the main process, as EAS sends it."""
        if not self.exited.done():
            os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL to the whole group."""
        if not self.exited.done():
            _kill_group(self.pid)

    @override
    def _reap(self) -> None:
        # The leader is not yet waited for, so the group's number cannot have been given to another one.
        _kill_group(self.pid)
        super()._reap()


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
