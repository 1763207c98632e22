"""Copies what a run prints into a file of a mounted bucket while it goes on: `RUN 2>&1 | python -m model.record FILE`.

A mount of OSS puts a file into the bucket when it is closed (https://github.com/aliyun/ossfs), so this one is closed
after every addition. It needs nothing but Python, since it runs before anything is installed.
"""

import os
import select
import signal
import sys
import time
from pathlib import Path


def record(source: int, path: Path, every_s: float = 2.0) -> None:
    """Copy the file descriptor `source` to its end, with an addition every `every_s` seconds at most.

    What cannot be written is kept for the next addition, so that no run ends for its log; OSError when the last fails.
    """
    held = b""
    path.write_bytes(held)
    due = time.monotonic()
    while True:
        ready, _, _ = select.select([source], [], [], max(0.0, due - time.monotonic()) if held else None)
        read = os.read(source, 1 << 16) if ready else None
        held += read or b""
        ended = read == b""
        if ended or (held and time.monotonic() >= due):
            try:
                with path.open("ab") as file:
                    file.write(held)
                held = b""
            except OSError:
                if ended:
                    raise
            due = time.monotonic() + every_s
        if ended:
            return


if __name__ == "__main__":
    # A machine that is stopped tells every process to end at once: the run's last words come after that.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    record(sys.stdin.fileno(), Path(sys.argv[1]))
