"""Deletion of many objects by one request."""

from emulator.services.oss import paging, xml
from emulator.services.oss.operations import operation
from emulator.services.oss.records import Bucket, Version
from emulator.services.oss.reply import Reply, document
from emulator.services.oss.request import OssRequest, check_key
from emulator.services.oss.service import Oss

MAX_OBJECTS = 1000


@operation("DeleteMultipleObjects", "POST", "bucket", "delete", body="document", action="DeleteObject")
def delete_multiple_objects(oss: Oss, request: OssRequest) -> Reply:
    root = xml.read(request.document, "Delete")
    quiet = xml.text(root, "Quiet", "false").lower() == "true"
    wanted = [(element.findtext("Key") or "", xml.text(element, "VersionId")) for element in root.findall("Object")]
    if not 1 <= len(wanted) <= MAX_OBJECTS:
        raise xml.malformed(f"there must be 1 to {MAX_OBJECTS} Object, found {len(wanted)}")
    for key, _ in wanted:
        if not key:
            raise xml.malformed("an Object has no Key")
        check_key(key)
    bucket, encode = oss.index.bucket(request.bucket), paging.encoding(request)
    deleted: list[tuple[str, xml.Value]] = []
    for key, version_id in wanted:
        removed = oss.versions.delete(bucket, key, version_id or None, request.now)
        deleted.append(("Deleted", _deleted(bucket, encode(key), version_id, removed)))
    if quiet:
        return Reply(200)
    return document("DeleteResult", [("EncodingType", request.query.get("encoding-type") or None), *deleted])


def _deleted(bucket: Bucket, key: str, version_id: str, removed: Version | None) -> list[tuple[str, xml.Value]]:
    members: list[tuple[str, xml.Value]] = [("Key", key)]
    if version_id:
        members.append(("VersionId", version_id))
    if removed is not None and bucket.versioning and removed.is_delete_marker:
        members += [("DeleteMarker", True), ("DeleteMarkerVersionId", removed.version_id)]
    return members
