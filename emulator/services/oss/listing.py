"""Listings: objects (both versions of the operation) and versions, by prefix and delimiter, page by page."""

import base64
import binascii

from emulator.services.oss import paging, xml
from emulator.services.oss.errors import invalid_argument
from emulator.services.oss.operations import operation
from emulator.services.oss.paging import Encode, Page, Place
from emulator.services.oss.records import Version
from emulator.services.oss.reply import Reply, document
from emulator.services.oss.request import OssRequest, timestamp
from emulator.services.oss.service import Oss

DEFAULT_KEYS, MAX_KEYS = 100, 1000


@operation("ListObjects", "GET", "bucket")
def list_objects(oss: Oss, request: OssRequest) -> Reply:
    marker, limit = request.query.get("marker", ""), request.number("max-keys", DEFAULT_KEYS, 0, MAX_KEYS)
    page, encode = _objects(oss, request, marker, limit), paging.encoding(request)
    members: list[tuple[str, xml.Value]] = [
        ("Name", request.bucket),
        *paging.asked(request, encode),
        ("Marker", encode(marker)),
        ("MaxKeys", limit),
        ("IsTruncated", page.truncated),
        ("NextMarker", encode(page.last_key) if page.last_key else None),
        *_contents(oss, request, page, with_owner=True),
    ]
    return document("ListBucketResult", members)


@operation("ListObjectsV2", "GET", "bucket", "list-type", action="ListObjects")
def list_objects_v2(oss: Oss, request: OssRequest) -> Reply:
    if request.query["list-type"] != "2":
        raise invalid_argument("list-type", request.query["list-type"], "The list type must be 2.")
    limit = request.number("max-keys", DEFAULT_KEYS, 1, MAX_KEYS)
    after, token = request.query.get("start-after", ""), request.query.get("continuation-token", "")
    page = _objects(oss, request, _opened(token) if token else after, limit)
    encode = paging.encoding(request)
    members: list[tuple[str, xml.Value]] = [
        ("Name", request.bucket),
        *paging.asked(request, encode),
        ("StartAfter", encode(after) if after else None),
        ("MaxKeys", limit),
        ("ContinuationToken", token or None),
        ("IsTruncated", page.truncated),
        ("NextContinuationToken", _token(page.last_key) if page.last_key else None),
        ("KeyCount", page.size),
        *_contents(oss, request, page, with_owner=request.query.get("fetch-owner") == "true"),
    ]
    return document("ListBucketResult", members)


@operation("ListObjectVersions", "GET", "bucket", "versions")
def list_object_versions(oss: Oss, request: OssRequest) -> Reply:
    limit = request.number("max-keys", DEFAULT_KEYS, 1, MAX_KEYS)
    key_marker, id_marker = request.query.get("key-marker", ""), request.query.get("version-id-marker", "")
    if id_marker and not key_marker:
        raise invalid_argument("version-id-marker", id_marker, "A version-id-marker needs a key-marker.")
    marked = oss.index.version(request.bucket, key_marker, id_marker) if id_marker else None
    # Without a version's id nothing more of the marked key: there is no position below 0.
    start = Place(key_marker, (marked.position if marked else 0) if key_marker else None)
    prefix, encode = request.query.get("prefix", ""), paging.encoding(request)
    page = paging.page(
        request, start, limit, lambda place, count: oss.index.versions(request.bucket, prefix, *place, count)
    )
    last_id = page.last.version_id if isinstance(page.last, Version) else ""
    members: list[tuple[str, xml.Value]] = [
        ("Name", request.bucket),
        *paging.asked(request, encode),
        ("KeyMarker", encode(key_marker)),
        ("VersionIdMarker", id_marker),
        ("MaxKeys", limit),
        ("IsTruncated", page.truncated),
        ("NextKeyMarker", encode(page.last_key) if page.last_key else None),
        ("NextVersionIdMarker", last_id if page.truncated else None),
        *(_version(oss, version, encode) for version in page.found),
        *paging.common_prefixes(page.prefixes, encode),
    ]
    return document("ListVersionsResult", members)


def _objects(oss: Oss, request: OssRequest, after: str, limit: int) -> Page[Version]:
    prefix, start = request.query.get("prefix", ""), Place(after, 0 if after else None)
    return paging.page(
        request, start, limit, lambda place, count: oss.index.objects(request.bucket, prefix, *place, count)
    )


def _contents(oss: Oss, request: OssRequest, page: Page[Version], *, with_owner: bool) -> list[tuple[str, xml.Value]]:
    encode, now = paging.encoding(request), request.now.timestamp()
    owner: list[tuple[str, xml.Value]] = [("Owner", oss.owner)] if with_owner else []
    contents: list[tuple[str, xml.Value]] = [
        ("Contents", [("Key", encode(version.key)), *_data(version), *_restoration(version, now), *owner])
        for version in page.found
    ]
    return contents + paging.common_prefixes(page.prefixes, encode)


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


def _restoration(version: Version, now: float) -> list[tuple[str, xml.Value]]:
    return [("RestoreInfo", version.restoration(now) or None)] if version.readable_until else []


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _opened(token: str) -> str:
    try:
        return base64.b64decode(token.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeError):
        raise invalid_argument("continuation-token", token, "The continuation token is not one of ours.") from None
