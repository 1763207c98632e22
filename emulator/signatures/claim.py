"""What a signed JSON API request claims, in terms that its three signature schemes share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from emulator.errors import ApiError


@dataclass(frozen=True)
class Claim:
    """The key that a request names, and what proves that its holder sent it.

    `security_token` and `nonce` are empty where the request has none. `sign` computes the signature that a secret
    gives, and `explanation` ends the refusal of a wrong one: what the server had signed.
    """

    access_key_id: str
    security_token: str
    nonce: str
    signed_at: datetime
    signature: str
    sign: Callable[[str], str]
    explanation: str


def mandatory(values: Mapping[str, str], key: str, name: str) -> str:
    """`values[key]`; ApiError `Missing{name}` when it is not there."""
    if value := values.get(key):
        return value
    raise ApiError(f"Missing{name}", f"{name} is mandatory for this action.")


def supported(found: str, name: str, known: str) -> None:
    """ApiError `InvalidSignatureMethod` when a scheme's method or version is another than the `known` one."""
    if found != known:
        raise ApiError("InvalidSignatureMethod", f"{name} {found!r} is not supported; it must be {known}.")


def iso_time(value: str) -> datetime:
    """The time in `2026-11-24T02:04:05Z`."""
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise malformed_time(value) from None


def malformed_time(value: str) -> ApiError:
    message = f"Specified time stamp or date value is not well formatted: {value!r}."
    return ApiError("InvalidTimeStamp.Format", message)
