"""OSS signatures against a request that OSS's documentation signs, and against what is wrong with others."""

import base64
import hashlib
import hmac
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from emulator.credentials import ACCESS_KEY_ID, ACCESS_KEY_SECRET, AccessKey, AccessKeys
from emulator.errors import ApiError
from emulator.signatures.oss import Times, authenticate
from emulator.store import Store
from tests.emulator.oss.conftest import ALGORITHM, signature

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
MOMENT, SCOPE = "20261124T120000Z", "20261124/cn-hangzhou/oss/aliyun_v4_request"


@dataclass
class Request:
    method: str = "GET"
    region: str = "cn-hangzhou"
    bucket: str = "bucket"
    key: str = "key"
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@pytest.fixture
def keys(tmp_path: Path) -> AccessKeys:
    return AccessKeys(Store(tmp_path / "state.sqlite"), "1234567890123456")


def refusal(request: Request, keys: AccessKeys, now: datetime = NOW) -> ApiError:
    with pytest.raises(ApiError) as refused:
        authenticate(request, keys, Times(now.timestamp(), now))
    return refused.value


def presigned(secret: str = ACCESS_KEY_SECRET, *, lasts: str = "60", moment: str = MOMENT) -> Request:
    query = {
        "x-oss-signature-version": ALGORITHM,
        "x-oss-credential": f"{ACCESS_KEY_ID}/{SCOPE}",
        "x-oss-date": moment,
        "x-oss-expires": lasts,
    }
    pairs = "&".join(sorted(f"{name}={quote(value, safe='')}" for name, value in query.items()))
    canonical = f"GET\n/bucket/key\n{pairs}\n\n\nUNSIGNED-PAYLOAD"
    return Request(query={**query, "x-oss-signature": signature(secret, SCOPE, moment, canonical)})


def version1(date: str, secret: str = ACCESS_KEY_SECRET, **headers: str) -> Request:
    signed = hmac.new(secret.encode(), f"GET\n\n\n{date}\n/bucket/key".encode(), hashlib.sha1).digest()
    authorization = f"OSS {ACCESS_KEY_ID}:{base64.b64encode(signed).decode()}"
    return Request(headers={"date": date, "authorization": authorization, **headers})


def test_the_documented_example_has_the_documented_signature() -> None:
    # https://help.aliyun.com/document_detail/31951.html, section "Signature example".
    class Documented(AccessKeys):
        def __init__(self) -> None: ...

        def find(self, access_key_id: str) -> AccessKey:
            secret = "OtxrzxIsfpFjA7SwPzILwy8Bw21TLhquhboDYROV"
            return AccessKey(id=access_key_id, secret=secret, arn="acs:ram::1:root", principal_id="1")

    request = Request(
        "PUT", "", "oss-example", "nelson",
        headers={
            "content-md5": "ODBGOERFMDMzQTczRUY3NUE3NzA5QzdFNUYzMDQxNEM=",
            "content-type": "text/html",
            "date": "Thu, 17 Nov 2005 18:49:58 GMT",
            "x-oss-meta-author": "foo@bar.com",
            "x-oss-magic": "abracadabra",
            "authorization": "OSS 44CF9590006BF252F707:26NBxoKdsyly4EDv6inkoDft/yA=",
        },
    )  # fmt: skip
    then = datetime(2005, 11, 17, 18, 50, tzinfo=UTC)

    key = authenticate(request, Documented(), Times(then.timestamp(), then))
    assert key is not None
    assert key.id == "44CF9590006BF252F707"


def test_no_signature_is_nobody(keys: AccessKeys) -> None:
    assert authenticate(Request(), keys, Times(NOW.timestamp(), NOW)) is None


@pytest.mark.parametrize("minutes", [-16, 16])
def test_a_clock_that_is_a_quarter_of_an_hour_off_is_told_so(keys: AccessKeys, minutes: int) -> None:
    request = version1("Tue, 24 Nov 2026 12:00:00 GMT")
    assert authenticate(request, keys, Times(NOW.timestamp(), NOW)) is not None

    refused = refusal(request, keys, NOW + timedelta(minutes=minutes))
    assert (refused.code, refused.status) == ("RequestTimeTooSkewed", 403)
    assert refused.details["RequestTime"] == "Tue, 24 Nov 2026 12:00:00 GMT"


def test_a_presigned_url_ends_when_it_says(keys: AccessKeys) -> None:
    before, after = NOW + timedelta(seconds=59), NOW + timedelta(seconds=61)
    assert authenticate(presigned(), keys, Times(before.timestamp(), before)) is not None

    refused = refusal(presigned(), keys, after)
    assert (refused.code, refused.status, refused.message) == ("AccessDenied", 403, "Request has expired.")
    assert refused.details["Expires"] == "2026-11-24T12:01:00.000Z"


