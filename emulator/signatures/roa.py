"""ROA HMAC-SHA1: `Authorization: acs ACCESS_KEY_ID:SIGNATURE`.

The Go provider signs its calls to EAS and AIWorkSpace so, and every ROA SDK with `signature_algorithm="v2"`. Source:
`Utils.get_string_to_sign` in alibabacloud_tea_openapi, `getStringToSign` in tea-roa-utils.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from emulator.errors import ApiError
from emulator.signatures.claim import Claim, malformed_time, mandatory, supported
from emulator.wire import ReceivedCall


def claim(call: ReceivedCall) -> Claim:
    access_key_id, separator, signature = call.headers["authorization"].removeprefix("acs ").partition(":")
    if not (access_key_id and separator and signature):
        raise ApiError(
            "IncompleteSignature", "The Authorization header must have the form 'acs ACCESS_KEY_ID:SIGNATURE'."
        )
    supported(call.headers.get("x-acs-signature-method", "HMAC-SHA1"), "x-acs-signature-method", "HMAC-SHA1")
    supported(call.headers.get("x-acs-signature-version", "1.0"), "x-acs-signature-version", "1.0")
    _check_content(call)
    text = string_to_sign(call.method, call.raw_path, dict(call.query), call.headers)
    return Claim(
        access_key_id=access_key_id,
        security_token=call.headers.get("x-acs-security-token", ""),
        nonce=call.headers.get("x-acs-signature-nonce", ""),
        signed_at=_http_date(mandatory(call.headers, "date", "Date")),
        signature=signature,
        sign=lambda secret: _signature(text, secret),
        explanation=f"server string to sign is:{text}",
    )


def string_to_sign(method: str, raw_path: str, query: Mapping[str, str], headers: Mapping[str, str]) -> str:
    """The query goes in decoded; a name without a value has no `=`."""
    standard = [headers.get(name, "") for name in ("accept", "content-md5", "content-type", "date")]
    own = [f"{name}:{value}" for name, value in sorted(headers.items()) if name.startswith("x-acs-")]
    pairs = "&".join(f"{name}={value}" if value else name for name, value in sorted(query.items()))
    return "\n".join([method, *standard, *own, f"{raw_path}?{pairs}" if pairs else raw_path])


def _check_content(call: ReceivedCall) -> None:
    """This scheme signs the content only where the caller sends its digest."""
    claimed = call.headers.get("content-md5")
    if claimed and claimed != base64.b64encode(hashlib.md5(call.body, usedforsecurity=False).digest()).decode():
        raise ApiError("ContentMD5NotMatched", f"The content does not have the Content-MD5 {claimed}.")


def _http_date(value: str) -> datetime:
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        raise malformed_time(value) from None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _signature(text: str, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), text.encode(), hashlib.sha1)).decode()
