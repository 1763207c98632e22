"""OSS's part of the state, with what other services may do with it: read objects, and lay them out as files."""

import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from emulator.services.oss.attributes import SYMLINK_TARGET, symlink_target
from emulator.services.oss.content import Blobs, Segment
from emulator.services.oss.index import Index
from emulator.services.oss.records import MultipartUpload, Version
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

    def materialise(self, bucket: str, prefix: str, directory: Path) -> str:
        """Makes `directory` hold the objects under `prefix` as files, and returns the change token of what it holds.

        The key's part after `prefix` is the path; keys that end in `/` become directories. Files that are no object
        (any more) are removed, files whose object did not change are left alone. A file is a copy of its own (a
        reflink where the file system can): what a process writes into it never reaches the bucket.
        NoSuchBucket when there is no such bucket; ValueError for a key that cannot be a file under `directory`.
        """
        token = self.change_token(bucket, prefix)
        directory.mkdir(parents=True, exist_ok=True)
        paths = {key: directory / key.removeprefix(prefix).lstrip("/") for key, _ in self._sequences(bucket, prefix)}
        _remove_others(directory, set(paths.values()))
        for key, path in paths.items():
            try:
                self._lay_out(bucket, key, path)
            except (OSError, ValueError) as error:
                raise ValueError(f"the object {key} of {bucket} cannot be the file {path}: {error}") from error
        return token

    def _sequences(self, bucket: str, prefix: str) -> list[tuple[str, int]]:
        return list(self.index.sequences(bucket, prefix))

    def _lay_out(self, bucket: str, key: str, path: Path) -> None:
        if ".." in path.parts:
            raise ValueError("it would lie outside the directory")
        if key.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            return
        version = self.index.latest(bucket, key)
        if version is not None and version.type == "Symlink":
            version = self.index.latest(bucket, symlink_target(version.headers[SYMLINK_TARGET]))
        if version is None or version.is_delete_marker or _is_laid_out(version, path):
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.partial")
        if version.inline is not None:
            partial.write_bytes(version.inline)
        else:
            self.blobs.copy_to(version.segments, partial)
        os.utime(partial, ns=(version.sequence, version.sequence))
        partial.replace(path)


def _is_laid_out(version: Version, path: Path) -> bool:
    """Files carry their version's sequence number, which is a time in nanoseconds, as the time of their change."""
    if not path.is_file():
        return False
    found = path.stat()
    return (found.st_mtime_ns, found.st_size) == (version.sequence, version.size)


def _remove_others(directory: Path, wanted: set[Path]) -> None:
    needed = wanted | {parent for path in wanted for parent in path.parents}
    for root, directories, files in os.walk(directory, topdown=True):
        for name in files:
            if Path(root, name) not in wanted:
                Path(root, name).unlink()
        for name in [name for name in directories if Path(root, name) not in needed]:
            shutil.rmtree(Path(root, name))
            directories.remove(name)
