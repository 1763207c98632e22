"""The bytes of objects: small ones inside the index, larger ones in files that are written once and then shared.

A file belongs to exactly one row of the index; a copy gets a hard link of its own, so no file is counted.
"""

import asyncio
import hashlib
import os
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

import anycrc  # type: ignore[import-untyped]

INLINE_LIMIT = 64 * 1024
CHUNK = 256 * 1024

_CRC64 = anycrc.Model("CRC64-XZ")  # the polynomial that OSS's x-oss-hash-crc64ecma uses


def crc64(data: bytes, before: int = 0) -> int:
    return int(_CRC64.calc(data, before)) if before else int(_CRC64.calc(data))


def combined_crc64(first: int, second: int, second_size: int) -> int:
    """The CRC-64 of two pieces together, from theirs."""
    return int(_CRC64.combine(first, second, second_size))


class Segment(NamedTuple):
    """`size` bytes from `offset` of the file `name`."""

    name: str
    offset: int
    size: int


class Upload(NamedTuple):
    """Data that was received and belongs to no row yet: either `inline` or in `segments`."""

    inline: bytes | None
    segments: tuple[Segment, ...]
    size: int
    md5: bytes
    crc64: int


class Blobs:
    """The files under `directory`."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self._readers: Counter[str] = Counter()
        self._doomed: set[str] = set()

    async def receive(self, chunks: AsyncIterator[bytes], *, inline: bool = True) -> Upload:
        """Stores what `chunks` brings; nothing of it stays when they fail. `inline=False` always makes a file."""
        held: list[bytes] = []
        size = checksum = 0
        md5 = hashlib.md5(usedforsecurity=False)
        file: BinaryIO | None = None
        name = ""
        try:
            async for chunk in chunks:
                md5.update(chunk)
                checksum = crc64(chunk, checksum)
                size += len(chunk)
                if file is None and (size > INLINE_LIMIT or not inline):
                    name, file = self._create()
                    file.writelines(held)
                if file is None:
                    held.append(chunk)
                else:
                    file.write(chunk)
            if file is None and not inline:
                name, file = self._create()
        except BaseException:
            if file is not None:
                file.close()
                self.discard([Segment(name, 0, size)])
            raise
        if file is None:
            return Upload(b"".join(held), (), size, md5.digest(), checksum)
        file.close()
        return Upload(None, (Segment(name, 0, size),), size, md5.digest(), checksum)

    def store(self, data: bytes) -> Segment:
        name, file = self._create()
        with file:
            file.write(data)
        return Segment(name, 0, len(data))

    def append(self, last: Segment, data: bytes) -> Segment:
        """Adds `data` at the end of a segment's file, in place: readers go by the size that the index had for them."""
        with (self._directory / last.name).open("r+b") as file:
            file.truncate(last.offset + last.size)  # what a killed process wrote and did not acknowledge
            file.seek(0, os.SEEK_END)
            file.write(data)
        return last._replace(size=last.size + len(data))

    def link(self, segments: Iterable[Segment]) -> tuple[Segment, ...]:
        """The same data under names of its own; takes no space."""
        linked = []
        for segment in segments:
            name = uuid.uuid4().hex
            os.link(self._directory / segment.name, self._directory / name)
            linked.append(segment._replace(name=name))
        return tuple(linked)

    def copy_to(self, segments: Iterable[Segment], path: Path) -> None:
        """Writes the data to a new file, inside the kernel and without taking space where the file system can."""
        with path.open("wb") as target:
            for segment in segments:
                self._copy(segment, target.fileno())

    def _copy(self, segment: Segment, target: int) -> None:
        position, end = segment.offset, segment.offset + segment.size
        with (self._directory / segment.name).open("rb") as source:
            while position < end:
                copied = os.copy_file_range(source.fileno(), target, end - position, position)
                if not copied:
                    raise OSError(f"{segment.name} ends before byte {end}")
                position += copied

    def discard(self, segments: Iterable[Segment]) -> None:
        """Removes the files, those that are being read as soon as they no longer are."""
        for segment in segments:
            if self._readers[segment.name]:
                self._doomed.add(segment.name)
            else:
                (self._directory / segment.name).unlink(missing_ok=True)

    def keep_only(self, names: set[str]) -> None:
        """Removes the files that no row names: data of requests that a killed process did not finish."""
        for path in self._directory.iterdir():
            if path.name not in names:
                path.unlink()

    def chunks(self, segments: Iterable[Segment]) -> Iterator[bytes]:
        reader = self.open(segments)
        try:
            yield from reader.chunks()
        finally:
            reader.close()

    def open(self, segments: Iterable[Segment]) -> "Reader":
        """Whoever opens a reader closes it; until then the files stay, whatever happens to the object."""
        reading = list(segments)
        self._readers.update(segment.name for segment in reading)
        return Reader(self._directory, reading, self._release)

    def _release(self, segments: Iterable[Segment]) -> None:
        for segment in segments:
            self._readers[segment.name] -= 1
            if not self._readers[segment.name]:
                del self._readers[segment.name]
                if segment.name in self._doomed:
                    self._doomed.remove(segment.name)
                    self.discard([segment])

    def _create(self) -> tuple[str, BinaryIO]:
        name = uuid.uuid4().hex
        return name, (self._directory / name).open("xb")


class Reader:
    """Segments one after the other, of which one file at a time is open."""

    def __init__(self, directory: Path, segments: list[Segment], release: Callable[[list[Segment]], None]) -> None:
        self._directory, self._segments, self._release = directory, segments, release

    def chunks(self) -> Iterator[bytes]:
        for segment in self._segments:
            position, end = segment.offset, segment.offset + segment.size
            with (self._directory / segment.name).open("rb", buffering=0) as file:
                while position < end:
                    chunk = os.pread(file.fileno(), min(CHUNK, end - position), position)
                    if not chunk:
                        raise OSError(f"{segment.name} ends before byte {end}")
                    position += len(chunk)
                    yield chunk

    async def stream(self) -> AsyncIterator[bytes]:
        """The chunks, with room for other requests between them."""
        for chunk in self.chunks():
            yield chunk
            await asyncio.sleep(0)

    def close(self) -> None:
        released, self._segments = self._segments, []
        self._release(released)


def cut(segments: Iterable[Segment], start: int, size: int) -> list[Segment]:
    """The part of the concatenated segments that begins at byte `start`."""
    parts: list[Segment] = []
    for segment in segments:
        if start < segment.size and size > 0:
            taken = min(segment.size - start, size)
            parts.append(Segment(segment.name, segment.offset + start, taken))
            size -= taken
        start = max(0, start - segment.size)
    return parts
