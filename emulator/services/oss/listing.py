"""Listings: objects (both versions of the operation) and versions, by prefix and delimiter, page by page."""

import base64
import binascii
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import quote

from emulator.services.oss import xml
from emulator.services.oss.errors import invalid_argument
from emulator.services.oss.index import Version, after_prefix
from emulator.services.oss.operations import operation
from emulator.services.oss.reply import Reply, document
from emulator.services.oss.request import OssRequest, timestamp
from emulator.services.oss.service import Oss

DEFAULT_KEYS, MAX_KEYS = 100, 1000

Encode = Callable[[str], str]
# Entries from a key on: (key, newest sequence to skip on it or None, how many).
Fetch = Callable[[str, int | None, int], list[Version]]


class Page(NamedTuple):
    """`entries` are versions and, as plain strings, common prefixes, in key order."""

    entries: list[Version | str]
    truncated: bool

    @property
    def last_key(self) -> str:
        last = self.entries[-1]
        return last if isinstance(last, str) else last.key


@operation("ListObjects", "GET", "bucket")
def list_objects(oss: Oss, request: OssRequest) -> Reply:
    marker, limit = request.query.get("marker", ""), request.number("max-keys", DEFAULT_KEYS, 0, MAX_KEYS)
    page = _objects(oss, request, marker, limit)
    encode = _encoding(request)
    members = [
        *_asked(request, encode, limit),
        ("Marker", encode(marker)),
        ("IsTruncated", page.truncated),
        ("NextMarker", encode(page.last_key) if page.truncated else None),
        *_entries(oss, page, encode, with_owner=True),
    ]
    return document("ListBucketResult", members)


@operation("ListObjectsV2", "GET", "bucket", "list-type", action="ListObjects")
def list_objects_v2(oss: Oss, request: OssRequest) -> Reply:
    if request.query["list-type"] != "2":
        raise invalid_argument("list-type", request.query["list-type"], "The list type must be 2.")
    limit = request.number("max-keys", DEFAULT_KEYS, 1, MAX_KEYS)
    start_after, token = request.query.get("start-after", ""), request.query.get("continuation-token")
    page = _objects(oss, request, start_after if token is None else _opened(token), limit)
    encode = _encoding(request)
    members = [
        *_asked(request, encode, limit),
        ("StartAfter", encode(start_after) if start_after else None),
        ("ContinuationToken", token),
        ("IsTruncated", page.truncated),
        ("NextContinuationToken", _token(page.last_key) if page.truncated else None),
        ("KeyCount", len(page.entries)),
        *_entries(oss, page, encode, with_owner=request.query.get("fetch-owner") == "true"),
    ]
    return document("ListBucketResult", members)


@operation("ListObjectVersions", "GET", "bucket", "versions")
def list_object_versions(oss: Oss, request: OssRequest) -> Reply:
    limit = request.number("max-keys", DEFAULT_KEYS, 1, MAX_KEYS)
    key_marker, id_marker = request.query.get("key-marker", ""), request.query.get("version-id-marker", "")
    if id_marker and not key_marker:
        raise invalid_argument("version-id-marker", id_marker, "A version-id-marker needs a key-marker.")
    prefix, below = request.query.get("prefix", ""), 0  # of the marker's key nothing, unless a version of it is named
    if id_marker and (marked := oss.index.version(request.bucket, key_marker, id_marker)):
        below = marked.sequence

    def fetch(start: str, beyond: int | None, count: int) -> list[Version]:
        return oss.index.versions(request.bucket, prefix, start, beyond, count)

    page = _page(request, fetch, key_marker, below if key_marker else None, limit)
    encode, last = _encoding(request), page.entries[-1] if page.truncated else None
    members = [
        *_asked(request, encode, limit),
        ("KeyMarker", encode(key_marker)),
        ("VersionIdMarker", id_marker),
        ("IsTruncated", page.truncated),
        ("NextKeyMarker", encode(page.last_key) if page.truncated else None),
        ("NextVersionIdMarker", (last.version_id if isinstance(last, Version) else "") if page.truncated else None),
        *(_version(oss, entry, encode) for entry in page.entries if isinstance(entry, Version)),
        *_prefixes(page, encode),
    ]
    return document("ListVersionsResult", members)


