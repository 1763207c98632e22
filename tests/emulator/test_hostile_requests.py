"""What nobody should send, and what each of it is answered: never a 500, never a traceback."""

import logging
import socket
import sqlite3
from contextlib import closing
from dataclasses import dataclass

import httpx
import pytest
from alibabacloud_ram20150501 import models
from alibabacloud_ram20150501.client import Client as Ram

from emulator.server import MAX_HEAD
from emulator.wire import MAX_BODY
from tests.emulator.conftest import RunningEmulator
from tests.emulator.refusals import refused
from tests.emulator.sdk import connect
from tests.emulator.signatures.by_hand import Signer

RPC = "Version=2015-05-01&Action=GetRole"


@dataclass(frozen=True)
class Answer:
    status: int
    reason: str
    body: str


def send(emulator: RunningEmulator, request: bytes) -> Answer:
    """Sends bytes as they are, and reads the first answer to its end."""
    host, port = emulator.endpoint.split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(request)
        received = b""
        while chunk := connection.recv(65536):
            received += chunk
    head, _, body = received.decode("latin-1").partition("\r\n\r\n")
    _, status, reason = head.split("\r\n")[0].split(" ", 2)
    return Answer(int(status), reason, body)


def request(line: str, *headers: str, host: str = "127.0.0.1", body: bytes = b"") -> bytes:
    lines = [f"{line} HTTP/1.1", f"Host: {host}", "Connection: close", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


FORM = "Content-Type: application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("sent", "status", "told"),
    [
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "Invalid HTTP request", id="TLS hello"),
        pytest.param(b"GET / HTTP/9.9\r\n\r\n", 400, "Invalid HTTP request", id="another protocol version"),
        pytest.param(request("OPTIONS *"), 405, "MethodNotAllowed", id="asterisk form"),
        pytest.param(request("GET /\xff\xfe"), 400, "Invalid HTTP request", id="raw bytes in the path"),
        pytest.param(request("GET /", host=""), 403, "does not stand in for ", id="no host"),
        pytest.param(request("GET /", host="[::1"), 403, "does not stand in for", id="half an address"),
        pytest.param(request("GET /", host="169.254.169.254"), 403, "does not stand in for", id="metadata service"),
        pytest.param(
            request("GET http://example.com/", host="example.com"), 403, "never forwards", id="proxied elsewhere"
        ),
        pytest.param(request(f"GET /?{RPC}&RoleName=%ff%fe"), 400, "query is not text in UTF-8", id="not UTF-8"),
        pytest.param(request(f"GET /?{RPC}&{'a=1&' * 2000}"), 400, "more than 1000 parameters", id="2000 parameters"),
        pytest.param(request("GET /?Version=1999-01-01&Action=X"), 400, "no emulated product has", id="old version"),
        pytest.param(request(f"GET /?{RPC}"), 400, "AccessKeyId is mandatory", id="no signature"),
        pytest.param(request("POST /", FORM, body=b"\xff\xfe=1"), 400, "form is not text in UTF-8", id="binary form"),
        pytest.param(
            request("POST /", FORM, host="ram.aliyuncs.com", body=b"a" * (MAX_BODY + 1)), 413,
            "more than 4194304 bytes", id="5 MB form",
        ),
        pytest.param(
            request("POST /api/v1/models", "x-acs-version: 2021-02-04", body=b"[" * (MAX_BODY + 1)), 413,
            "more than 4194304 bytes", id="5 MB body",
        ),
        pytest.param(
            request("GET /", "x-acs-version: 2015-05-01", "Authorization: acs \xe9:\xe9"), 400, "Date is mandatory",
            id="accents in the signature",
        ),
        pytest.param(
            request("GET /", "x-acs-version: 2015-05-01", "Authorization: ACS3-HMAC-SHA256 \xff"), 400,
            "must have the form", id="bytes in the signature",
        ),
        pytest.param(request("BREW /pot"), 400, "Invalid HTTP request", id="unknown method"),
        pytest.param(request("OPTIONS /api/v1/models", "x-acs-version: 2021-02-04"), 400, "AccessKeyId", id="OPTIONS"),
        pytest.param(request("HEAD /api/v1/models", "x-acs-version: 2021-02-04"), 400, "", id="HEAD"),
        pytest.param(request("DELETE /health"), 404, "there is no DELETE /health here", id="DELETE /health"),
        pytest.param(request("GET /_emulator/secrets"), 404, "there is no GET", id="unknown page"),
        pytest.param(
            request("POST /_emulator/reset", "Origin: https://example.com"), 403, "may not call this",
            id="reset by a web page",
        ),
        pytest.param(request("POST /_emulator/clock", body=b"[" * 1000), 400, "advance_s", id="nested clock"),
        pytest.param(request("POST /_emulator/clock", body=b'{"advance_s": 1e300}'), 400, "advance_s", id="far future"),
        pytest.param(request("POST /_emulator/clock", body=b"x" * 2000), 413, "more than 1024", id="long clock"),
        pytest.param(b"GET / HTTP/1.1\r\nX:".ljust(MAX_HEAD + 1, b"a"), 431, "more than 262144 bytes", id="header"),
        pytest.param(b"GET /".ljust(MAX_HEAD + 1, b"a"), 431, "more than 262144 bytes", id="path"),
    ],
)  # fmt: skip
def test_a_hostile_request_gets_a_clear_answer(
    emulator: RunningEmulator, caplog: pytest.LogCaptureFixture, sent: bytes, status: int, told: str
) -> None:
    answer = send(emulator, sent)

    assert (answer.status, told in answer.body) == (status, True), answer
    assert "Traceback" not in answer.body + caplog.text


