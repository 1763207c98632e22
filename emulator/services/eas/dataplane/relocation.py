"""Moving a container's command to this machine: its own port and its own directories instead of the declared ones.

There are no containers here, so instances of one service would all listen on the declared port and read the declared
mount paths. Each instance therefore gets a free port and directories of its own, and the places where the command, the
environment and the probes name the declared ones are rewritten:

* the port, where it is a whole word (`8000`), the value of an option or variable (`--port=8000`, `PORT=8000`) or the
  port of an address (`0.0.0.0:8000`, `http://localhost:8000/x`);
* a mount path, where it is a whole path or the beginning of one (`/mnt/model`, `--model=/mnt/model/a.pt`).

A program that has the port or a path written into its own code cannot be moved this way; it must take them from its
command or its environment.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from emulator.processes.places import BEFORE, relocated

_AFTER_PORT = r"""(?=$|[\s/"'`,;|&()<>])"""


@dataclass(frozen=True)
class Relocation:
    """Where one instance is. `mounts` leads from the declared mount paths (without a slash at the end) to
    directories."""

    declared_port: int
    port: int
    mounts: Mapping[str, Path]

    def text(self, value: str) -> str:
        """`value` (a word of a command, a script, or a variable's value) as it must read on this machine."""
        value = re.sub(f"{BEFORE}{self.declared_port}{_AFTER_PORT}", str(self.port), value)
        return relocated(value, self.mounts)

    def probe_port(self, port: int | None) -> int:
        """The port that a probe of `port` must try; another port than the container's own stays as it is."""
        return self.port if port in (None, self.declared_port) else port
