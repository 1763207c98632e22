"""The headers of objects: those that a request stores, and those that an answer gives back."""

import json
from datetime import datetime
from email.utils import formatdate
from urllib.parse import parse_qsl, unquote

from emulator.errors import ApiError
from emulator.services.oss import encryption
from emulator.services.oss.access import OBJECT_ACLS, PUBLIC_READ, PUBLIC_READ_WRITE
from emulator.services.oss.errors import access_denied, invalid_argument
from emulator.services.oss.records import ARCHIVES, Attributes, Bucket, Version
from emulator.services.oss.request import OssRequest

STORAGE_CLASSES = ("Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")
USER_PREFIX = "x-oss-meta-"
SYMLINK_TARGET = "x-oss-symlink-target"
MAX_TAGS = 10
MAX_USER_BYTES = 8 * 1024

_STORED = ("content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires")
_OVERRIDES = ("content-type", "content-language", "expires", "cache-control", "content-disposition", "content-encoding")


def received(request: OssRequest, bucket: Bucket) -> Attributes:
    """What the headers of an upload say about the object; InvalidArgument and its like when they cannot be meant."""
    headers = request.headers
    stored = {name: headers[name] for name in _STORED if name in headers}
    user = {name: value for name, value in headers.items() if name.startswith(USER_PREFIX)}
    if sum(map(len, (*user, *user.values()))) > MAX_USER_BYTES:
        raise invalid_argument("x-oss-meta", "", f"User metadata is longer than {MAX_USER_BYTES} bytes.")
    stored.setdefault("content-type", "application/octet-stream")
    return Attributes(
        {**stored, **user, **encryption.of_object(headers, bucket)},
        parsed_tags(headers.get("x-oss-tagging", "")),
        object_acl(request, bucket),
        storage_class(headers.get("x-oss-storage-class") or bucket.storage_class),
    )


def object_acl(request: OssRequest, bucket: Bucket) -> str:
    acl = request.headers.get("x-oss-object-acl") or "default"
    if acl not in OBJECT_ACLS:
        raise invalid_argument("x-oss-object-acl", acl, f"The ACL must be one of {', '.join(OBJECT_ACLS)}.")
    if bucket.public_access_blocked and acl in (PUBLIC_READ, PUBLIC_READ_WRITE):
        raise access_denied("Put public object acl is not allowed.")
    return acl


def storage_class(name: str) -> str:
    if name not in STORAGE_CLASSES:
        message = f"The storage class must be one of {', '.join(STORAGE_CLASSES)}."
        raise invalid_argument("x-oss-storage-class", name, message)
    return name


def parsed_tags(header: str) -> dict[str, str]:
    """The tags of an `x-oss-tagging` header (`a=1&b=2`)."""
    if not header:
        return {}
    pairs = parse_qsl(header, keep_blank_values=True)
    check_tags(pairs)
    return dict(pairs)


def check_tags(pairs: list[tuple[str, str]], limit: int = MAX_TAGS) -> None:
    """InvalidTag unless `pairs` can be the tags of an object, or of a bucket."""
    if len(pairs) > limit:
        raise ApiError("InvalidTag", f"There can be at most {limit} tags, found {len(pairs)}.")
    if len(dict(pairs)) < len(pairs):
        raise ApiError("InvalidTag", "Cannot provide multiple tags with the same key.")
    for key, value in pairs:
        if not 1 <= len(key) <= 128:
            raise ApiError("InvalidTag", f"A tag's key must have 1 to 128 characters, found {key!r}.")
        if len(value) > 256:
            raise ApiError("InvalidTag", f"A tag's value must have at most 256 characters; {key!r} has {len(value)}.")


def given_back(version: Version, bucket: Bucket, now: datetime) -> dict[str, str]:
    """The headers of an answer that is about `version`'s data, without its length."""
    headers = version.headers
    headers["accept-ranges"] = "bytes"
    headers["etag"] = f'"{version.etag}"'
    headers["last-modified"] = formatdate(version.modified, usegmt=True)
    headers["x-oss-object-type"] = version.type
    headers["x-oss-storage-class"] = version.storage_class
    headers["x-oss-hash-crc64ecma"] = version.crc64
    if version.type == "Appendable":
        headers["x-oss-next-append-position"] = str(version.size)
    if version.raw_tags:
        headers["x-oss-tagging-count"] = str(len(json.loads(version.raw_tags)))
    if version.storage_class in ARCHIVES and (restoration := version.restoration(now.timestamp())):
        headers["x-oss-restore"] = restoration
    if bucket.versioning:
        headers["x-oss-version-id"] = version.version_id
    return headers


def overridden(headers: dict[str, str], request: OssRequest) -> None:
    """Puts the `response-*` parameters of a signed GET into the answer's headers."""
    for name in _OVERRIDES:
        if (value := request.query.get(f"response-{name}")) is not None:
            if request.caller is None:
                raise ApiError("InvalidRequest", "An anonymous request cannot override the headers of the answer.")
            headers[name] = value.encode().decode("latin-1")


def symlink_target(header: str) -> str:
    """The key that an `x-oss-symlink-target` header means."""
    return unquote(header.encode("latin-1").decode(errors="replace"))
