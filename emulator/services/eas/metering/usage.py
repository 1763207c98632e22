"""What the processes of instances use of this machine."""

import contextlib
import os
import time
from collections.abc import Mapping
from typing import NamedTuple

import psutil


class Used(NamedTuple):
    """Of one instance: processors since the last look (None at the first), and bytes of memory now."""

    processors: float | None
    memory: int


class UsageMeter:
    """Looks at all processes at once: an instance's are those of its group, which its first process leads."""

    def __init__(self) -> None:
        self._cpu_s: dict[tuple[int, float], float] = {}
        self._looked_at = time.monotonic()

    @property
    def age_s(self) -> float:
        """Seconds since the last look."""
        return time.monotonic() - self._looked_at

    def look(self, leaders: Mapping[int, str]) -> dict[str, Used]:
        """By the name of the instance, given for each leader of a process group; several may belong to one."""
        now = time.monotonic()
        cpu_s: dict[tuple[int, float], float] = {}
        spent: dict[str, float] = {}
        memory: dict[str, int] = {}
        known: set[str] = set()
        for pid in psutil.pids() if leaders else ():
            with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
                name = leaders.get(os.getpgid(pid))
                if name is None:
                    continue
                process = psutil.Process(pid)
                with process.oneshot():
                    key, times = (pid, process.create_time()), process.cpu_times()
                    memory[name] = memory.get(name, 0) + process.memory_info().rss
                cpu_s[key] = times.user + times.system
                spent[name] = spent.get(name, 0.0) + cpu_s[key] - self._cpu_s.get(key, 0.0)
                if key in self._cpu_s:
                    known.add(name)
        elapsed = now - self._looked_at
        self._cpu_s, self._looked_at = cpu_s, now
        return {
            name: Used(spent[name] / elapsed if name in known and elapsed > 0 else None, memory[name])
            for name in memory
        }
