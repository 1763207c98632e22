"""Conditional and partial requests."""

import re
from email.utils import parsedate_to_datetime

from emulator.errors import ApiError
from emulator.services.oss.errors import precondition_failed
from emulator.services.oss.records import Version
from emulator.services.oss.request import OssRequest

RANGE = re.compile(r"^bytes=(\d{0,18})-(\d{0,18})$", re.ASCII)


def check(version: Version, headers: dict[str, str], prefix: str = "") -> None:
    """PreconditionFailed (412) or NotModified (304) unless `version` is as `If-Match` and its like want it.

    `prefix` is that of the headers that speak of a copy's source. What they do not allow is always 412.
    """
    if (wanted := headers.get(f"{prefix}if-match")) is not None and not _names(wanted, version):
        raise precondition_failed("If-Match")
    if (since := _time(headers.get(f"{prefix}if-unmodified-since"))) is not None and version.modified > since:
        raise precondition_failed("If-Unmodified-Since")
    if (known := headers.get(f"{prefix}if-none-match")) is not None:
        if _names(known, version):
            raise _not_modified(version, "If-None-Match", prefix)
    elif (since := _time(headers.get(f"{prefix}if-modified-since"))) is not None and version.modified <= since:
        raise _not_modified(version, "If-Modified-Since", prefix)


def _names(condition: str, version: Version) -> bool:
    tags = [tag.strip().strip('"').upper() for tag in condition.split(",")]
    return "*" in tags or version.etag in tags


def _time(value: str | None) -> float | None:
    """A time that cannot be read is as good as none, as HTTP has it."""
    if not value:
        return None
    try:
        return parsedate_to_datetime(value).timestamp()
    except ValueError:
        return None


def _not_modified(version: Version, condition: str, prefix: str) -> ApiError:
    if prefix:
        return precondition_failed(condition)
    return ApiError("NotModified", "The object was not modified.", 304, headers={"etag": f'"{version.etag}"'})


def byte_range(request: OssRequest, size: int) -> tuple[int, int] | None:
    """First byte and number of bytes that the `Range` header asks for; None when the whole is to be answered.

    A range that goes beyond the object means the whole object, unless `x-oss-range-behavior: standard` is given:
    then it is cut at the end, and InvalidRange when nothing is left.
    """
    header = request.headers.get("range")
    match = RANGE.match(header) if header else None
    if match is None or not any(match.groups()):
        return None
    standard = request.headers.get("x-oss-range-behavior") == "standard"
    if not match[1]:
        first, last = size - int(match[2]), size - 1
        if first < 0 and standard:
            first = 0
    else:
        first, last = int(match[1]), int(match[2] or size - 1)
        if standard:
            last = min(last, size - 1)
    if 0 <= first <= last < size:
        return first, last - first + 1
    if standard and not (match[1] and match[2] and int(match[2]) < int(match[1])):
        details = {"ActualObjectSize": str(size), "RangeRequested": str(header)}
        raise ApiError("InvalidRange", "The requested range cannot be satisfied.", 416, details=details)
    return None
