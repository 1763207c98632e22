"""Multipart uploads: begun, filled part by part in any order, completed into an object or aborted."""

import hashlib
import uuid
from collections.abc import Sequence

from emulator.errors import ApiError
from emulator.services.oss import attributes, paging, xml
from emulator.services.oss.content import Upload, combined_crc64
from emulator.services.oss.errors import invalid_argument, no_such_upload
from emulator.services.oss.objects import stored_headers
from emulator.services.oss.operations import operation
from emulator.services.oss.paging import Place
from emulator.services.oss.records import MultipartUpload, Part
from emulator.services.oss.reply import Reply, document
from emulator.services.oss.request import OssRequest, check_key, natural, timestamp
from emulator.services.oss.service import Oss

MAX_PARTS = 10_000
MIN_PART_BYTES = 100 * 1024  # of every part but the last
BEHIND_ALL = "~"  # sorts after every upload id


@operation("InitiateMultipartUpload", "POST", "object", "uploads", action="PutObject")
def initiate_multipart_upload(oss: Oss, request: OssRequest) -> Reply:
    check_key(request.key)
    bucket = oss.index.bucket(request.bucket)
    oss.versions.check_overwrite(request)
    upload_id = uuid.uuid4().hex.upper()
    initiated = int(request.now.timestamp())
    upload = MultipartUpload(request.bucket, request.key, upload_id, initiated, attributes.received(request, bucket))
    oss.index.add_upload(upload)
    encode = paging.encoding(request)
    members: list[tuple[str, xml.Value]] = [
        ("EncodingType", request.query.get("encoding-type") or None),
        ("Bucket", request.bucket),
        ("Key", encode(request.key)),
        ("UploadId", upload_id),
    ]
    return document("InitiateMultipartUploadResult", members)


@operation("UploadPart", "PUT", "object", "uploadId", body="part", action="PutObject")
def upload_part(oss: Oss, request: OssRequest) -> Reply:
    data = request.data()
    part = _stored(oss, request, data)
    return Reply(200, {"etag": f'"{part.etag}"', "x-oss-hash-crc64ecma": str(part.crc64)})


@operation("UploadPartCopy", "PUT", "object", "uploadId copy", body="copied part", action="PutObject")
def upload_part_copy(oss: Oss, request: OssRequest) -> Reply:
    part = _stored(oss, request, request.data())
    members = [("LastModified", timestamp(part.modified)), ("ETag", f'"{part.etag}"')]
    return document("CopyPartResult", members, {"etag": f'"{part.etag}"'})


def _stored(oss: Oss, request: OssRequest, data: Upload) -> Part:
    upload = _upload(oss, request)
    number = request.number("partNumber", 0, 1, MAX_PARTS)
    if not number:
        raise invalid_argument("partNumber", "", f"Part number must be an integer between 1 and {MAX_PARTS}.")
    modified = int(request.now.timestamp())
    part = Part(number, data.size, data.md5.hex().upper(), data.crc64, modified, data.segments)
    replaced = oss.index.put_part(upload.id, part)
    if replaced is not None:
        oss.discard(replaced.segments)
    return part


@operation("CompleteMultipartUpload", "POST", "object", "uploadId", body="document", action="PutObject")
def complete_multipart_upload(oss: Oss, request: OssRequest) -> Reply:
    bucket, upload = oss.index.bucket(request.bucket), _upload(oss, request)
    uploaded = oss.index.parts(upload.id)
    chosen = _chosen(request, upload, uploaded)
    for part in chosen[:-1]:
        if part.size < MIN_PART_BYTES:
            raise _too_small(part)
    stored = oss.versions.add(bucket, request, upload.attributes, _joined(chosen), "Multipart", _etag(chosen))
    oss.index.delete_upload(upload)
    kept = {part.number for part in chosen}
    oss.discard([segment for part in uploaded if part.number not in kept for segment in part.segments])
    encode = paging.encoding(request)
    members: list[tuple[str, xml.Value]] = [
        ("EncodingType", request.query.get("encoding-type") or None),
        ("Location", f"http://{request.bucket}.{bucket.location}.aliyuncs.com/{encode(request.key)}"),
        ("Bucket", request.bucket),
        ("Key", encode(request.key)),
        ("ETag", f'"{stored.etag}"'),
    ]
    return document("CompleteMultipartUploadResult", members, stored_headers(stored, bucket))


def _chosen(request: OssRequest, upload: MultipartUpload, uploaded: list[Part]) -> list[Part]:
    """The parts that make the object: those that the document lists, or all when the header says so."""
    if "x-oss-complete-all" in request.headers:
        if request.headers["x-oss-complete-all"].lower() != "yes":
            raise invalid_argument("x-oss-complete-all", request.headers["x-oss-complete-all"], "It must be yes.")
        if request.document:
            raise invalid_argument("x-oss-complete-all", "yes", "No parts may be listed with x-oss-complete-all.")
        chosen = uploaded
    else:
        chosen = _listed(request.document, upload, {part.number: part for part in uploaded})
    if not chosen:
        raise xml.malformed("there is no part to complete the upload with")
    return chosen


