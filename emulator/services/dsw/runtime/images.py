"""Images: what an instance had in its own file system, kept to start others from."""

import hashlib
import tarfile
from collections.abc import Sequence
from pathlib import Path

from emulator.services.dsw.runtime.paths import HOME


class Images:
    """One archive for each image URL, under `directory`.

    An image holds the container's home directory; the rest of a container's file system is this machine's. What is
    mounted, the working directory among it, is no part of an image, as in the cloud.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def has(self, url: str) -> bool:
        return self._path(url).exists()

    def commit(self, home: Path, url: str, exclude: Sequence[str]) -> Path:
        """Packs the directory `home`, without the paths `exclude` (as the instance sees them); still unpublished."""
        self.directory.mkdir(parents=True, exist_ok=True)
        excluded = [f"./{path.removeprefix(HOME).strip('/')}" for path in exclude if path.startswith(f"{HOME}/")]

        def kept(entry: tarfile.TarInfo) -> tarfile.TarInfo | None:
            return None if any(entry.name == path or entry.name.startswith(f"{path}/") for path in excluded) else entry

        packed = self._path(url).with_suffix(".packed")
        with tarfile.open(packed, "w:gz", compresslevel=1) as archive:
            archive.add(home, arcname=".", filter=kept)
        return packed

    def push(self, packed: Path, url: str) -> None:
        """Publishes what was committed under `url`, instead of what was there."""
        packed.replace(self._path(url))

    def unpack(self, url: str, home: Path) -> None:
        """Into the new directory `home`; nothing when the image is none of ours."""
        home.mkdir(parents=True)
        if self.has(url):
            with tarfile.open(self._path(url)) as archive:
                archive.extractall(home, filter="tar")

    def _path(self, url: str) -> Path:
        return self.directory / f"{hashlib.sha256(url.encode()).hexdigest()}.tar.gz"