def test_a_tunnel_is_refused_with_its_reason_in_the_status_line(emulator: RunningEmulator) -> None:
    answer = send(emulator, b"CONNECT pai-eas.cn-hangzhou.aliyuncs.com:443 HTTP/1.1\r\nHost: x\r\n\r\n")

    assert (answer.status, "set the protocol HTTP" in answer.reason) == (405, True)
    with httpx.Client(proxy=emulator.url) as client, pytest.raises(httpx.ProxyError, match="set the protocol HTTP"):
        client.get("https://ram.aliyuncs.com/")


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"A.B": "1", "A": "2"}, "A is given as a value, and another parameter goes into it"),
        ({"A": "2", "A.B": "1"}, "A.B goes into A, which is also given as a value"),
        ({".".join("A" * 11): "1"}, "more than 10 parts"),
        ({"RoleName.1": "a", "RoleName.99999999999": "b"}, "RoleName"),
        ({"RoleName.²": "a"}, "RoleName"),
    ],
)
def test_parameters_that_contradict_each_other_are_refused(
    emulator: RunningEmulator, parameters: dict[str, str], told: str
) -> None:
    with httpx.Client(proxy=emulator.url) as client:
        answer = client.send(Signer(action="GetRole", parameters=parameters).rpc())

    assert (answer.status_code, told in answer.json()["Message"]) == (400, True), answer.text


def test_a_fault_of_the_emulator_is_an_internal_error_and_is_logged_once(
    emulator: RunningEmulator, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(sqlite3.connect(emulator.state.settings.data_dir / "state.sqlite")) as database, database:
        database.execute("INSERT INTO documents VALUES ('ram.roles', 'broken', 'not JSON')")

    with caplog.at_level(logging.ERROR), refused("InternalError", 500, "fault of the emulator"):
        connect(Ram, emulator).get_role(models.GetRoleRequest(role_name="broken"))

    (record,) = [record for record in caplog.records if record.exc_info]
    assert "POST / " in record.message
    assert httpx.get(f"{emulator.url}/health").status_code == 200


def test_a_client_that_hangs_up_leaves_no_trace(emulator: RunningEmulator, caplog: pytest.LogCaptureFixture) -> None:
    host, port = emulator.endpoint.split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: ram.aliyuncs.com\r\nContent-Length: 100\r\n\r\nhalf")

    assert httpx.get(f"{emulator.url}/health").status_code == 200
    assert caplog.text == ""


def test_health_counts_what_there_is(emulator: RunningEmulator) -> None:
    assert "ram.policies" not in httpx.get(f"{emulator.url}/health").json()["counts"]

    document = '{"Version": "1", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}'
    connect(Ram, emulator).create_policy(models.CreatePolicyRequest(policy_name="all", policy_document=document))

    assert httpx.get(f"{emulator.url}/health").json()["counts"]["ram.policies"] == 1
