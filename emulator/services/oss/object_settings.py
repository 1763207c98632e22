"""What can be changed about an object without its data: ACL and tags. And symbolic links, which have no data."""

import hashlib

from emulator.errors import ApiError
from emulator.services.oss import attributes, xml
from emulator.services.oss.content import Upload
from emulator.services.oss.errors import invalid_argument
from emulator.services.oss.objects import found, stored_headers
from emulator.services.oss.operations import operation
from emulator.services.oss.records import Version, packed_tags
from emulator.services.oss.reply import Reply, document
from emulator.services.oss.request import OssRequest, check_key
from emulator.services.oss.service import Oss


@operation("PutObjectAcl", "PUT", "object", "acl")
def put_object_acl(oss: Oss, request: OssRequest) -> Reply:
    if not request.headers.get("x-oss-object-acl"):
        raise invalid_argument("x-oss-object-acl", "", "The header x-oss-object-acl is missing.")
    acl = attributes.object_acl(request, oss.index.bucket(request.bucket))
    version = _named(oss, request)
    oss.index.update(version, acl=acl)
    return Reply(200, _version_header(oss, version))


@operation("GetObjectAcl", "GET", "object", "acl")
def get_object_acl(oss: Oss, request: OssRequest) -> Reply:
    version = _named(oss, request)
    members = [("Owner", oss.owner), ("AccessControlList", [("Grant", version.acl)])]
    return document("AccessControlPolicy", members, _version_header(oss, version))


@operation("PutObjectTagging", "PUT", "object", "tagging", body="document")
def put_object_tagging(oss: Oss, request: OssRequest) -> Reply:
    root = xml.read(request.document, "Tagging")
    tags = [(tag.findtext("Key") or "", tag.findtext("Value") or "") for tag in root.findall("TagSet/Tag")]
    attributes.check_tags(tags)
    version = _named(oss, request)
    oss.index.update(version, tags=packed_tags(dict(tags)))
    return Reply(200, _version_header(oss, version))


@operation("GetObjectTagging", "GET", "object", "tagging")
def get_object_tagging(oss: Oss, request: OssRequest) -> Reply:
    version = _named(oss, request)
    tags = [("Tag", [("Key", key), ("Value", value)]) for key, value in version.tags.items()]
    return document("Tagging", [("TagSet", tags)], _version_header(oss, version))


@operation("DeleteObjectTagging", "DELETE", "object", "tagging")
def delete_object_tagging(oss: Oss, request: OssRequest) -> Reply:
    version = _named(oss, request)
    oss.index.update(version, tags="")
    return Reply(204, _version_header(oss, version))


@operation("PutSymlink", "PUT", "object", "symlink")
def put_symlink(oss: Oss, request: OssRequest) -> Reply:
    check_key(request.key)
    target = request.headers.get("x-oss-symlink-target", "")
    name = attributes.symlink_target(target)
    if not name or name == request.key:
        raise invalid_argument("x-oss-symlink-target", target, "It must be the name of another object.")
    bucket = oss.index.bucket(request.bucket)
    wanted = attributes.received(request, bucket)
    wanted.headers[attributes.SYMLINK_TARGET] = target
    etag = hashlib.md5(name.encode(), usedforsecurity=False).hexdigest().upper()
    stored = oss.versions.add(bucket, request, wanted, Upload(b"", (), 0, b"", 0), "Symlink", etag)
    return Reply(200, stored_headers(stored, bucket))


@operation("GetSymlink", "GET", "object", "symlink")
def get_symlink(oss: Oss, request: OssRequest) -> Reply:
    version = _named(oss, request)
    if version.type != "Symlink":
        raise ApiError("NotSymlink", "The object is not symlink.")
    bucket = oss.index.bucket(request.bucket)
    return Reply(200, attributes.given_back(version, bucket, request.now))


def _named(oss: Oss, request: OssRequest) -> Version:
    return found(oss, request.bucket, request.key, request.version_id)


def _version_header(oss: Oss, version: Version) -> dict[str, str]:
    return {"x-oss-version-id": version.version_id} if oss.index.bucket(version.bucket).versioning else {}
