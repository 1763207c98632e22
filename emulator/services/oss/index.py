"""What OSS remembers: buckets, their settings, object versions, uploads and parts, in the emulator's database.

Keys are ordered as OSS orders them, by their UTF-8 bytes, which is how SQLite compares text.
"""

# ruff: noqa: S608 - every piece of a statement is a constant of this file
import json
import time
from collections.abc import Iterator
from typing import Any

from emulator.services.oss.content import Segment
from emulator.services.oss.errors import no_such_bucket
from emulator.services.oss.records import (
    DELETE_MARKER,
    Bucket,
    MultipartUpload,
    Part,
    Version,
    packed,
    part_from,
    unpacked,
    upload_from,
)
from emulator.store import Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS oss_settings (
  bucket TEXT, name TEXT, document BLOB NOT NULL, PRIMARY KEY (bucket, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS oss_versions (
  bucket TEXT, key TEXT, sequence INTEGER, version_id TEXT NOT NULL, latest INTEGER NOT NULL, type TEXT NOT NULL,
  size INTEGER NOT NULL, etag TEXT NOT NULL, crc64 TEXT NOT NULL, modified INTEGER NOT NULL,
  storage_class TEXT NOT NULL, acl TEXT NOT NULL, headers TEXT NOT NULL, tags TEXT NOT NULL,
  readable_from INTEGER NOT NULL, readable_until INTEGER NOT NULL,
  segments TEXT NOT NULL, inline BLOB, PRIMARY KEY (bucket, key, sequence DESC)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS oss_uploads (
  bucket TEXT, key TEXT, id TEXT, initiated INTEGER NOT NULL, storage_class TEXT NOT NULL, acl TEXT NOT NULL,
  headers TEXT NOT NULL, tags TEXT NOT NULL, PRIMARY KEY (bucket, key, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS oss_parts (
  upload_id TEXT, number INTEGER, size INTEGER NOT NULL, etag TEXT NOT NULL, crc64 TEXT NOT NULL,
  modified INTEGER NOT NULL, segments TEXT NOT NULL, PRIMARY KEY (upload_id, number)) WITHOUT ROWID;
"""

_HEAD = ", ".join(field for field in Version._fields if field != "inline").replace("raw_", "")
_WHOLE = f"{_HEAD}, inline"
_PLACES = ", ".join("?" * len(Version._fields))


class Index:
    def __init__(self, store: Store) -> None:
        self._database = store.connection
        self._database.executescript(SCHEMA)
        self._buckets = store.collection("oss.bucket", Bucket)
        self._known: dict[str, Bucket] = {}  # every request needs its bucket
        self._last_sequence: int = self._one("SELECT coalesce(max(sequence), 0) FROM oss_versions")[0]

    def _one(self, query: str, *values: Any) -> Any:
        return self._database.execute(query, values).fetchone()

    def _all(self, query: str, *values: Any) -> list[Any]:
        return self._database.execute(query, values).fetchall()

    def next_sequence(self) -> int:
        """Larger than any before, also than those of versions that are gone: their place is never taken again."""
        self._last_sequence = max(self._last_sequence + 1, time.time_ns())
        return self._last_sequence

    # Buckets and their settings.

    def bucket(self, name: str) -> Bucket:
        """NoSuchBucket when there is none."""
        found = self.find_bucket(name)
        if found is None:
            raise no_such_bucket(name)
        return found

    def find_bucket(self, name: str) -> Bucket | None:
        found = self._known.get(name) or self._buckets.get(name)
        if found is not None:
            self._known[name] = found
        return found

    def forget(self) -> None:
        """Reads buckets anew, after a transaction was rolled back."""
        self._known.clear()

    def buckets(self) -> list[Bucket]:
        return self._buckets.values()

    def put_bucket(self, bucket: Bucket) -> None:
        self._buckets.put(bucket.name, bucket)
        self._known[bucket.name] = bucket

    def delete_bucket(self, name: str) -> None:
        self._buckets.delete(name)
        self._known.pop(name, None)
        self._database.execute("DELETE FROM oss_settings WHERE bucket = ?", (name,))

    def is_empty(self, name: str) -> bool:
        """No version and no unfinished upload."""
        versions = "SELECT 1 FROM oss_versions WHERE bucket = ? LIMIT 1"
        uploads = "SELECT 1 FROM oss_uploads WHERE bucket = ? LIMIT 1"
        return self._one(versions, name) is None and self._one(uploads, name) is None

    def setting(self, bucket: str, name: str) -> bytes | None:
        row = self._one("SELECT document FROM oss_settings WHERE bucket = ? AND name = ?", bucket, name)
        return None if row is None else bytes(row[0])

    def put_setting(self, bucket: str, name: str, document: bytes) -> None:
        self._database.execute("INSERT OR REPLACE INTO oss_settings VALUES (?, ?, ?)", (bucket, name, document))

    def delete_setting(self, bucket: str, name: str) -> None:
        self._database.execute("DELETE FROM oss_settings WHERE bucket = ? AND name = ?", (bucket, name))

    # Versions.

    def latest(self, bucket: str, key: str) -> Version | None:
        row = self._one(
            f"SELECT {_WHOLE} FROM oss_versions WHERE bucket = ? AND key = ? ORDER BY sequence DESC LIMIT 1",
            bucket,
            key,
        )
        return None if row is None else Version._make(row)

    def version(self, bucket: str, key: str, version_id: str) -> Version | None:
        query = f"SELECT {_WHOLE} FROM oss_versions WHERE bucket = ? AND key = ? AND version_id = ?"
        row = self._one(query, bucket, key, version_id)
        return None if row is None else Version._make(row)

    def add(self, version: Version) -> None:
        """Makes `version` the latest of its key."""
        self._database.execute(
            "UPDATE oss_versions SET latest = 0 WHERE bucket = ? AND key = ? AND latest = 1",
            (version.bucket, version.key),
        )
        self._database.execute(f"INSERT INTO oss_versions VALUES ({_PLACES})", version)

    def replace(self, version: Version) -> tuple[Segment, ...]:
        """Makes `version` the only one of its key, and returns the files of the one before."""
        removed = "DELETE FROM oss_versions WHERE bucket = ? AND key = ? RETURNING segments"
        rows = self._all(removed, version.bucket, version.key)
        self._database.execute(f"INSERT INTO oss_versions VALUES ({_PLACES})", version)
        return tuple(segment for (segments,) in rows for segment in unpacked(segments))

    def remove(self, version: Version) -> None:
        """Forgets `version`; the newest that is left becomes the latest."""
        self._database.execute("DELETE FROM oss_versions WHERE bucket = ? AND key = ? AND sequence = ?", version[:3])
        if version.latest:
            self._database.execute(
                "UPDATE oss_versions SET latest = 1 WHERE bucket = ?1 AND key = ?2 AND sequence ="
                " (SELECT max(sequence) FROM oss_versions WHERE bucket = ?1 AND key = ?2)",
                (version.bucket, version.key),
            )

    def update(self, version: Version, **changes: str | int) -> None:
        """Changes in place what is said about the data."""
        columns = ", ".join(f"{name} = ?" for name in changes)
        self._database.execute(
            f"UPDATE oss_versions SET {columns} WHERE bucket = ? AND key = ? AND sequence = ?",
            (*changes.values(), *version[:3]),
        )

    def objects(self, bucket: str, prefix: str, start: str, beyond: int | str | None, limit: int) -> list[Version]:
        """Current objects by key, from `start` on, or after it when `beyond` is given; without their inline data."""
        comparison = "key >= ?" if beyond is None else "key > ?"
        return self._range(bucket, prefix, f"{comparison} AND latest AND type <> '{DELETE_MARKER}'", (start,), limit)

    def versions(self, bucket: str, prefix: str, start: str, beyond: int | str | None, limit: int) -> list[Version]:
        """Versions and delete markers by key, newest first; of the key `start` only those below position `beyond`."""
        if beyond is None:
            return self._range(bucket, prefix, "key >= ?", (start,), limit)
        return self._range(bucket, prefix, "(key > ? OR key = ? AND sequence < ?)", (start, start, beyond), limit)

    def _range(
        self, bucket: str, prefix: str, condition: str, values: tuple[str | int, ...], limit: int
    ) -> list[Version]:
        within, bounds = prefix_condition(prefix)
        rows = self._all(
            f"SELECT {_HEAD} FROM oss_versions WHERE bucket = ? AND {within} AND {condition}"
            " ORDER BY key, sequence DESC LIMIT ?",
            bucket, *bounds, *values, limit,
        )  # fmt: skip
        return [Version._make((*row, None)) for row in rows]

    def sequences(self, bucket: str, prefix: str) -> Iterator[tuple[str, int]]:
        """Keys and sequence numbers of the current objects: different as soon as any of them changed."""
        within, bounds = prefix_condition(prefix)
        return self._database.execute(
            f"SELECT key, sequence FROM oss_versions WHERE bucket = ? AND {within} AND latest"
            f" AND type <> '{DELETE_MARKER}' ORDER BY key",
            (bucket, *bounds),
        )

    # Multipart uploads.

    def add_upload(self, upload: MultipartUpload) -> None:
        attributes = upload.attributes
        self._database.execute(
            "INSERT INTO oss_uploads VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *upload[:4], attributes.storage_class, attributes.acl,
                json.dumps(attributes.headers), json.dumps(attributes.tags),
            ),
        )  # fmt: skip

    def upload(self, bucket: str, key: str, upload_id: str) -> MultipartUpload | None:
        row = self._one("SELECT * FROM oss_uploads WHERE bucket = ? AND key = ? AND id = ?", bucket, key, upload_id)
        return None if row is None else upload_from(row)

    def uploads(
        self, bucket: str, prefix: str, start: str, beyond: int | str | None, limit: int
    ) -> list[MultipartUpload]:
        """By key and id; of the key `start` only those with an id after `beyond`."""
        within, bounds = prefix_condition(prefix)
        rows = self._all(
            f"SELECT * FROM oss_uploads WHERE bucket = ? AND {within} AND (key > ? OR key = ? AND id > ?)"
            " ORDER BY key, id LIMIT ?",
            bucket, *bounds, start, start, beyond or "", limit,
        )  # fmt: skip
        return [upload_from(row) for row in rows]

    def delete_upload(self, upload: MultipartUpload) -> None:
        self._database.execute("DELETE FROM oss_uploads WHERE bucket = ? AND key = ? AND id = ?", upload[:3])
        self._database.execute("DELETE FROM oss_parts WHERE upload_id = ?", (upload.id,))

    def parts(self, upload_id: str) -> list[Part]:
        """In the order of their numbers."""
        rows = self._all("SELECT * FROM oss_parts WHERE upload_id = ? ORDER BY number", upload_id)
        return [part_from(row) for row in rows]

    def put_part(self, upload_id: str, part: Part) -> Part | None:
        """The part that it replaces."""
        replaced = self._one("SELECT * FROM oss_parts WHERE upload_id = ? AND number = ?", upload_id, part.number)
        self._database.execute(
            "INSERT OR REPLACE INTO oss_parts VALUES (?, ?, ?, ?, ?, ?, ?)",
            (upload_id, *part[:3], str(part.crc64), part.modified, packed(part.segments)),
        )
        return None if replaced is None else part_from(replaced)

    def unfinished(self, bucket: str) -> tuple[int, int]:
        """Number of multipart uploads that were begun, and of their parts."""
        parts = "SELECT count(*) FROM oss_parts JOIN oss_uploads ON upload_id = id WHERE bucket = ?"
        return (
            self._one("SELECT count(*) FROM oss_uploads WHERE bucket = ?", bucket)[0],
            self._one(parts, bucket)[0],
        )

    def usage(self, bucket: str) -> list[tuple[str, int, int]]:
        """Storage class, bytes and number of the objects and older versions, delete markers under their own name."""
        return self._all(
            f"SELECT iif(type = '{DELETE_MARKER}', type, storage_class) AS class, sum(size), count(*)"
            " FROM oss_versions WHERE bucket = ? GROUP BY class",
            bucket,
        )

    def segment_names(self) -> set[str]:
        """Of every file that a version or a part has."""
        rows = self._all(
            "SELECT segments FROM oss_versions WHERE segments <> '' UNION ALL SELECT segments FROM oss_parts"
        )
        return {segment.name for (segments,) in rows for segment in unpacked(segments)}


def prefix_condition(prefix: str) -> tuple[str, tuple[str, ...]]:
    """What SQLite can answer from the order of the keys."""
    if not prefix:
        return "1", ()
    following = after_prefix(prefix)
    return ("key >= ? AND key < ?", (prefix, following)) if following else ("key >= ?", (prefix,))


def after_prefix(prefix: str) -> str:
    """The first key after all that begin with `prefix`; empty when no key can be."""
    while prefix:
        code = ord(prefix[-1]) + 1
        if code == 0xD800:
            code = 0xE000  # surrogates are no characters
        if code < 0x110000:
            return prefix[:-1] + chr(code)
        prefix = prefix[:-1]
    return ""
