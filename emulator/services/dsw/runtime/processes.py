"""The processes of instances: found by a variable that each of them inherits, and ended together.

A start command may leave processes in the background, in sessions of their own, as it may in a container. What marks
them all is `DSW_INSTANCE_ID`, which DSW itself sets (Alibaba Cloud's pai-python-sdk reads it, pai/dsw.py).
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

MARK = "DSW_INSTANCE_ID"
# A process that is just being started still shows the environment of who starts it.
SETTLED_AFTER_S = 2.0
POLL_S = 0.05

Trees = Mapping[str, Sequence[psutil.Process]]


class ProcessTable:
    """Tells which processes belong to which instance. May be used from several threads."""

    def __init__(self) -> None:
        self._owners: dict[tuple[int, float], str] = {}

    def trees(self) -> Trees:
        """The running processes of every instance, by its id."""
        found: dict[str, list[psutil.Process]] = defaultdict(list)
        owners: dict[tuple[int, float], str] = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                key = (process.pid, process.create_time())
                owner = self._owners.get(key)
                if owner is None:
                    owner = process.environ().get(MARK, "")
                if owner or time.time() - key[1] > SETTLED_AFTER_S:
                    owners[key] = owner
                if owner:
                    found[owner].append(process)
        self._owners = owners
        return found

    async def end(self, instance_id: str, grace_s: float) -> None:
        """SIGTERM to every process of an instance, and SIGKILL to those that are still there after `grace_s`."""
        deadline = time.monotonic() + grace_s
        told: set[psutil.Process] = set()
        while processes := (await asyncio.to_thread(self.trees)).get(instance_id):
            late = time.monotonic() >= deadline
            for process in processes:
                if late or process not in told:
                    told.add(process)
                    with contextlib.suppress(psutil.NoSuchProcess):
                        process.send_signal(signal.SIGKILL if late else signal.SIGTERM)
            await asyncio.sleep(POLL_S)


class Command:
    """A command that was started for an instance. `exited` is done with its exit code (negative: the signal), whatever
    it left running."""

    def __init__(self, popen: "subprocess.Popen[bytes]") -> None:
        self._popen = popen
        self._loop = asyncio.get_running_loop()
        self.exited: asyncio.Future[int] = self._loop.create_future()
        self._pidfd = os.pidfd_open(popen.pid)
        self._loop.add_reader(self._pidfd, self._reap)

    @classmethod
    def start(cls, argv: Sequence[str], env: Mapping[str, str], directory: Path, output: int) -> "Command":
        """Starts `argv` in `directory` with exactly `env`; `output` is the descriptor for stdout and stderr.

        OSError when there is no such command, or it may not be run.
        """
        popen = subprocess.Popen(  # noqa: S603 - running the user's own command is what an instance is for
            list(argv),
            env=dict(env),
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        return cls(popen)

    def _reap(self) -> None:
        self._loop.remove_reader(self._pidfd)
        os.close(self._pidfd)
        self.exited.set_result(self._popen.wait())


class CpuMeter:
    """How much CPU time the processes of one instance used between two measurements."""

    def __init__(self) -> None:
        self._used: dict[tuple[int, float], float] = {}
        self._at = time.monotonic()

    def percent(self, processes: Sequence[psutil.Process], vcpus: int) -> float:
        """Since the last time, in percent of `vcpus`, or of this machine's when it has fewer."""
        used: dict[tuple[int, float], float] = {}
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                times = process.cpu_times()
                used[process.pid, process.create_time()] = times.user + times.system
        spent_s = sum(seconds - self._used.get(key, 0.0) for key, seconds in used.items())
        now = time.monotonic()
        available_s = (now - self._at) * min(vcpus, os.cpu_count() or 1)
        self._used, self._at = used, now
        return min(100.0, 100 * spent_s / available_s) if available_s > 0 else 0.0


def memory_bytes(processes: Sequence[psutil.Process]) -> int:
    """What they have in memory together; shared pages count for each."""
    total = 0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            total += process.memory_info().rss
    return total