def test_a_mismatch_says_what_was_signed(keys: AccessKeys) -> None:
    refused = refusal(presigned("another secret"), keys)

    assert (refused.code, refused.status) == ("SignatureDoesNotMatch", 403)
    assert str(refused.details["StringToSign"]).startswith(f"{ALGORITHM}\n{MOMENT}\n{SCOPE}\n")
    assert str(refused.details["CanonicalRequest"]).startswith("GET\n/bucket/key\n")


def without(request: Request, name: str) -> Request:
    request.query.pop(name)
    return request


V4_HEADER = f"{ALGORITHM} Credential={ACCESS_KEY_ID}/{SCOPE},Signature=0"


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (version1("yesterday"), "AccessDenied", "requires a valid Date"),
        (Request(headers={"authorization": "OSS only-a-key"}), "InvalidArgument", "a colon and a signature"),
        (Request(headers={"authorization": "OSS2 AccessKeyId:a,Signature:b"}), "InvalidArgument", "is not a scheme"),
        (Request(headers={"authorization": "Bearer x"}), "InvalidArgument", "is not a scheme"),
        (Request(headers={"authorization": ALGORITHM}), "InvalidArgument", "Credential and Signature"),
        (
            Request(headers={"authorization": f"{ALGORITHM} Credential=a/b,Signature=c"}),
            "InvalidArgument",
            "KEY/DATE/REGION/oss/aliyun_v4_request",
        ),
        (Request(headers={"authorization": V4_HEADER}), "AccessDenied", "requires a valid Date"),
        (
            Request(headers={"authorization": V4_HEADER, "x-oss-date": "20261123T235959Z"}),
            "InvalidArgument",
            "another date than the request",
        ),
        (Request(headers={"authorization": V4_HEADER, "x-oss-date": MOMENT}), "SignatureDoesNotMatch", "Check your"),
        (
            Request(query={"OSSAccessKeyId": ACCESS_KEY_ID, "Signature": "s"}),
            "AccessDenied",
            "requires the Signature, Expires and OSSAccessKeyId",
        ),
        (
            Request(query={"OSSAccessKeyId": ACCESS_KEY_ID, "Signature": "s", "Expires": "soon"}),
            "InvalidArgument",
            "seconds since the epoch",
        ),
        (
            Request(query={"OSSAccessKeyId": "nobody", "Signature": "s", "Expires": "9"}),
            "InvalidAccessKeyId",
            "does not exist in our records",
        ),
        (without(presigned(), "x-oss-date"), "AccessDenied", "x-oss-date is missing"),
        (replace(presigned(), region="cn-beijing"), "InvalidArgument", "Invalid signing region"),
        (presigned(lasts="604801"), "InvalidArgument", "from 1 to 604800"),
        (presigned(lasts="-1"), "InvalidArgument", "from 1 to 604800"),
        (presigned(moment="20261124T123000Z"), "AccessDenied", "not valid yet"),
    ],
)
def test_what_is_wrong_with_a_signature_is_said(keys: AccessKeys, request_: Request, code: str, message: str) -> None:
    refused = refusal(request_, keys)

    assert refused.code == code
    assert message in refused.message


def test_a_temporary_key_needs_its_token_until_it_expires(keys: AccessKeys) -> None:
    issued = keys.issue("acs:sts::1:assumed-role/r/s", "1:s", "1", NOW, timedelta(hours=1))

    def ask(token: str) -> Request:
        headers = {"x-oss-date": MOMENT, "x-oss-security-token": token} if token else {"x-oss-date": MOMENT}
        signed = "".join(f"{name}:{value}\n" for name, value in headers.items())
        canonical = f"GET\n/bucket/key\n\n{signed}\n\nUNSIGNED-PAYLOAD"
        proof = signature(issued.secret, SCOPE, MOMENT, canonical)
        headers["authorization"] = f"{ALGORITHM} Credential={issued.id}/{SCOPE}, Signature={proof}"
        return Request(headers=headers)

    assert issued.security_token is not None
    found = authenticate(ask(issued.security_token), keys, Times(NOW.timestamp(), NOW))
    assert found == issued
    assert refusal(ask(""), keys).code == "InvalidAccessKeyId"
    assert refusal(ask("another"), keys).code == "InvalidSecurityToken"
    with pytest.raises(ApiError, match="SecurityTokenExpired"):
        authenticate(ask(issued.security_token), keys, Times(NOW.timestamp(), NOW + timedelta(hours=2)))
