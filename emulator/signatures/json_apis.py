"""Proves who sent a JSON API request, whichever of the three schemes signed it.

Error codes and statuses are those of Alibaba Cloud's public error codes (`InvalidAccessKeyId.NotFound` and so on).
"""

import hmac
from datetime import UTC, datetime, timedelta

from emulator.credentials import AccessKey, AccessKeys
from emulator.errors import ApiError
from emulator.signatures import acs3, roa, rpc
from emulator.signatures.claim import Claim
from emulator.signatures.nonces import Nonces
from emulator.wire import ReceivedCall

TOLERANCE = timedelta(minutes=15)


class JsonApiSignatures:
    """Authentication of all JSON APIs of one emulator."""

    def __init__(self, keys: AccessKeys) -> None:
        self._keys = keys
        # A date may lie as far ahead as behind, and its nonce must be known until it is too old.
        self._nonces = Nonces(lifetime_s=2 * TOLERANCE.total_seconds())

    def authenticate(self, call: ReceivedCall, now: datetime) -> AccessKey:
        """The key that signed `call`; ApiError as the cloud refuses it.

        `now` is the emulator's time, at which a temporary key is valid or not; dates are held against the wall clock,
        by which clients sign.
        """
        claim = _claim(call)
        key = self._keys.find(claim.access_key_id)
        if key is None:
            raise ApiError("InvalidAccessKeyId.NotFound", "Specified access key is not found.", 404)
        self._keys.check_token(key, claim.security_token, now)
        if abs(datetime.now(UTC) - claim.signed_at) > TOLERANCE:
            raise ApiError("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
        if not hmac.compare_digest(claim.sign(key.secret).encode(), claim.signature.encode()):
            message = f"Specified signature does not match our calculation. {claim.explanation}"
            raise ApiError("SignatureDoesNotMatch", message)
        if claim.nonce and not self._nonces.use(f"{key.id} {claim.nonce}"):
            raise ApiError("SignatureNonceUsed", "Specified signature nonce was used already.")
        return key


def _claim(call: ReceivedCall) -> Claim:
    authorization = call.headers.get("authorization", "")
    if authorization.startswith("ACS3-"):
        return acs3.claim(call)
    if authorization.startswith("acs "):
        return roa.claim(call)
    if authorization:
        raise ApiError(
            "IncompleteSignature", f"The Authorization header must begin with 'acs ' or '{acs3.ALGORITHM} '."
        )
    return rpc.claim(call)
