"""What an instance writes to stdout and stderr, kept line by line with the time."""

import asyncio
import os
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, NamedTuple

LONGEST_LINE = 64 * 1024
LONGEST_FILE = 2 * 1024 * 1024


class LogLine(NamedTuple):
    time: datetime
    text: str


class OutputLog:
    """The log of one instance: of the current run and of the one before its last restart, each in at most two files
    of LONGEST_FILE bytes."""

    def __init__(self, directory: Path, now: Callable[[], datetime]) -> None:
        self._directory = directory
        self._now = now
        self._file: BinaryIO | None = None
        self._reader = -1
        self._rest = b""

    def begin(self) -> int:
        """Starts a new run; the descriptor to give to its process, which the caller closes in this one."""
        self._directory.mkdir(parents=True, exist_ok=True)
        for part in ("", ".rotated"):
            (self._directory / f"previous.log{part}").unlink(missing_ok=True)
            current = self._directory / f"current.log{part}"
            if current.exists():
                current.rename(self._directory / f"previous.log{part}")
        self._file = self._open()
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        asyncio.get_running_loop().add_reader(self._reader, self._read)
        return writer

    def end(self) -> None:
        """Ends a run whose process is gone: what it still left in the pipe is kept."""
        if self._file is None:
            return
        while self._reader >= 0 and self._read():
            pass
        self._close_pipe()
        self._file.close()
        self._file = None

    def _read(self) -> bool:
        """Whether there was something to read."""
        try:
            data = os.read(self._reader, LONGEST_LINE)
        except BlockingIOError:
            return False
        if data:
            self._take(data)
        else:
            self._close_pipe()
        return bool(data)

    def _take(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        self._write(lines)

    def _close_pipe(self) -> None:
        if self._reader < 0:
            return
        asyncio.get_running_loop().remove_reader(self._reader)
        os.close(self._reader)
        self._reader = -1
        if self._rest:
            self._write([self._rest])
            self._rest = b""

    def _write(self, lines: list[bytes]) -> None:
        assert self._file is not None  # noqa: S101 - a pipe is read during a run only
        stamp = self._now().isoformat(timespec="microseconds").encode()
        self._file.write(b"".join(stamp + b" " + line.rstrip(b"\r") + b"\n" for line in lines))
        self._file.flush()
        if self._file.tell() > LONGEST_FILE:
            self._file.close()
            (self._directory / "current.log").rename(self._directory / "current.log.rotated")
            self._file = self._open()

    def _open(self) -> BinaryIO:
        return (self._directory / "current.log").open("ab")


def read_lines(directory: Path, *, previous: bool = False) -> Iterator[LogLine]:
    """The kept lines of the instance that logged into `directory`, oldest first; of the run before its last restart
    when `previous`."""
    name = "previous.log" if previous else "current.log"
    for path in (directory / f"{name}.rotated", directory / name):
        if path.exists():
            with path.open("rb") as file:
                for line in file:
                    stamp, _, text = line.rstrip(b"\n").partition(b" ")
                    yield LogLine(datetime.fromisoformat(stamp.decode()), text.decode(errors="replace"))
