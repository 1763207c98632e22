"""The machine that instances run on: directories, objects, time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from emulator.services.eas.dataplane.mounts import ObjectSource


@dataclass(frozen=True)
class Backoff:
    """How long an instance waits before its container is started again: not at all the first time, then `first_s`,
    doubled each time up to `longest_s`, and forgotten after a run of `forgotten_after_s`.

    Kubernetes waits 10 s to 300 s and forgets after ten minutes; here everything is shorter.
    """

    first_s: float = 0.5
    longest_s: float = 60.0
    forgotten_after_s: float = 60.0

    def delay_s(self, failures: int) -> float:
        """The wait after that many failures in a row."""
        return 0.0 if failures < 2 else min(self.first_s * 2.0 ** (failures - 2), self.longest_s)


@dataclass(frozen=True)
class Host:
    """`capacity` is how many instances may run at the same time, of all services together."""

    directory: Path
    now: Callable[[], datetime]
    objects: ObjectSource
    backoff: Backoff = Backoff()
    capacity: int = 64
