"""ACS3-HMAC-SHA256, "signature version 3": `Authorization: ACS3-HMAC-SHA256 Credential=,SignedHeaders=,Signature=`.

The current SDKs sign every JSON API so. Source: `Utils.get_authorization` in alibabacloud_tea_openapi,
`GetAuthorization` in openapi-util.
"""

import hashlib
import hmac
import re
from urllib.parse import quote

from emulator.errors import ApiError
from emulator.signatures.claim import Claim, iso_time, mandatory, supported
from emulator.wire import ReceivedCall

ALGORITHM = "ACS3-HMAC-SHA256"
_CREDENTIALS = re.compile(r"Credential=(?P<id>[^,]+), ?SignedHeaders=(?P<headers>[^,]+), ?Signature=(?P<signature>\S+)")


def claim(call: ReceivedCall) -> Claim:
    algorithm, _, rest = call.headers["authorization"].partition(" ")
    supported(algorithm, "The signature algorithm", ALGORITHM)
    if not (found := _CREDENTIALS.fullmatch(rest.strip())):
        form = f"{ALGORITHM} Credential=ACCESS_KEY_ID,SignedHeaders=NAME;NAME,Signature=HEX"
        raise ApiError("IncompleteSignature", f"The Authorization header must have the form '{form}'.")
    signed_headers = found["headers"].split(";")
    _check_coverage(call, signed_headers)
    canonical = canonical_request(call, signed_headers)
    text = f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    return Claim(
        access_key_id=found["id"],
        security_token=call.headers.get("x-acs-security-token", ""),
        nonce=mandatory(call.headers, "x-acs-signature-nonce", "SignatureNonce"),
        signed_at=iso_time(mandatory(call.headers, "x-acs-date", "Timestamp")),
        signature=found["signature"],
        sign=lambda secret: hmac.digest(secret.encode(), text.encode(), hashlib.sha256).hex(),
        explanation=f"server StringToSign is [{text}] server CanonicalRequest is [{canonical}]",
    )


def canonical_request(call: ReceivedCall, signed_headers: list[str]) -> str:
    """The content enters by the digest of what arrived, not by the one that the caller states."""
    query = "&".join(f"{_encoded(name)}={_encoded(value)}" for name, value in sorted(call.query))
    headers = "".join(f"{name}:{call.headers.get(name, '').strip()}\n" for name in signed_headers)
    content = hashlib.sha256(call.body).hexdigest()
    return "\n".join([call.method, call.raw_path or "/", query, headers, ";".join(signed_headers), content])


def _check_coverage(call: ReceivedCall, signed_headers: list[str]) -> None:
    needed = {"host"} | {name for name in call.headers if name.startswith("x-acs-")}
    if missing := sorted(needed - set(signed_headers)):
        raise ApiError("IncompleteSignature", f"SignedHeaders must name {', '.join(missing)} too.")


def _encoded(text: str) -> str:
    return quote(text, safe="~")
