"""An OSS request as it arrived: its bucket and key from either addressing style, and what it asks for."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote

from emulator.credentials import AccessKey
from emulator.errors import ApiError
from emulator.services.oss.content import Upload
from emulator.services.oss.errors import invalid_argument

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")
MAX_KEY_BYTES = 1023


@dataclass(slots=True)
class OssRequest:
    """`bucket` and `key` are empty where the request names none.

    `query` has decoded names and values. Header names are in lower case; values are one character a byte (latin-1),
    as they came. `caller` is None for an anonymous one. `now` is emulated time. `document` is the whole body of the
    operations that take a document, `upload` that of those that take an object's data.
    """

    request_id: str
    method: str
    region: str
    bucket: str
    key: str
    query: dict[str, str]
    headers: dict[str, str]
    now: datetime
    caller: AccessKey | None = None
    document: bytes = b""
    upload: Upload | None = None

    @property
    def version_id(self) -> str | None:
        return self.query.get("versionId")

    def header_flag(self, name: str) -> bool:
        """Whether the header says `true`; InvalidArgument when it is neither `true` nor `false`."""
        value = self.headers.get(name, "false").lower()
        if value not in ("true", "false"):
            raise invalid_argument(name, value, f"{name} must be true or false, not {value}.")
        return value == "true"

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """The query parameter as an integer; InvalidArgument when it is not one of `low` to `high`."""
        value = self.query.get(name)
        if not value:
            return default
        number = natural(value)
        if number is None or not low <= number <= high:
            raise invalid_argument(name, value, f"Argument {name} must be an integer between {low} and {high}.")
        return number

    def data(self) -> Upload:
        assert self.upload is not None  # noqa: S101 - the dispatcher received it
        return self.upload


def natural(text: str) -> int | None:
    """The number that `text` is in decimal digits, if it is one of at most 18."""
    return int(text) if 0 < len(text) <= 18 and text.isascii() and text.isdigit() else None


def split_path(raw_path: str, bucket: str) -> tuple[str, str]:
    """Bucket and key of a percent-encoded path; `bucket` is what the host name says, or empty for path style."""
    path = raw_path[1:]
    if not bucket:
        bucket, _, path = path.partition("/")
    try:
        return unquote(bucket, errors="strict"), unquote(path, errors="strict")
    except UnicodeDecodeError:
        raise invalid_key(path, "it is not valid UTF-8") from None


def split_query(query: bytes) -> dict[str, str]:
    if not query:
        return {}
    try:
        return dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True, errors="strict"))
    except UnicodeDecodeError:
        raise invalid_argument("query", query.decode("latin-1"), "The query is not valid UTF-8.") from None


def check_bucket_name(name: str) -> None:
    if not BUCKET_NAME.fullmatch(name):
        raise ApiError("InvalidBucketName", "The specified bucket is not valid.", details={"BucketName": name})


def check_key(key: str) -> None:
    if len(key) > MAX_KEY_BYTES // 4 and len(key.encode()) > MAX_KEY_BYTES:
        raise invalid_key(key, f"it is longer than {MAX_KEY_BYTES} bytes")
    if key[0] in "/\\":
        raise invalid_key(key, f"it begins with {key[0]}")


def invalid_key(key: str, why: str) -> ApiError:
    return ApiError("InvalidObjectName", f"The specified object is not valid: {why}.", details={"ObjectName": key})


def timestamp(moment: float) -> str:
    """The form of times in OSS's documents: `2026-11-24T02:04:05.000Z`."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
