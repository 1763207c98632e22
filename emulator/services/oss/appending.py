"""Appendable objects, which grow at their end."""

import hashlib
from typing import NamedTuple

from emulator.errors import ApiError
from emulator.services.oss import attributes
from emulator.services.oss.content import INLINE_LIMIT, Segment, Upload, combined_crc64
from emulator.services.oss.errors import invalid_argument
from emulator.services.oss.objects import stored_headers
from emulator.services.oss.operations import operation
from emulator.services.oss.records import Version, packed
from emulator.services.oss.reply import Reply
from emulator.services.oss.request import OssRequest, check_key, natural
from emulator.services.oss.service import Oss

MAX_BYTES = 5 * 1024**3


@operation("AppendObject", "POST", "object", "append", body="data", action="PutObject")
def append_object(oss: Oss, request: OssRequest) -> Reply:
    check_key(request.key)
    bucket, data = oss.index.bucket(request.bucket), request.data()
    position = _position(request)
    current = oss.index.latest(request.bucket, request.key)
    if current is None or current.is_delete_marker:
        _check_position(position, 0)
        wanted = attributes.received(request, bucket)
        stored = oss.versions.add(bucket, request, wanted, data, "Appendable", data.md5.hex().upper())
    else:
        if current.type != "Appendable":
            raise ApiError("ObjectNotAppendable", "The object is not appendable.", 409)
        _check_position(position, current.size)
        if current.size + data.size > MAX_BYTES:
            raise ApiError("EntityTooLarge", f"An appendable object has at most {MAX_BYTES} bytes.")
        stored = _grown(oss, current, data, int(request.now.timestamp()))
    return Reply(200, {**stored_headers(stored, bucket), "x-oss-next-append-position": str(stored.size)})


def _grown(oss: Oss, current: Version, data: Upload, now: int) -> Version:
    """Replaces `current`, under the same version id, by itself with `data` behind it."""
    content = _joined(oss, current, data)
    etag = hashlib.md5(bytes.fromhex(current.etag) + data.md5, usedforsecurity=False).hexdigest().upper()
    grown = current._replace(
        sequence=oss.index.next_sequence(),
        size=current.size + data.size,
        etag=etag,
        crc64=str(combined_crc64(int(current.crc64), data.crc64, data.size)),
        modified=now,
        raw_segments=packed(content.segments),
        inline=content.inline,
    )
    oss.index.remove(current)
    oss.index.add(grown)
    return grown


class _Content(NamedTuple):
    inline: bytes | None
    segments: tuple[Segment, ...]


def _joined(oss: Oss, current: Version, data: Upload) -> _Content:
    if current.inline is not None and data.inline is not None:
        whole = current.inline + data.inline
        return _Content(whole, ()) if len(whole) <= INLINE_LIMIT else _Content(None, (oss.blobs.store(whole),))
    if current.inline is not None:
        first = (oss.blobs.store(current.inline),) if current.inline else ()
        return _Content(None, (*first, *data.segments))
    if data.inline is not None:
        *before, last = current.segments
        return _Content(None, (*before, oss.blobs.append(last, data.inline)))
    return _Content(None, (*current.segments, *data.segments))


def _position(request: OssRequest) -> int:
    value = request.query.get("position", "")
    position = natural(value)
    if position is None:
        raise invalid_argument("position", value, "The position must be a number of bytes, at least 0.")
    return position


def _check_position(position: int, size: int) -> None:
    if position != size:
        message = "Position is not equal to file length."
        headers = {"x-oss-next-append-position": str(size)}
        raise ApiError("PositionNotEqualToLength", message, 409, headers=headers)