def _listed(body: bytes, upload: MultipartUpload, uploaded: dict[int, Part]) -> list[Part]:
    chosen: list[Part] = []
    for element in xml.read(body, "CompleteMultipartUpload").findall("Part"):
        number, etag = xml.required(element, "PartNumber"), xml.text(element, "ETag").strip('"').upper()
        part = uploaded.get(natural(number) or 0)
        if part is None or (etag and etag != part.etag):
            message = "One or more of the specified parts could not be found or the specified entity tag did not match."
            details = {"UploadId": upload.id, "PartNumber": number, "PartEtag": etag}
            raise ApiError("InvalidPart", message, details=details)
        if chosen and part.number <= chosen[-1].number:
            message = "The list of parts was not in ascending order. Parts list must specified in order by part number."
            raise ApiError("InvalidPartOrder", message, details={"UploadId": upload.id})
        chosen.append(part)
    return chosen


def _joined(parts: Sequence[Part]) -> Upload:
    """The parts' files one after the other, as they are: nothing is copied."""
    checksum, size = 0, 0
    for part in parts:
        checksum = combined_crc64(checksum, part.crc64, part.size) if size else part.crc64
        size += part.size
    segments = tuple(segment for part in parts for segment in part.segments)
    return Upload(None, segments, size, b"", checksum)


def _etag(parts: Sequence[Part]) -> str:
    joined = b"".join(bytes.fromhex(part.etag) for part in parts)
    return f"{hashlib.md5(joined, usedforsecurity=False).hexdigest().upper()}-{len(parts)}"


def _too_small(part: Part) -> ApiError:
    details = {
        "ETag": part.etag,
        "MinSizeAllowed": str(MIN_PART_BYTES),
        "ProposedSize": str(part.size),
        "PartNumber": str(part.number),
    }
    message = "Your proposed upload is smaller than the minimum allowed size."
    return ApiError("EntityTooSmall", message, details=details)


@operation("AbortMultipartUpload", "DELETE", "object", "uploadId")
def abort_multipart_upload(oss: Oss, request: OssRequest) -> Reply:
    oss.abort(_upload(oss, request))
    return Reply(204)


@operation("ListParts", "GET", "object", "uploadId")
def list_parts(oss: Oss, request: OssRequest) -> Reply:
    upload, encode = _upload(oss, request), paging.encoding(request)
    limit = request.number("max-parts", 1000, 1, 1000)
    marker = request.number("part-number-marker", 0, 0, MAX_PARTS)
    found = [part for part in oss.index.parts(upload.id) if part.number > marker]
    shown = found[:limit]
    members: list[tuple[str, xml.Value]] = [
        ("EncodingType", request.query.get("encoding-type") or None),
        ("Bucket", request.bucket),
        ("Key", encode(request.key)),
        ("UploadId", upload.id),
        ("StorageClass", upload.attributes.storage_class),
        ("PartNumberMarker", marker),
        ("NextPartNumberMarker", shown[-1].number if shown else 0),
        ("MaxParts", limit),
        ("IsTruncated", len(found) > limit),
        *(("Part", _part(part)) for part in shown),
    ]
    return document("ListPartsResult", members)


def _part(part: Part) -> list[tuple[str, xml.Value]]:
    return [
        ("PartNumber", part.number),
        ("LastModified", timestamp(part.modified)),
        ("ETag", f'"{part.etag}"'),
        ("HashCrc64ecma", part.crc64),
        ("Size", part.size),
    ]


@operation("ListMultipartUploads", "GET", "bucket", "uploads")
def list_multipart_uploads(oss: Oss, request: OssRequest) -> Reply:
    limit = request.number("max-uploads", 1000, 1, 1000)
    key_marker, id_marker = request.query.get("key-marker", ""), request.query.get("upload-id-marker", "")
    start = Place(key_marker, (id_marker or BEHIND_ALL) if key_marker else None)
    prefix, encode = request.query.get("prefix", ""), paging.encoding(request)
    page = paging.page(
        request, start, limit, lambda place, count: oss.index.uploads(request.bucket, prefix, *place, count)
    )
    last_id = page.last.id if isinstance(page.last, MultipartUpload) else ""
    members: list[tuple[str, xml.Value]] = [
        ("Bucket", request.bucket),
        *paging.asked(request, encode),
        ("KeyMarker", encode(key_marker)),
        ("UploadIdMarker", id_marker),
        ("NextKeyMarker", encode(page.last_key or "")),
        ("NextUploadIdMarker", last_id),
        ("MaxUploads", limit),
        ("IsTruncated", page.truncated),
        *(("Upload", _upload_entry(upload, encode)) for upload in page.found),
        *paging.common_prefixes(page.prefixes, encode),
    ]
    return document("ListMultipartUploadsResult", members)


def _upload_entry(upload: MultipartUpload, encode: paging.Encode) -> list[tuple[str, xml.Value]]:
    return [
        ("Key", encode(upload.key)),
        ("UploadId", upload.id),
        ("StorageClass", upload.attributes.storage_class),
        ("Initiated", timestamp(upload.initiated)),
    ]


def _upload(oss: Oss, request: OssRequest) -> MultipartUpload:
    upload = oss.index.upload(request.bucket, request.key, request.query["uploadId"])
    if upload is None:
        raise no_such_upload(request.query["uploadId"])
    return upload
