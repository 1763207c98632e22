"""What `storage[]` mounts, as directories on this machine."""

import asyncio
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from emulator.errors import ApiError
from emulator.services.eas.config.storage import OssMount, Storage


class MountError(Exception):
    """A mount that cannot be made; the message says which and why."""


class ObjectSource(Protocol):
    """Where the objects of an OSS mount come from."""

    async def materialise(self, bucket: str, prefix: str, directory: Path) -> None:
        """Writes the objects whose keys begin with `prefix` under `directory`, by the rest of their keys; ApiError
        when there is no such bucket, ValueError for a key that cannot be a file."""


async def mount(storage: Sequence[Storage], root: Path, source: ObjectSource) -> Mapping[str, Path]:
    """Makes every mount under `root`, which then looks like the instance's file system, and returns where each mount
    path is; MountError when one cannot be made.

    An OSS mount is a copy of what is in the bucket now, and nothing that is written there goes back: a difference
    from the cloud, where it is the bucket itself. An instance that is rebuilt gets a fresh copy.
    """
    shutil.rmtree(root, ignore_errors=True)
    places: dict[str, Path] = {}
    for entry in storage:
        declared = entry.mount_path.rstrip("/")
        directory = root / declared.lstrip("/")
        directory.mkdir(parents=True, exist_ok=True)
        if entry.oss is not None:
            await _copy(entry.oss, declared, directory, source)
        elif entry.empty_dir is None:
            kind = next(name for name in ("nfs", "dataset", "git") if getattr(entry, name) is not None)
            raise MountError(f"{declared}: the emulator mounts oss and empty_dir, not {kind}")
        places[declared] = directory
    return places


async def _copy(oss: OssMount, declared: str, directory: Path, source: ObjectSource) -> None:
    try:
        await source.materialise(oss.bucket, oss.prefix, directory)
    except (ApiError, ValueError) as error:
        raise MountError(f"{declared}: {oss.path} cannot be mounted: {error}") from None
    if oss.prefix and not any(directory.iterdir()):
        raise MountError(f"{declared}: no object in bucket {oss.bucket} begins with {oss.prefix}")
    await asyncio.to_thread(_make_read_only, directory)


def _make_read_only(directory: Path) -> None:
    for path in directory.rglob("*"):
        if path.is_file():
            path.chmod(0o444)
