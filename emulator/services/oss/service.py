"""OSS's part of the state, with what other services may do with it: read objects, and lay them out as files."""

import asyncio
import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from emulator.services.oss.attributes import SYMLINK_TARGET, symlink_target
from emulator.services.oss.content import Blobs, Segment
from emulator.services.oss.index import Index
from emulator.services.oss.records import MultipartUpload
from emulator.services.oss.versions import Versions
from emulator.store import Store


class Oss:
    """Objects' larger data is in files under `data_dir/objects`; everything else is in `store`."""

    def __init__(self, store: Store, data_dir: Path, region: str, account_id: str) -> None:
        self.region = region
        self.owner = (("ID", account_id), ("DisplayName", account_id))
        self.default_resource_group = f"rg-acfm{account_id}"
        self.index = Index(store)
        self.blobs = Blobs(data_dir / "objects")
        self.blobs.keep_only(self.index.segment_names())
        self._abandoned: list[Segment] = []
        self.versions = Versions(self.index, self.discard)
        self._store = store

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """The store's, after which the files that nothing names any more are removed."""
        try:
            with self._store.transaction():
                yield
        except BaseException:
            self._abandoned.clear()
            self.index.forget()
            raise
        if self._abandoned:
            self.blobs.discard(self._abandoned)
            self._abandoned.clear()

    def discard(self, segments: Iterable[Segment]) -> None:
        """Has these files removed when the transaction is committed."""
        self._abandoned.extend(segments)

    def abort(self, upload: MultipartUpload) -> None:
        """Forgets a multipart upload and its parts."""
        for part in self.index.parts(upload.id):
            self.discard(part.segments)
        self.index.delete_upload(upload)

    def reset(self) -> None:
        """Removes the files, after the store was cleared."""
        self.index.forget()
        self.blobs.keep_only(set())

    # For other services.

    def change_token(self, bucket: str, prefix: str) -> str:
        """Changes when an object under `prefix` does; cheap beside reading them. NoSuchBucket when there is none."""
        self.index.bucket(bucket)
        digest = hashlib.blake2b(digest_size=16)
        for key, sequence in self.index.sequences(bucket, prefix):
            digest.update(f"{key}\0{sequence}\0".encode())
        return digest.hexdigest()

    async def materialise(self, bucket: str, prefix: str, directory: Path) -> None:
        """Writes the objects under `prefix` as files into `directory`, which is new.

        The key's part after `prefix` is the path; keys that end in `/` become directories. A file is a copy of its own
        (a reflink where the file system can): what a process writes into it never reaches the bucket.
        NoSuchBucket when there is no such bucket; ValueError for a key that cannot be a file under `directory`.
        """
        self.index.bucket(bucket)
        for key in [key for key, _ in self.index.sequences(bucket, prefix)]:
            path = directory / key.removeprefix(prefix).lstrip("/")
            try:
                await self._lay_out(bucket, key, path)
            except (OSError, ValueError) as error:
                raise ValueError(f"the object {key} of {bucket} cannot be the file {path}: {error}") from error

    async def _lay_out(self, bucket: str, key: str, path: Path) -> None:
        if ".." in path.parts:
            raise ValueError("it would lie outside the directory")
        if key.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            return
        version = self.index.latest(bucket, key)
        if version is not None and version.type == "Symlink":
            version = self.index.latest(bucket, symlink_target(version.headers[SYMLINK_TARGET]))
        if version is None or version.is_delete_marker:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if version.inline is not None:
            path.write_bytes(version.inline)
        else:
            await asyncio.to_thread(self.blobs.copy_to, version.segments, path)  # may be a large model
