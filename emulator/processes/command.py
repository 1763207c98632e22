"""A command that somebody declared, as a process of this machine."""

import asyncio
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self


class Command:
    """A running command, leader of its own session and process group.

    `exited` is done with its exit code (negative: the signal), whatever it left running.
    """

    def __init__(self, popen: "subprocess.Popen[bytes]") -> None:
        self._popen = popen
        self._loop = asyncio.get_running_loop()
        self.pid = popen.pid
        self.exited: asyncio.Future[int] = self._loop.create_future()
        self._pidfd = os.pidfd_open(popen.pid)
        self._loop.add_reader(self._pidfd, self._reap)

    @classmethod
    def start(cls, argv: Sequence[str], env: Mapping[str, str], directory: Path, output: int) -> Self:
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
