"""What the index holds: buckets, versions of objects, multipart uploads and their parts."""

import json
from collections.abc import Sequence
from email.utils import formatdate
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from emulator.services.oss.content import Segment

NULL_VERSION = "null"
DELETE_MARKER = "DeleteMarker"
ARCHIVES = frozenset({"Archive", "ColdArchive", "DeepColdArchive"})


class Encryption(BaseModel):
    """What `ApplyServerSideEncryptionByDefault` says."""

    model_config = ConfigDict(frozen=True)

    algorithm: str
    kms_key_id: str = ""
    kms_data_encryption: str = ""


class Bucket(BaseModel):
    """`versioning` is empty (never set), `Enabled` or `Suspended`; `created` is in seconds since the epoch."""

    model_config = ConfigDict(frozen=True)

    name: str
    region: str
    created: int
    acl: str = "private"
    storage_class: str = "Standard"
    redundancy: str = "LRS"
    versioning: str = ""
    public_access_blocked: bool = False
    encryption: Encryption | None = None
    transfer_acceleration: bool | None = None
    resource_group: str
    access_monitor: str = "Disabled"
    policy: str = ""

    @property
    def location(self) -> str:
        return f"oss-{self.region}"


class Attributes(NamedTuple):
    """What is said about an object beside its data. `headers` are those that are given back with it."""

    headers: dict[str, str]
    tags: dict[str, str]
    acl: str
    storage_class: str


class Version(NamedTuple):
    """A version of an object, or a delete marker. `modified` is in seconds since the epoch, `etag` without quotes.

    `readable_*` are when a restored object in an archive storage class can be read, else 0. `raw_*` are as the
    database has them. `inline` is not read in listings.
    """

    bucket: str
    key: str
    sequence: int
    version_id: str
    latest: int
    type: str
    size: int
    etag: str
    crc64: str
    modified: int
    storage_class: str
    acl: str
    raw_headers: str
    raw_tags: str
    readable_from: int
    readable_until: int
    raw_segments: str
    inline: bytes | None = None

    @property
    def position(self) -> int:
        """Among the versions of its key, the newest highest."""
        return self.sequence

    @property
    def is_delete_marker(self) -> bool:
        return self.type == DELETE_MARKER

    def restoration(self, now: float) -> str:
        """What `x-oss-restore` says of it: empty when it is not in an archive, or not being restored."""
        if self.storage_class not in ARCHIVES or self.readable_until <= now:
            return ""
        if self.readable_from > now:
            return 'ongoing-request="true"'
        return f'ongoing-request="false", expiry-date="{formatdate(self.readable_until, usegmt=True)}"'

    def is_frozen(self, now: float) -> bool:
        """Whether it must be restored before it can be read."""
        return self.storage_class in ARCHIVES and not self.readable_from <= now < self.readable_until

    @property
    def headers(self) -> dict[str, str]:
        return dict(json.loads(self.raw_headers))

    @property
    def tags(self) -> dict[str, str]:
        return dict(json.loads(self.raw_tags)) if self.raw_tags else {}

    @property
    def segments(self) -> tuple[Segment, ...]:
        return unpacked(self.raw_segments)


class MultipartUpload(NamedTuple):
    bucket: str
    key: str
    id: str
    initiated: int
    attributes: Attributes

    @property
    def position(self) -> str:
        """Among the uploads of its key."""
        return self.id


class Part(NamedTuple):
    number: int
    size: int
    etag: str
    crc64: int
    modified: int
    segments: tuple[Segment, ...]


def packed(segments: Sequence[Segment]) -> str:
    return json.dumps(segments) if segments else ""


def packed_tags(tags: dict[str, str]) -> str:
    return json.dumps(tags) if tags else ""


def unpacked(segments: str) -> tuple[Segment, ...]:
    return tuple(Segment(*each) for each in json.loads(segments)) if segments else ()


def upload_from(row: Sequence[Any]) -> MultipartUpload:
    bucket, key, upload_id, initiated, storage_class, acl, headers, tags = row
    attributes = Attributes(json.loads(headers), json.loads(tags), acl, storage_class)
    return MultipartUpload(bucket, key, upload_id, initiated, attributes)


def part_from(row: Sequence[Any]) -> Part:
    _, number, size, etag, checksum, modified, segments = row
    return Part(number, size, etag, int(checksum), modified, unpacked(segments))
