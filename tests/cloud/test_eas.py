"""The EAS client's patience with a cloud that is busy."""

import http.server
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from alibabacloud_eas20210701.models import DescribeServiceRequest
from Tea.exceptions import TeaException

from cloud.eas import eas_client
from cloud.target import Credentials, Target

CREDENTIALS = Credentials(
    access_key_id="LTAI5tPaistackEmulator00", access_key_secret="paistack-emulator-secret-0000000"
)


class Busy(http.server.ThreadingHTTPServer):
    """Answers with each of `refusals` once, a status and a code, and then as it should."""

    refusals: list[tuple[int, str]]
    requests: int

    @property
    def target(self) -> Target:
        url = f"http://127.0.0.1:{self.server_port}"
        return Target(region="cn-hangzhou", account_id="1234567890123456", emulator=url)


class Handler(http.server.BaseHTTPRequestHandler):
    server: Busy

    def do_GET(self) -> None:
        self.server.requests += 1
        status, code = self.server.refusals.pop(0) if self.server.refusals else (200, "")
        body = json.dumps({"Code": code, "Message": "later", "RequestId": "1"} if code else {"ServiceName": "svc"})
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def busy() -> Iterator[Busy]:
    with Busy(("127.0.0.1", 0), Handler) as server:
        server.refusals, server.requests = [], 0
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def describe(busy: Busy, *, once: bool = False) -> str:
    client = eas_client(busy.target, CREDENTIALS, once=once)
    name: str = client.describe_service("cn-hangzhou", "svc", DescribeServiceRequest()).body.service_name
    return name


@pytest.mark.parametrize("refusal", [(503, "ServiceUnavailable"), (500, "InternalError"), (429, "Throttling.User")])
def test_throttling_and_failures_of_the_cloud_are_tried_again(busy: Busy, refusal: tuple[int, str]) -> None:
    busy.refusals = [refusal, refusal]

    assert describe(busy) == "svc"
    assert busy.requests == 3


@pytest.mark.parametrize("failure", [(503, "ServiceUnavailable"), (500, "InternalError")])
def test_what_may_have_been_done_is_not_tried_again_where_each_time_costs(busy: Busy, failure: tuple[int, str]) -> None:
    busy.refusals = [(429, "Throttling.User"), failure]

    with pytest.raises(TeaException, match=failure[1]):
        describe(busy, once=True)
    assert busy.requests == 2


def test_a_refusal_is_final(busy: Busy) -> None:
    busy.refusals = [(400, "InvalidParameter")]

    with pytest.raises(TeaException, match="InvalidParameter"):
        describe(busy)
    assert busy.requests == 1


def test_the_emulator_is_called_past_the_environments_proxy(busy: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    assert describe(busy) == "svc"
