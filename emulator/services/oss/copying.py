"""Copies of objects, whole or as a part of a multipart upload."""

import re
from collections.abc import AsyncIterator
from urllib.parse import unquote

from emulator.errors import ApiError
from emulator.services.oss import attributes, conditions, encryption
from emulator.services.oss.content import Upload, cut
from emulator.services.oss.errors import access_denied, invalid_argument
from emulator.services.oss.objects import check_restored, found, stored_headers
from emulator.services.oss.operations import operation
from emulator.services.oss.records import Attributes, Bucket, Version
from emulator.services.oss.reply import Reply, document
from emulator.services.oss.request import OssRequest, check_bucket_name, check_key, timestamp
from emulator.services.oss.service import Oss

CONDITIONS = "x-oss-copy-source-"
MAX_BYTES = 5 * 1024**3
RANGE = re.compile(r"^bytes=(\d{1,18})-(\d{1,18})$", re.ASCII)


@operation("CopyObject", "PUT", "object", "copy", action="PutObject")
def copy_object(oss: Oss, request: OssRequest) -> Reply:
    check_key(request.key)
    bucket, original = oss.index.bucket(request.bucket), source(oss, request)
    if original.size > MAX_BYTES:
        raise ApiError(
            "EntityTooLarge", "The object is too large to be copied at once.", details={"Size": str(original.size)}
        )
    wanted = _attributes(request, bucket, original)
    kind = "Multipart" if original.type == "Multipart" else "Normal"
    data = Upload(original.inline, oss.blobs.link(original.segments), original.size, b"", int(original.crc64))
    stored = oss.versions.add(bucket, request, wanted, data, kind, original.etag)
    headers = stored_headers(stored, bucket)
    headers["x-oss-copy-source-version-id"] = original.version_id
    members = [("ETag", f'"{stored.etag}"'), ("LastModified", timestamp(stored.modified))]
    return document("CopyObjectResult", members, headers)


def source(oss: Oss, request: OssRequest) -> Version:
    """What `x-oss-copy-source` names, if it is as the request's conditions want it."""
    bucket, key, version_id = source_name(request)
    if oss.index.bucket(bucket).region != oss.index.bucket(request.bucket).region:
        raise access_denied("Target object does not reside in the same data center as source object.")
    original = found(oss, bucket, key, version_id)
    conditions.check(original, request.headers, CONDITIONS)
    check_restored(oss, original, request.now)
    return original


def source_name(request: OssRequest) -> tuple[str, str, str | None]:
    """Bucket, key and version id (or None) of the header `x-oss-copy-source`: `/BUCKET/KEY[?versionId=ID]`."""
    header = request.headers["x-oss-copy-source"]
    path, _, query = header.encode("latin-1").decode(errors="replace").partition("?versionId=")
    bucket, _, key = unquote(path).removeprefix("/").partition("/")
    if not bucket or not key:
        raise invalid_argument("x-oss-copy-source", header, "It must be /BUCKET/KEY, percent-encoded.")
    check_bucket_name(bucket)
    return bucket, key, query or None


def _attributes(request: OssRequest, bucket: Bucket, original: Version) -> Attributes:
    """Those of the original or of the request, as its directives say."""
    asked = attributes.received(request, bucket)
    replace = _directive(request, "x-oss-metadata-directive") == "REPLACE"
    itself = (original.bucket, original.key) == (request.bucket, request.key)
    if replace:
        headers = asked.headers
    else:
        headers = {name: value for name, value in original.headers.items() if name not in encryption.HEADERS}
        headers |= encryption.of_object(request.headers, bucket)
    tags = asked.tags if _directive(request, "x-oss-tagging-directive") == "REPLACE" else original.tags
    if itself and not request.headers.get("x-oss-storage-class"):
        return asked._replace(headers=headers, tags=tags, storage_class=original.storage_class)
    return asked._replace(headers=headers, tags=tags)


def _directive(request: OssRequest, name: str) -> str:
    value = request.headers.get(name, "COPY").upper()
    if value not in ("COPY", "REPLACE"):
        raise invalid_argument(name, value, f"{name} must be COPY or REPLACE.")
    return value


async def part_data(oss: Oss, request: OssRequest) -> AsyncIterator[bytes]:
    """The bytes that UploadPartCopy takes: those of `x-oss-copy-source-range`, or all."""
    original = source(oss, request)
    start, size = _range(request, original.size)
    if original.inline is not None:
        yield original.inline[start : start + size]
        return
    reader = oss.blobs.open(cut(original.segments, start, size))
    try:
        async for chunk in reader.stream():
            yield chunk
    finally:
        reader.close()


def _range(request: OssRequest, size: int) -> tuple[int, int]:
    header = request.headers.get("x-oss-copy-source-range")
    if header is None:
        return 0, size
    match = RANGE.match(header)
    first, last = (int(match[1]), min(int(match[2]), size - 1)) if match else (0, -1)
    if first > last:
        message = f"The range must be bytes=FIRST-LAST within the {size} bytes of the object."
        raise invalid_argument("x-oss-copy-source-range", header, message)
    return first, last - first + 1
