"""Who may call a JSON API: the same refusals under each of the three signature schemes."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from alibabacloud_sts20150401.client import Client as Sts

from emulator.credentials import ACCESS_KEY_SECRET
from tests.emulator.conftest import RunningEmulator
from tests.emulator.sdk import connect
from tests.emulator.signatures.by_hand import Signer

Scheme = Callable[[Signer], httpx.Request]
each_scheme = pytest.mark.parametrize("scheme", [Signer.rpc, Signer.roa, Signer.acs3])


@pytest.fixture
def http(emulator: RunningEmulator) -> Iterator[httpx.Client]:
    with httpx.Client(proxy=emulator.url) as client:
        yield client


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["Code"]


@pytest.mark.parametrize("algorithm", [None, "v2"])
def test_the_sdk_is_recognised_under_its_current_and_its_old_scheme(
    emulator: RunningEmulator, algorithm: str | None
) -> None:
    client = connect(Sts, emulator, signature_algorithm=algorithm)

    assert client.get_caller_identity().body.arn == "acs:ram::1234567890123456:user/paistack"


@each_scheme
def test_a_well_signed_request_is_answered(http: httpx.Client, scheme: Scheme) -> None:
    assert http.send(scheme(Signer())).json()["IdentityType"] == "RAMUser"


@each_scheme
def test_an_unknown_key_is_refused(http: httpx.Client, scheme: Scheme) -> None:
    assert refusal(http.send(scheme(Signer(access_key_id="LTAInobody")))) == (404, "InvalidAccessKeyId.NotFound")


@each_scheme
def test_a_wrong_secret_is_refused_with_what_the_server_would_have_signed(http: httpx.Client, scheme: Scheme) -> None:
    answer = http.send(scheme(Signer(secret="wrong")))

    assert refusal(answer) == (400, "SignatureDoesNotMatch")
    assert re.search("server (string to sign is:|StringToSign is )", answer.json()["Message"])
    assert ACCESS_KEY_SECRET not in answer.text


@each_scheme
@pytest.mark.parametrize("age", [timedelta(minutes=16), timedelta(minutes=-16)])
def test_a_date_more_than_fifteen_minutes_away_is_refused(http: httpx.Client, scheme: Scheme, age: timedelta) -> None:
    assert refusal(http.send(scheme(Signer(age=age)))) == (400, "InvalidTimeStamp.Expired")


@each_scheme
def test_a_moved_clock_does_not_lock_anybody_out(emulator: RunningEmulator, http: httpx.Client, scheme: Scheme) -> None:
    httpx.post(f"{emulator.url}/_emulator/clock", json={"advance_s": 86_400})

    assert http.send(scheme(Signer())).status_code == 200


@each_scheme
def test_a_request_is_taken_once(http: httpx.Client, scheme: Scheme) -> None:
    request = scheme(Signer())

    assert http.send(request).status_code == 200
    assert refusal(http.send(request)) == (400, "SignatureNonceUsed")


@each_scheme
def test_a_refused_request_does_not_use_up_its_nonce(http: httpx.Client, scheme: Scheme) -> None:
    signer = Signer()
    http.send(scheme(signer.but(secret="wrong")))

    assert http.send(scheme(signer)).status_code == 200


@each_scheme
def test_a_permanent_key_with_a_token_is_refused(http: httpx.Client, scheme: Scheme) -> None:
    foreign = "CAIS" + "x" * 43

    assert refusal(http.send(scheme(Signer(token="junk")))) == (400, "InvalidSecurityToken.Malformed")
    assert refusal(http.send(scheme(Signer(token=foreign)))) == (400, "InvalidSecurityToken.MismatchWithAccessKey")


@each_scheme
def test_a_changed_parameter_breaks_the_signature(http: httpx.Client, scheme: Scheme) -> None:
    request = scheme(Signer())
    request.url = request.url.copy_merge_params({"ClientToken": "another"})

    assert refusal(http.send(request)) == (400, "SignatureDoesNotMatch")


@pytest.mark.parametrize("name", ["AccessKeyId", "Signature", "SignatureNonce", "Timestamp", "SignatureMethod"])
def test_an_rpc_request_needs_each_part_of_its_signature(http: httpx.Client, name: str) -> None:
    request = Signer().rpc()
    request.url = request.url.copy_remove_param(name)

    assert refusal(http.send(request)) == (400, f"Missing{name}")


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("SignatureMethod", "HMAC-SHA256", "InvalidSignatureMethod"),
        ("SignatureVersion", "2.0", "InvalidSignatureMethod"),
        ("Timestamp", "yesterday", "InvalidTimeStamp.Format"),
    ],
)
def test_an_rpc_request_that_is_signed_otherwise_is_refused(
    http: httpx.Client, name: str, value: str, code: str
) -> None:
    request = Signer().rpc()
    request.url = request.url.copy_set_param(name, value)

    assert refusal(http.send(request)) == (400, code)


@pytest.mark.parametrize(
    ("scheme", "name", "value", "code"),
    [
        (Signer.roa, "date", "", "MissingDate"),
        (Signer.roa, "date", "yesterday", "InvalidTimeStamp.Format"),
        (Signer.roa, "authorization", "acs nobody", "IncompleteSignature"),
        (Signer.roa, "authorization", "Bearer x", "IncompleteSignature"),
        (Signer.roa, "x-acs-signature-method", "HMAC-MD5", "InvalidSignatureMethod"),
        (Signer.roa, "x-acs-version", "2015-05-01", "SignatureDoesNotMatch"),
        (Signer.roa, "content-md5", "AAAA", "ContentMD5NotMatched"),
        (Signer.acs3, "x-acs-date", "", "MissingTimestamp"),
        (Signer.acs3, "x-acs-date", "yesterday", "InvalidTimeStamp.Format"),
        (Signer.acs3, "x-acs-signature-nonce", "", "MissingSignatureNonce"),
        (Signer.acs3, "authorization", "ACS3-HMAC-SHA256 Credential=x", "IncompleteSignature"),
        (Signer.acs3, "authorization", "ACS3-HMAC-SM3 Credential=x", "InvalidSignatureMethod"),
        (Signer.acs3, "x-acs-version", "2015-05-01", "SignatureDoesNotMatch"),
        (Signer.acs3, "x-acs-unsigned", "1", "IncompleteSignature"),
    ],
)
def test_a_spoilt_header_is_refused(http: httpx.Client, scheme: Scheme, name: str, value: str, code: str) -> None:
    request = scheme(Signer())
    request.headers[name] = value

    assert refusal(http.send(request)) == (400, code)


def test_another_body_breaks_an_acs3_signature(http: httpx.Client) -> None:
    signed = Signer().acs3()
    request = httpx.Request("POST", signed.url, headers=signed.headers, content=b"Action=AssumeRole")
    request.headers["content-length"] = "17"

    assert refusal(http.send(request)) == (400, "SignatureDoesNotMatch")


def test_a_request_without_any_signature_is_refused(http: httpx.Client) -> None:
    answer = http.get("http://ram.aliyuncs.com/?Action=ListRoles&Version=2015-05-01")

    assert refusal(answer) == (400, "MissingAccessKeyId")
