"""Lines that several processes append to one object, none of which overwrites another's.

It rests on what OSS documents of AppendObject: a `position` that is not the object's length is answered with 409,
PositionNotEqualToLength, so that a line that was written for a state of the object is only taken in that state; and in
buckets with versions it appends to the current version, and makes no other one
(https://www.alibabacloud.com/help/en/oss/developer-reference/appendobject). `x-oss-forbid-overwrite` has no effect in
such buckets.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from jobs.problem import JobError

if TYPE_CHECKING:
    from oss2 import Bucket


@dataclass(frozen=True)
class Tail:
    """The last whole lines, the oldest first, and the length of the object that they were read from."""

    lines: tuple[str, ...]
    length: int


class AppendLog:
    """One appendable object. Calls raise oss2's exceptions, and JobError where the object or its bucket is no log."""

    def __init__(self, bucket: "Bucket", key: str) -> None:
        self._bucket, self._key = bucket, key

    @property
    def uri(self) -> str:
        return f"oss://{self._bucket.bucket_name}/{self._key}"

    def tail(self, most_bytes: int) -> Tail:
        """Of an object that is not there: no lines, and length 0."""
        from oss2.exceptions import NoSuchBucket, NoSuchKey

        try:
            found = self._bucket.get_object(self._key, byte_range=(None, most_bytes))
        except NoSuchKey:
            return Tail((), 0)
        except NoSuchBucket:
            raise JobError(f"the bucket {self._bucket.bucket_name} is not there: `paistack up` makes it") from None
        content: bytes = found.read()
        if found.content_range is None:
            return Tail(_lines(content), len(content))
        first, length = _place(found.content_range)
        return Tail(_lines(content)[1 if first else 0 :], length)

    def append(self, line: str, position: int) -> bool:
        """Whether the line is now at `position`; False when the object has another length by now."""
        from oss2.exceptions import ObjectNotAppendable, PositionNotEqualToLength

        try:
            self._bucket.append_object(self._key, position, f"{line}\n".encode())
        except PositionNotEqualToLength:
            return False
        except ObjectNotAppendable:
            raise JobError(f"{self.uri} was put there by something else: move it away") from None
        return True


def _lines(content: bytes) -> tuple[str, ...]:
    return tuple(content.decode(errors="replace").splitlines())


def _place(content_range: str) -> tuple[int, int]:
    """First byte and length of the object, from `bytes 10-19/20`."""
    span, _, length = content_range.removeprefix("bytes ").partition("/")
    return int(span.partition("-")[0]), int(length)
