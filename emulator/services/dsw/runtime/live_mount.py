"""A mounted OSS directory, live in both directions: a directory of this machine that is kept equal to the objects.

In the cloud it is a file system (ossfs, JindoFuse), where a file is in the bucket as soon as it is closed. Here the two
are compared every second or so:

* a file that is new or was changed, and did not change any more since the last look, becomes an object; one that was
  deleted takes its object with it;
* an object that others put or deleted does the same to the file, unless the file was changed here too: then that wins.

When the instance ends, what is not yet in the bucket is put there. Links and empty directories stay on this machine.
"""

import asyncio
import json
import os
import stat
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from emulator.errors import ApiError
from emulator.services.oss import attributes
from emulator.services.oss.content import CHUNK, Upload
from emulator.services.oss.records import Version
from emulator.services.oss.request import OssRequest, check_key
from emulator.services.oss.service import Oss


class FileState(NamedTuple):
    """What changes when a file does."""

    mtime_ns: int
    size: int


class Synced(NamedTuple):
    """A file as it was when it was equal to the object's version `sequence`."""

    file: FileState
    sequence: int


class LiveMount:
    """The objects of `bucket` under `prefix` in `directory`.

    What is equal is remembered in a file beside it, so that after a crash neither side's changes are lost.
    """

    def __init__(self, oss: Oss, bucket: str, prefix: str, directory: Path, *, read_only: bool) -> None:
        self.directory = directory
        self._oss, self._bucket, self._prefix, self._read_only = oss, bucket, prefix, read_only
        self._memory = directory.with_name(f"{directory.name}.json")
        self._incoming = directory.with_name(f"{directory.name}.incoming")
        self._synced: dict[str, Synced] = {}
        self._last_seen: dict[str, FileState] = {}
        self._token = ""

    async def open(self, now: datetime) -> None:
        """Makes the directory; ApiError when there is no such bucket, ValueError for a key that cannot be a file."""
        self._oss.index.bucket(self._bucket)
        self.directory.mkdir(parents=True, exist_ok=True)
        if self._memory.exists():
            kept = json.loads(self._memory.read_text())
            self._synced = {name: Synced(FileState(*file), sequence) for name, (file, sequence) in kept.items()}
        await self.sync(now, final=True)

    async def sync(self, now: datetime, *, final: bool = False) -> None:
        """Compares both sides once. With `final`, files count as they are, even if they are being written to.

        ApiError when the bucket is gone or a file cannot be an object, ValueError for a key that cannot be a file.
        """
        before = dict(self._synced)
        if not self._read_only:
            await self._push(now, final=final)
        await self._pull()
        if self._synced != before:
            await asyncio.to_thread(self._remember)

    async def _push(self, now: datetime, *, final: bool) -> None:
        found = await asyncio.to_thread(_files, self.directory)
        problem: ApiError | None = None
        for name, file in found.items():
            synced = self._synced.get(name)
            if synced is not None and synced.file == file:
                continue
            if final or self._last_seen.get(name) == file:
                try:
                    await self._put(name, file, now)
                except ApiError as error:  # one file that cannot be an object must not keep the others here
                    problem = problem or error
        self._last_seen = found
        for name in [name for name in self._synced if name not in found]:
            self._delete(name, now)
        if problem is not None:
            raise problem

    async def _put(self, name: str, file: FileState, now: datetime) -> None:
        key = f"{self._prefix}{name}"
        check_key(key)
        path = self.directory / name
        try:
            data = await self._oss.blobs.receive(_chunks(path))
        except FileNotFoundError:
            return
        current = self._oss.index.latest(self._bucket, key)
        if _state(path) != file:
            self._oss.blobs.discard(data.segments)
        elif current is not None and (current.size, current.crc64) == (data.size, str(data.crc64)):
            self._oss.blobs.discard(data.segments)
            self._synced[name] = Synced(file, current.sequence)
        else:
            self._synced[name] = Synced(file, self._stored(key, data, now).sequence)

    def _stored(self, key: str, data: Upload, now: datetime) -> Version:
        bucket = self._oss.index.bucket(self._bucket)
        request = self._request("PUT", key, now)
        with self._oss.transaction():
            wanted = attributes.received(request, bucket)
            return self._oss.versions.add(bucket, request, wanted, data, "Normal", data.md5.hex().upper())

    def _delete(self, name: str, now: datetime) -> None:
        """The file is gone; its object goes too, unless somebody has changed it."""
        key = f"{self._prefix}{name}"
        synced = self._synced.pop(name)
        current = self._oss.index.latest(self._bucket, key)
        if current is not None and current.sequence == synced.sequence:
            with self._oss.transaction():
                self._oss.versions.delete(self._oss.index.bucket(self._bucket), key, None, now)

    async def _pull(self) -> None:
        token = self._oss.change_token(self._bucket, self._prefix)
        if token == self._token:
            return
        there: set[str] = set()
        for key, sequence in list(self._oss.index.sequences(self._bucket, self._prefix)):
            name = _file_name(key, self._prefix)
            if key.endswith("/"):
                (self.directory / name).mkdir(parents=True, exist_ok=True)
                continue
            there.add(name)
            synced = self._synced.get(name)
            if (synced is None or synced.sequence != sequence) and self._untouched(name, synced):
                await self._fetch(name, key)
        for name in [name for name in self._synced if name not in there]:
            if self._untouched(name, self._synced.pop(name)):
                (self.directory / name).unlink(missing_ok=True)
        self._token = token

    def _untouched(self, name: str, synced: Synced | None) -> bool:
        return _state(self.directory / name) == (synced.file if synced else None)

    async def _fetch(self, name: str, key: str) -> None:
        version = self._oss.index.latest(self._bucket, key)
        if version is None or version.is_delete_marker:
            return
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if version.inline is not None:
            self._incoming.write_bytes(version.inline)
        else:
            await asyncio.to_thread(self._oss.blobs.copy_to, version.segments, self._incoming)
        if self._read_only:
            self._incoming.chmod(0o444)
        self._incoming.replace(path)
        file = _state(path)
        if file is not None:
            self._synced[name] = Synced(file, version.sequence)

    def _remember(self) -> None:
        partial = self._memory.with_suffix(".partial")
        partial.write_text(json.dumps(self._synced))
        partial.replace(self._memory)

    def _request(self, method: str, key: str, now: datetime) -> OssRequest:
        return OssRequest("", method, self._oss.region, self._bucket, key, {}, {}, now)


def _file_name(key: str, prefix: str) -> str:
    name = key.removeprefix(prefix)
    if name.startswith("/") or {".", ".."} & set(name.split("/")) or "\0" in name:
        raise ValueError(f"the object {key!r} cannot be a file in a mounted directory")
    return name


def _files(directory: Path) -> dict[str, FileState]:
    """The regular files below `directory`, by their paths in it; without those whose names are not UTF-8."""
    found: dict[str, FileState] = {}
    for root, _, names in os.walk(directory):
        for name in names:
            path = Path(root, name)
            file = _state(path)
            relative = str(path.relative_to(directory))
            if file is not None and relative.isprintable():
                found[relative] = file
    return found


def _state(path: Path) -> FileState | None:
    try:
        status = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return FileState(status.st_mtime_ns, status.st_size) if stat.S_ISREG(status.st_mode) else None


async def _chunks(path: Path) -> AsyncIterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk
            await asyncio.sleep(0)
