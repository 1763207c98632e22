"""A plain HTTP client that signs as OSS's documentation says, for what no SDK would send."""

import hashlib
import hmac
from collections.abc import Generator, Iterator
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote

import httpx
import pytest

from emulator.credentials import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from tests.emulator.conftest import RunningEmulator

ALGORITHM = "OSS4-HMAC-SHA256"


def signing_key(secret: str, scope: str) -> bytes:
    key = f"aliyun_v4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key


def signature(secret: str, scope: str, moment: str, canonical: str) -> str:
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = f"{ALGORITHM}\n{moment}\n{scope}\n{digest}"
    return hmac.new(signing_key(secret, scope), to_sign.encode(), hashlib.sha256).hexdigest()


class Version4(httpx.Auth):
    """Signs path-style requests in the header."""

    def __init__(self, key_id: str = ACCESS_KEY_ID, secret: str = ACCESS_KEY_SECRET, token: str = "") -> None:
        self._key_id, self._secret, self._token = key_id, secret, token

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
        scope = f"{moment[:8]}/cn-hangzhou/oss/aliyun_v4_request"
        request.headers["x-oss-date"] = moment
        request.headers["x-oss-content-sha256"] = "UNSIGNED-PAYLOAD"
        if self._token:
            request.headers["x-oss-security-token"] = self._token
        signed = {
            name: value
            for name, value in request.headers.items()
            if name.startswith("x-oss-") or name in ("content-type", "content-md5")
        }
        pairs = parse_qsl(request.url.query.decode(), keep_blank_values=True)
        query = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in pairs)
        canonical = "\n".join(
            (
                request.method,
                quote(request.url.path, safe="/"),
                "&".join(f"{name}={value}" if value else name for name, value in query),
                "".join(f"{name}:{signed[name]}\n" for name in sorted(signed)),
                "",
                "UNSIGNED-PAYLOAD",
            )
        )
        proof = signature(self._secret, scope, moment, canonical)
        request.headers["authorization"] = f"{ALGORITHM} Credential={self._key_id}/{scope},Signature={proof}"
        yield request


@pytest.fixture
def owner(emulator: RunningEmulator) -> Iterator[httpx.Client]:
    """Signs with the emulator's own key; there is a bucket called `bucket`."""
    with httpx.Client(base_url=emulator.url, auth=Version4(), trust_env=False) as client:
        assert client.put("/bucket/").status_code == 200
        yield client


@pytest.fixture
def anyone(emulator: RunningEmulator) -> Iterator[httpx.Client]:
    """Signs nothing."""
    with httpx.Client(base_url=emulator.url, trust_env=False) as client:
        yield client