def _objects(oss: Oss, request: OssRequest, after: str, limit: int) -> Page:
    prefix = request.query.get("prefix", "")

    def fetch(start: str, beyond: int | None, count: int) -> list[Version]:
        return oss.index.objects(request.bucket, prefix, start, beyond is not None, count)

    return _page(request, fetch, after, 0 if after else None, limit)


def _page(request: OssRequest, fetch: Fetch, start: str, beyond: int | None, limit: int) -> Page:
    """Up to `limit` entries; keys that share what precedes the next delimiter are one entry, and are skipped over."""
    prefix, delimiter = request.query.get("prefix", ""), request.query.get("delimiter", "")
    entries: list[Version | str] = []
    if delimiter and start and (group := _group(start, prefix, delimiter)) == start:
        start, beyond = after_prefix(group), None
    group = ""
    while len(entries) <= limit:
        wanted = limit + 1 - len(entries)
        batch = fetch(start, beyond, wanted)
        for version in batch:
            if group and version.key.startswith(group):
                continue
            group = _group(version.key, prefix, delimiter)
            entries.append(group or version)
        if len(batch) < wanted:
            break
        start, beyond = (after_prefix(group), None) if group else (batch[-1].key, batch[-1].sequence)
        if not start:
            break
    return Page(entries[:limit], len(entries) > limit and limit > 0)


def _group(key: str, prefix: str, delimiter: str) -> str:
    """The common prefix that `key` is shown as; empty when it is shown itself."""
    if not delimiter or not key.startswith(prefix):
        return ""
    end = key.find(delimiter, len(prefix))
    return key[: end + len(delimiter)] if end >= 0 else ""


def _encoding(request: OssRequest) -> Encode:
    encoding = request.query.get("encoding-type", "")
    if encoding not in ("", "url"):
        raise invalid_argument("encoding-type", encoding, "The encoding type must be url.")
    return (lambda text: quote(text, safe="")) if encoding else str


def _asked(request: OssRequest, encode: Encode, limit: int) -> list[tuple[str, xml.Value]]:
    return [
        ("Name", request.bucket),
        ("Prefix", encode(request.query.get("prefix", ""))),
        ("MaxKeys", limit),
        ("Delimiter", encode(request.query.get("delimiter", ""))),
        ("EncodingType", request.query.get("encoding-type") or None),
    ]


def _entries(oss: Oss, page: Page, encode: Encode, *, with_owner: bool) -> list[tuple[str, xml.Value]]:
    owner = [("Owner", oss.owner)] if with_owner else []
    contents: list[tuple[str, xml.Value]] = [
        ("Contents", [("Key", encode(entry.key)), *_data(entry), *owner])
        for entry in page.entries
        if isinstance(entry, Version)
    ]
    return contents + _prefixes(page, encode)


def _prefixes(page: Page, encode: Encode) -> list[tuple[str, xml.Value]]:
    return [("CommonPrefixes", [("Prefix", encode(entry))]) for entry in page.entries if isinstance(entry, str)]


def _version(oss: Oss, version: Version, encode: Encode) -> tuple[str, xml.Value]:
    members: list[tuple[str, xml.Value]] = [
        ("Key", encode(version.key)),
        ("VersionId", version.version_id),
        ("IsLatest", bool(version.latest)),
    ]
    if version.is_delete_marker:
        return "DeleteMarker", [*members, ("LastModified", timestamp(version.modified)), ("Owner", oss.owner)]
    return "Version", [*members, *_data(version), ("Owner", oss.owner)]


def _data(version: Version) -> list[tuple[str, xml.Value]]:
    return [
        ("LastModified", timestamp(version.modified)),
        ("ETag", f'"{version.etag}"'),
        ("Type", version.type),
        ("Size", version.size),
        ("StorageClass", version.storage_class),
    ]


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _opened(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise invalid_argument("continuation-token", token, "The continuation token is not one of ours.") from None
