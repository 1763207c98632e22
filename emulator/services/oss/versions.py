"""How versions of an object come and go, by the bucket's versioning state."""

import base64
import json
import os
from collections.abc import Callable, Iterable
from datetime import datetime

from emulator.errors import ApiError
from emulator.services.oss.content import Segment, Upload
from emulator.services.oss.errors import no_such_version
from emulator.services.oss.index import Index
from emulator.services.oss.records import DELETE_MARKER, NULL_VERSION, Attributes, Bucket, Version, packed, packed_tags
from emulator.services.oss.request import OssRequest


class Versions:
    """`discard` is told which files belong to nobody once the transaction is committed."""

    def __init__(self, index: Index, discard: Callable[[Iterable[Segment]], None]) -> None:
        self._index, self._discard = index, discard

    def add(
        self, bucket: Bucket, request: OssRequest, attributes: Attributes, data: Upload, kind: str, etag: str
    ) -> Version:
        """Stores `data` as the object's current version; FileAlreadyExists when it must not replace one."""
        self.check_overwrite(request)
        version = Version(
            bucket.name, request.key, self._index.next_sequence(), NULL_VERSION, 1, kind,
            data.size, etag, str(data.crc64), int(request.now.timestamp()),
            attributes.storage_class, attributes.acl, json.dumps(attributes.headers),
            packed_tags(attributes.tags), 0, 0, packed(data.segments), data.inline,
        )  # fmt: skip
        return self._put(bucket, version)

    def check_overwrite(self, request: OssRequest) -> None:
        """FileAlreadyExists (409) when the request forbids to overwrite an object and there is one already."""
        if not request.header_flag("x-oss-forbid-overwrite"):
            return
        current = self._index.latest(request.bucket, request.key)
        if current is not None and not current.is_delete_marker:
            message = "The object you specified already exists and can not be overwritten."
            raise ApiError("FileAlreadyExists", message, 409)

    def delete(self, bucket: Bucket, key: str, version_id: str | None, now: datetime) -> Version | None:
        """Deletes a version for good, or the current one: behind a delete marker where the bucket keeps versions.

        What was removed or the delete marker that was put, None when there was nothing.
        """
        if version_id is not None:
            version = self._index.version(bucket.name, key, version_id)
            if version is None:
                if not bucket.versioning and version_id != NULL_VERSION:
                    raise no_such_version(key, version_id)
                return None
            self._remove(version)
            return version
        if not bucket.versioning:
            current = self._index.latest(bucket.name, key)
            if current is not None:
                self._remove(current)
            return current
        marker = Version(
            bucket.name, key, self._index.next_sequence(), NULL_VERSION, 1, DELETE_MARKER,
            0, "", "0", int(now.timestamp()), "Standard", "default", "{}", "", 0, 0, "",
        )  # fmt: skip
        return self._put(bucket, marker)

    def _put(self, bucket: Bucket, version: Version) -> Version:
        """Makes `version` the current one, under the id that it gets; the one that it takes the place of is removed."""
        if not bucket.versioning:
            self._discard(self._index.replace(version))
            return version
        if bucket.versioning == "Enabled":
            version = version._replace(version_id=new_version_id())
        else:
            replaced = self._index.version(bucket.name, version.key, NULL_VERSION)
            if replaced is not None:
                self._remove(replaced)
        self._index.add(version)
        return version

    def _remove(self, version: Version) -> None:
        self._index.remove(version)
        self._discard(version.segments)


def new_version_id() -> str:
    """As long and as opaque as OSS's."""
    return "CAEQ" + base64.b32encode(os.urandom(35)).decode().rstrip("=")
