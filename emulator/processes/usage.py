"""What processes use of this machine."""

import contextlib
import os
import time
from collections.abc import Sequence

import psutil


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
