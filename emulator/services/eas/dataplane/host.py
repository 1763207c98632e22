"""The machine that instances run on: directories, ports, time."""

import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from emulator.services.eas.dataplane.mounts import ObjectSource

# Below the range that the kernel gives to outgoing connections, so that none of them takes an instance's port.
PORTS = range(20_000, 32_000)


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


def free_port() -> int:
    """A port of the loopback that nobody listens on; OSError when there is none."""
    for port in random.sample(PORTS, 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port between {PORTS.start} and {PORTS.stop - 1}")
