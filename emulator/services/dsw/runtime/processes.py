"""The processes of instances: found by a variable that each of them inherits, and ended together.

A start command may leave processes in the background, in sessions of their own, as it may in a container. What marks
them all is `DSW_INSTANCE_ID`, which DSW itself sets (Alibaba Cloud's pai-python-sdk reads it, pai/dsw.py).
"""

import asyncio
import contextlib
import signal
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

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
