"""Which requests are let in: tokens, and limits on how many a second and how many at a time."""

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping


class RejectedError(Exception):
    """A request that the gateway answers itself, with `status` and `message`."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class Bucket:
    """A token bucket: `rate` requests a second, and as many at once after a second of silence."""

    def __init__(self, rate: float) -> None:
        self._rate = self._tokens = float(rate)
        self._filled_at = time.monotonic()

    def available(self) -> bool:
        now = time.monotonic()
        self._tokens = min(max(self._rate, 1.0), self._tokens + (now - self._filled_at) * self._rate)
        self._filled_at = now
        return self._tokens >= 1.0

    def take(self) -> bool:
        """Takes one request's token; whether there was one."""
        if not self.available():
            return False
        self._tokens -= 1.0
        return True


def is_authorized(token: str, service: str, method: str, headers: Mapping[bytes, bytes]) -> bool:
    """Whether a request brings the service's token: as it is, as a bearer, or in the signature that the
    `eas-prediction` client sends."""
    given = headers.get(b"authorization", b"")
    if given.startswith(b"EAS "):
        return hmac.compare_digest(given[4:].strip(), _signature(token, service, method, headers))
    return hmac.compare_digest(given.removeprefix(b"Bearer ").strip(), token.encode())


def _signature(token: str, service: str, method: str, headers: Mapping[bytes, bytes]) -> bytes:
    """`base64(hmac-sha1(token, "POST\\n<md5>\\n<content type>\\n<date>\\n/api/predict/<service>"))`, as
    eas_prediction/predict_client.py 0.36 makes it."""
    signed = [headers.get(name, b"") for name in (b"content-md5", b"content-type", b"date")]
    text = b"\n".join([method.encode(), *signed, f"/api/predict/{service}".encode()])
    return base64.b64encode(hmac.new(token.encode(), text, hashlib.sha1).digest())
