"""Objects: put, get, head, delete."""

import base64
from datetime import datetime
from email.utils import formatdate

from emulator.errors import ApiError
from emulator.services.oss import attributes, conditions, encryption
from emulator.services.oss.content import cut
from emulator.services.oss.errors import no_such_key, no_such_version
from emulator.services.oss.operations import operation
from emulator.services.oss.records import Bucket, Version
from emulator.services.oss.reply import Reply
from emulator.services.oss.request import OssRequest, check_key
from emulator.services.oss.service import Oss


@operation("PutObject", "PUT", "object", body="data")
def put_object(oss: Oss, request: OssRequest) -> Reply:
    check_key(request.key)
    bucket = oss.index.bucket(request.bucket)
    data = request.data()
    stored = oss.versions.add(
        bucket, request, attributes.received(request, bucket), data, "Normal", data.md5.hex().upper()
    )
    return Reply(200, stored_headers(stored, bucket))


@operation("GetObject", "GET", "object")
def get_object(oss: Oss, request: OssRequest) -> Reply:
    bucket = oss.index.bucket(request.bucket)
    version = readable(oss, request)
    conditions.check(version, request.headers)
    check_restored(oss, version, request.now)
    headers = attributes.given_back(version, bucket, request.now)
    attributes.overridden(headers, request)
    part = conditions.byte_range(request, version.size)
    start, size = part or (0, version.size)
    if part:
        headers["content-range"] = f"bytes {start}-{start + size - 1}/{version.size}"
    status = 206 if part else 200
    if version.inline is not None:
        return Reply(status, headers, version.inline[start : start + size] if part else version.inline)
    return Reply(status, headers, oss.blobs.open(cut(version.segments, start, size)), size)


@operation("HeadObject", "HEAD", "object", action="GetObject")
def head_object(oss: Oss, request: OssRequest) -> Reply:
    bucket = oss.index.bucket(request.bucket)
    version = readable(oss, request)
    conditions.check(version, request.headers)
    return Reply(200, attributes.given_back(version, bucket, request.now), size=version.size)


@operation("GetObjectMeta", "HEAD", "object", "objectMeta", action="GetObject")
def get_object_meta(oss: Oss, request: OssRequest) -> Reply:
    bucket = oss.index.bucket(request.bucket)
    version = readable(oss, request)
    headers = {
        "etag": f'"{version.etag}"',
        "last-modified": formatdate(version.modified, usegmt=True),
        "x-oss-hash-crc64ecma": version.crc64,
    }
    if bucket.versioning:
        headers["x-oss-version-id"] = version.version_id
    return Reply(200, headers, size=version.size)


@operation("DeleteObject", "DELETE", "object")
def delete_object(oss: Oss, request: OssRequest) -> Reply:
    bucket = oss.index.bucket(request.bucket)
    removed = oss.versions.delete(bucket, request.key, request.version_id, request.now)
    headers: dict[str, str] = {}
    if removed is not None and bucket.versioning:
        headers["x-oss-version-id"] = removed.version_id
        if removed.is_delete_marker:
            headers["x-oss-delete-marker"] = "true"
    return Reply(204, headers)


def readable(oss: Oss, request: OssRequest) -> Version:
    """The version that a request reads: the one it names or the latest, behind a symbolic link if it is one."""
    version = found(oss, request.bucket, request.key, request.version_id)
    if version.type == "Symlink":
        target = version.headers[attributes.SYMLINK_TARGET]
        version = found(oss, request.bucket, attributes.symlink_target(target), None, link=request.key)
    return version


def found(oss: Oss, bucket: str, key: str, version_id: str | None, link: str = "") -> Version:
    """NoSuchKey or NoSuchVersion when there is none, or only a delete marker."""
    if version_id is not None:
        version = oss.index.version(bucket, key, version_id)
        if version is None:
            raise no_such_version(key, version_id)
        if version.is_delete_marker:
            headers = {"x-oss-delete-marker": "true", "x-oss-version-id": version.version_id}
            message = "The specified method is not allowed against this resource."
            raise ApiError("MethodNotAllowed", message, 405, headers=headers)
        return version
    version = oss.index.latest(bucket, key)
    if version is None or version.is_delete_marker:
        if link:
            message = "The target of the symbolic link does not exist."
            raise ApiError("SymlinkTargetNotExist", message, 404, details={"Key": link})
        error = no_such_key(key)
        if version is not None:
            error.headers = {"x-oss-delete-marker": "true", "x-oss-version-id": version.version_id}
        raise error
    return version


def check_restored(oss: Oss, version: Version, now: datetime) -> None:
    """InvalidObjectState for an object in an archive that is not restored and cannot be read directly."""
    if not version.is_frozen(now.timestamp()):
        return
    direct = oss.index.setting(version.bucket, "bucketArchiveDirectRead")
    if version.storage_class == "Archive" and direct is not None and b"<Enabled>true</Enabled>" in direct:
        return
    message = "The operation is not valid for the object's state."
    raise ApiError("InvalidObjectState", message, 403, details={"ObjectName": version.key})


def stored_headers(version: Version, bucket: Bucket) -> dict[str, str]:
    """What the answer to an upload says."""
    headers = {
        "etag": f'"{version.etag}"',
        "x-oss-hash-crc64ecma": version.crc64,
    }
    if version.type == "Normal":
        headers["content-md5"] = base64.b64encode(bytes.fromhex(version.etag)).decode()
    if bucket.versioning:
        headers["x-oss-version-id"] = version.version_id
    kept = version.headers
    for name in encryption.HEADERS:
        if name in kept:
            headers[name] = kept[name]
    return headers
