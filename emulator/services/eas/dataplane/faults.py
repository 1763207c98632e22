"""Faults that an instance suffers on purpose."""

import asyncio
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from emulator.services.eas.dataplane.process import Process

# Each ends by itself when the emulator does.
BURN = """
import os, sys, time
share, parent = float(sys.argv[1]) / 100, os.getppid()
while os.getppid() == parent:
    began = time.monotonic()
    while time.monotonic() - began < share / 10:
        pass
    time.sleep((1 - share) / 10)
"""
HOLD = """
import os, sys, time
parent, size = os.getppid(), int(sys.argv[1])
held = bytearray(size)
held[::4096] = b"x" * len(range(0, size, 4096))
while os.getppid() == parent:
    time.sleep(0.5)
"""


class Delay(NamedTuple):
    """Seconds that each request waits at the gateway, give or take up to `offset_s`."""

    time_s: float
    offset_s: float


class Faults:
    """The faults of one instance, by their types; `arguments` are those that they were asked for with."""

    def __init__(self) -> None:
        self.arguments: dict[str, dict[str, Any]] = {}
        self.delay: Delay | None = None
        self._processes: dict[str, Process] = {}

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes.values() if not process.exited.done()]

    def burn(self, kind: str, arguments: dict[str, Any], percent: int) -> None:
        """Uses `percent` of one processor."""
        self._start(kind, arguments, BURN, percent)

    def hold(self, kind: str, arguments: dict[str, Any], size: int) -> None:
        """Holds `size` bytes of memory."""
        self._start(kind, arguments, HOLD, size)

    def slow_down(self, kind: str, arguments: dict[str, Any], delay: Delay) -> None:
        self.arguments[kind], self.delay = arguments, delay

    async def wait(self) -> None:
        """What a request to the instance has to wait."""
        if self.delay is not None:
            offset_s = random.uniform(-self.delay.offset_s, self.delay.offset_s)  # noqa: S311 - no secret
            await asyncio.sleep(max(0.0, self.delay.time_s + offset_s))

    def end(self, kind: str) -> None:
        del self.arguments[kind]
        if kind in self._processes:
            self._processes.pop(kind).kill()
        else:
            self.delay = None

    def end_all(self) -> None:
        for kind in [*self.arguments]:
            self.end(kind)

    def _start(self, kind: str, arguments: dict[str, Any], program: str, argument: int) -> None:
        argv = [sys.executable, "-c", program, str(argument)]
        self._processes[kind] = Process.start(argv, {"PATH": os.defpath}, Path.cwd(), subprocess.DEVNULL)
        self.arguments[kind] = arguments
