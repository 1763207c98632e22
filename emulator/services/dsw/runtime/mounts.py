"""All mounts of one instance."""

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from emulator.services.dsw.runtime.live_mount import LiveMount
from emulator.services.dsw.storage import Source
from emulator.services.oss.service import Oss


class Mount(NamedTuple):
    """`path` is where the instance sees it."""

    path: str
    source: Source
    read_only: bool


class Mounts:
    """OSS mounts are directories under `home`, kept equal to their buckets.

    A NAS or CPFS file system is a directory under `file_systems`, the same one for every instance that mounts it;
    that it is mounted read-only is not enforced.
    """

    def __init__(self, mounts: Sequence[Mount], oss: Oss, home: Path, file_systems: Path) -> None:
        self._home = home
        self._live: list[LiveMount] = []
        self._places: dict[str, Path] = {}
        for mount in mounts:
            if mount.source.kind == "oss":
                directory = home / _directory_name(mount)
                live = LiveMount(oss, *mount.source[1:], directory, read_only=mount.read_only)
                self._live.append(live)
            else:
                directory = file_systems / f"{mount.source.kind}-{mount.source.place}" / mount.source.path
            self._places[mount.path] = directory

    @property
    def places(self) -> Mapping[str, Path]:
        """Where each mount path is on this machine."""
        return self._places

    async def open(self, now: datetime) -> None:
        """ApiError when a bucket is not there, ValueError for an object that cannot be a file."""
        kept = {live.directory.name for live in self._live}
        for leftover in self._home.glob("*/"):
            if leftover.name not in kept:
                shutil.rmtree(leftover)
        for directory in self._places.values():
            directory.mkdir(parents=True, exist_ok=True)
        for live in self._live:
            await live.open(now)

    async def sync(self, now: datetime, *, final: bool = False) -> None:
        """As `LiveMount.sync`, for each."""
        for live in self._live:
            await live.sync(now, final=final)


def _directory_name(mount: Mount) -> str:
    """Another one when something else is mounted at the same path."""
    digest = hashlib.sha256("\0".join(mount.source).encode()).hexdigest()[:8]
    return f"{mount.path.strip('/').replace('/', '-')}-{digest}"
