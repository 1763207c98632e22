"""Every refusal in bad_requests.yaml, in OSS's own form, and that nothing is changed by it."""

import http.client
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import httpx
import pytest
import yaml

from tests.emulator.oss.conftest import Version4

CASES: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("bad_requests.yaml").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['method']} {case['path']} {case['code']}")
def test_a_bad_request_is_refused_and_changes_nothing(owner: httpx.Client, case: dict[str, Any]) -> None:
    owner.put("/bucket/object", content=b"0123456789")
    before = owner.get("/bucket/?versions").text, owner.get("/").text
    path = case.get("base", "") + case["path"] + "k" * case.get("long_key", 0)
    body = _body(case)
    headers = {"content-length": str(len(body)), **case.get("headers", {})}
    refused = owner.request(
        case["method"], owner.base_url.copy_with(raw_path=path.encode()), content=body, headers=headers
    )

    assert refused.status_code == case["status"], refused.text
    document = ElementTree.fromstring(refused.content)  # noqa: S314 - the emulator's own
    assert document.findtext("Code") == case["code"], refused.text
    assert case.get("says", "") in "".join(f"{each.tag} {each.text} " for each in document)
    assert document.findtext("RequestId") == refused.headers["x-oss-request-id"]
    assert document.findtext("HostId") == urlsplit(str(owner.base_url)).netloc
    assert (owner.get("/bucket/?versions").text, owner.get("/").text) == before


def _body(case: dict[str, Any]) -> bytes:
    if "nested" in case:
        depth: int = case["nested"]
        return b"<Tagging>" * depth + b"</Tagging>" * depth
    body: str = case.get("utf16") or case.get("body", "")
    return body.encode("utf-16" if "utf16" in case else "utf-8")


def test_the_refusal_of_a_head_is_in_a_header(owner: httpx.Client) -> None:
    refused = owner.head("/bucket/no-such-key")

    assert (refused.status_code, refused.content) == (404, b"")
    assert refused.headers["x-oss-err"]


def test_an_upload_without_a_length_is_refused(owner: httpx.Client) -> None:
    request = owner.build_request("PUT", "/bucket/new")
    del request.headers["content-length"]
    refused = owner.send(request)

    assert (refused.status_code, "MissingContentLength" in refused.text) == (411, True)


def test_an_upload_that_is_too_large_is_refused_before_it_is_sent(owner: httpx.Client) -> None:
    request = owner.build_request("PUT", "/bucket/new", headers={"content-length": str(5 * 1024**3 + 1)})
    next(Version4().auth_flow(request))
    connection = http.client.HTTPConnection(owner.base_url.host, owner.base_url.port)
    connection.putrequest("PUT", "/bucket/new", skip_host=True)
    for name, value in request.headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    refused = connection.getresponse()

    assert (refused.status, b"EntityTooLarge" in refused.read()) == (400, True)
    connection.close()


@pytest.mark.parametrize(
    ("header", "status", "data"),
    [
        ("bytes=0-4", 206, b"01234"),
        ("bytes=5-", 206, b"56789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=5-99", 200, b"0123456789"),
        ("bytes=99-", 200, b"0123456789"),
        ("bytes=-99", 200, b"0123456789"),
        ("bytes=4-2", 200, b"0123456789"),
        ("bytes=0-1,3-4", 200, b"0123456789"),
        ("pages=1-2", 200, b"0123456789"),
        ("bytes=-", 200, b"0123456789"),
    ],
)
def test_a_range_that_cannot_be_met_means_the_whole_object(
    owner: httpx.Client, header: str, status: int, data: bytes
) -> None:
    owner.put("/bucket/object", content=b"0123456789")
    got = owner.get("/bucket/object", headers={"range": header})

    assert (got.status_code, got.content) == (status, data)


@pytest.mark.parametrize(("header", "data"), [("bytes=5-99", b"56789"), ("bytes=-99", b"0123456789")])
def test_a_standard_range_is_cut_at_the_end(owner: httpx.Client, header: str, data: bytes) -> None:
    owner.put("/bucket/object", content=b"0123456789")
    got = owner.get("/bucket/object", headers={"range": header, "x-oss-range-behavior": "standard"})

    assert (got.status_code, got.content) == (206, data)
    assert got.headers["content-range"].endswith("/10")
