"""The gateway: who gets in, what reaches an instance, and what a caller gets back."""

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest
from alibabacloud_eas20210701 import models
from alibabacloud_eas20210701.client import Client

from emulator.services.eas.dataplane.routes import Access, Route
from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.conftest import REGION, Eas, service_json, until
from tests.emulator.sdk import connect

TOKEN = "a-token-for-the-tests"
AUTHORIZED = {"Authorization": TOKEN}


def deploy(eas: Eas, **changes: Any) -> str:
    """A running service with a known token; its endpoint."""
    eas.deploy(service_json(token=TOKEN, **changes))
    return str(eas.describe()["InternetEndpoint"])


def route_of(emulator: RunningEmulator) -> Route:
    route = emulator.state.eas.routes.find(REGION, "svc")
    assert isinstance(route, Route)
    return route


def accesses(emulator: RunningEmulator) -> list[Access]:
    return list(route_of(emulator).accesses)


def test_path_query_method_and_body_reach_the_instance_as_they_are(eas: Eas) -> None:
    url = deploy(eas)

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        answer = eas.http.request(method, f"{url}/v1/a%2Fb%20c?q=1&q=%C3%A9", headers=AUTHORIZED, content=b"\x00body")
        seen = answer.json()
        assert (seen["method"], seen["path"], seen["query"]) == (method, "/v1/a%2Fb%20c", "q=1&q=%C3%A9")
        assert seen["body"] == "\x00body"
    assert eas.http.get(url, headers=AUTHORIZED).json()["path"] == "/"
    assert eas.http.get(f"{url}/", headers=AUTHORIZED).json()["path"] == "/"
    head = eas.http.head(url, headers=AUTHORIZED)
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 0


def test_status_and_headers_of_the_instance_come_back(eas: Eas) -> None:
    url = deploy(eas)

    answer = eas.http.get(f"{url}?status=418", headers=AUTHORIZED)

    assert answer.status_code == 418
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers.get_list("date", split_commas=False) == [answer.headers["date"]]


@pytest.mark.parametrize("authorization", [TOKEN, f"Bearer {TOKEN}"])
def test_the_token_opens_the_service(eas: Eas, authorization: str) -> None:
    assert eas.http.get(deploy(eas), headers={"Authorization": authorization}).status_code == 200


@pytest.mark.parametrize("authorization", [None, "", "wrong", "Bearer", f"Basic {TOKEN}", TOKEN[:-1], "EAS x", "é"])
def test_without_the_token_nothing_reaches_the_instance(eas: Eas, authorization: str | None) -> None:
    url = deploy(eas)
    headers = {} if authorization is None else {b"Authorization": authorization.encode()}

    answer = eas.http.post(f"{url}/secret", headers=headers, content=b"x")

    assert answer.status_code == 401
    assert answer.json() == {"code": 401, "message": "The token in the Authorization header is missing or wrong"}
    assert not any("/secret" in line for line in eas.logs())


def test_the_signature_of_the_prediction_client_opens_the_service(eas: Eas) -> None:
    url = deploy(eas)
    body = b"pixels"
    md5 = hashlib.md5(body, usedforsecurity=False).hexdigest()
    date, kind = "Tue, 24 Nov 2026 02:00:00 GMT", "application/octet-stream"
    text = f"POST\n{md5}\n{kind}\n{date}\n/api/predict/svc"
    signature = base64.b64encode(hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()
    headers = {"Content-MD5": md5, "Date": date, "Content-Type": kind, "Authorization": f"EAS {signature}"}

    assert eas.http.post(url, headers=headers, content=body).json()["body"] == "pixels"
    assert eas.http.post(url, headers={**headers, "Date": "later"}, content=body).status_code == 401


def test_a_service_that_is_not_there_is_404(eas: Eas) -> None:
    answer = eas.http.get(f"{eas.url}/api/predict/absent/v1", headers=AUTHORIZED)

    assert (answer.status_code, answer.json()["message"]) == (404, "There is no service absent")


def test_a_name_in_two_regions_needs_the_host_name(eas: Eas, emulator: RunningEmulator) -> None:
    url = deploy(eas, env={"VERSION": "hangzhou"})
    elsewhere = connect(Client, emulator, endpoint="pai-eas.cn-shanghai.aliyuncs.com", http_proxy=emulator.url)
    body = json.dumps(service_json(token=TOKEN, env={"VERSION": "shanghai"}))
    elsewhere.create_service(models.CreateServiceRequest(body=body))

    ambiguous = eas.http.get(url, headers=AUTHORIZED)
    assert ambiguous.status_code == 404
    assert "There is a service svc in cn-hangzhou, cn-shanghai" in ambiguous.json()["message"]
    assert "http://<account>.<region>.pai-eas.aliyuncs.com" in ambiguous.json()["message"]

    with httpx.Client(proxy=emulator.url, headers=AUTHORIZED) as proxied:
        for region in ("hangzhou", "shanghai"):
            for host in (f"1234567890123456.cn-{region}", f"1234567890123456.vpc.cn-{region}"):
                address = f"http://{host}.pai-eas.aliyuncs.com/api/predict/svc/v1"
                until(partial(answers, proxied, address))
                answer = proxied.get(address)
                assert (answer.json()["version"], answer.json()["path"]) == (region, "/v1")
        absent = proxied.get("http://1234567890123456.cn-beijing.pai-eas.aliyuncs.com/api/predict/svc")
        assert (absent.status_code, absent.json()["message"]) == (404, "There is no service svc in cn-beijing")


def answers(client: httpx.Client, address: str) -> bool:
    return client.get(address).status_code == 200


def test_the_endpoints_that_a_service_names_answer(eas: Eas, emulator: RunningEmulator) -> None:
    deploy(eas)
    described = eas.describe()

    assert eas.http.get(described["InternetEndpoint"], headers=AUTHORIZED).status_code == 200
    with httpx.Client(proxy=emulator.url) as proxied:
        assert proxied.get(described["IntranetEndpoint"], headers=AUTHORIZED).status_code == 200


def test_hop_by_hop_headers_stay_on_their_hop(eas: Eas) -> None:
    url = deploy(eas)
    headers = AUTHORIZED | {
        "Connection": "keep-alive, X-Private",
        "X-Private": "1",
        "Keep-Alive": "timeout=5",
        "TE": "trailers",
        "Upgrade": "h2c",
        "Proxy-Authorization": "secret",
        "X-Kept": "2",
    }

    seen = eas.http.get(url, headers=headers).json()["headers"]

    assert seen["x-kept"] == "2"
    assert not {"x-private", "keep-alive", "te", "upgrade", "proxy-authorization", "connection"} & set(seen)


def test_a_request_has_an_id_that_both_sides_see(eas: Eas, emulator: RunningEmulator) -> None:
    url = deploy(eas)

    own = eas.http.get(url, headers=AUTHORIZED | {"X-Request-Id": "from-the-client"})
    made = eas.http.get(url, headers=AUTHORIZED)

    assert own.json()["headers"]["x-request-id"] == own.headers["x-eas-request-id"] == "from-the-client"
    assert made.json()["headers"]["x-eas-request-id"] == made.headers["x-eas-request-id"]
    assert [access.request_id for access in accesses(emulator)] == ["from-the-client", made.headers["x-eas-request-id"]]


def test_a_streamed_answer_arrives_as_it_is_made(eas: Eas) -> None:
    url = deploy(eas)
    arrived = []

    with eas.http.stream("GET", f"{url}?stream=6", headers=AUTHORIZED) as answer:
        for line in answer.iter_lines():
            arrived.append((line, time.monotonic()))

    assert [line for line, _ in arrived] == [f"chunk {number}" for number in range(6)]
    assert arrived[-1][1] - arrived[0][1] > 0.2, "the first line did not wait for the last"


def test_a_streamed_request_is_passed_on(eas: Eas) -> None:
    url = deploy(eas)

    def pieces() -> Iterator[bytes]:
        for number in range(50):
            yield b"%d," % number * 5000

    answer = eas.http.post(url, headers=AUTHORIZED, content=pieces())

    expected = b"".join(b"%d," % number * 5000 for number in range(50))
    assert answer.json()["body"].encode() == expected
    assert answer.json()["headers"]["transfer-encoding"] == "chunked"


def test_a_large_body_is_passed_on_with_its_length(eas: Eas) -> None:
    body = b"0123456789abcdef" * 500_000

    answer = eas.http.post(deploy(eas), headers=AUTHORIZED, content=body)

    assert answer.json()["headers"]["content-length"] == str(len(body))
    assert hashlib.sha256(answer.json()["body"].encode()).digest() == hashlib.sha256(body).digest()


def test_requests_are_spread_over_the_ready_instances(eas: Eas) -> None:
    url = deploy(eas, instance=3)

    pids = [eas.http.get(url, headers=AUTHORIZED).json()["pid"] for _ in range(30)]

    assert sorted(pids.count(pid) for pid in set(pids)) == [10, 10, 10]


def test_a_busy_instance_gets_fewer_requests(eas: Eas) -> None:
    url = deploy(eas, instance=2)
    with ThreadPoolExecutor(8) as pool:
        busy = pool.submit(eas.http.get, f"{url}?sleep=2", headers=AUTHORIZED)
        until(lambda: any("sleep=2" in line for line in eas.logs()))
        pids = [eas.http.get(url, headers=AUTHORIZED).json()["pid"] for _ in range(10)]
        assert busy.result().json()["pid"] not in pids
    assert len(set(pids)) == 1


def test_a_request_that_takes_longer_than_keepalive_is_408(eas: Eas, emulator: RunningEmulator) -> None:
    url = deploy(eas, metadata={"rpc": {"keepalive": 200}})

    answer = eas.http.get(f"{url}?hang", headers=AUTHORIZED)

    assert answer.status_code == 408
    assert answer.json()["message"] == "The request was not answered within rpc.keepalive (200 ms)"
    assert answer.headers["connection"] == "close"
    (access,) = accesses(emulator)
    assert (access.status, access.instance) == (408, eas.instances()[0]["InstanceName"])
    assert 190 < access.latency_ms < 2000


def test_keepalive_is_five_seconds_unless_said_otherwise(eas: Eas, emulator: RunningEmulator) -> None:
    deploy(eas)
    route = route_of(emulator)
    assert route.keepalive_s == 5.0

    eas.update("svc", {"networking": {"gateway": "gw-1"}})
    eas.wait()
    assert route.keepalive_s == 600.0


def test_time_in_the_queue_counts_too(eas: Eas) -> None:
    url = deploy(eas, metadata={"rpc": {"keepalive": 600, "worker_threads": 1}})
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(eas.http.get, f"{url}?sleep=0.5", headers=AUTHORIZED)
        until(lambda: any("sleep=0.5" in line for line in eas.logs()))
        second = pool.submit(eas.http.get, f"{url}?sleep=0.4", headers=AUTHORIZED)
        assert (first.result().status_code, second.result().status_code) == (200, 408)


def test_an_instance_takes_as_many_requests_a_second_as_its_rate_limit_says(eas: Eas) -> None:
    url = deploy(eas, instance=2, metadata={"rpc": {"rate_limit": 5}})

    codes = [eas.http.get(url, headers=AUTHORIZED).status_code for _ in range(40)]

    assert codes[:10] == [200] * 10, "five of each instance"
    limited = eas.http.get(url, headers=AUTHORIZED)
    assert codes.count(429) > 10
    assert limited.status_code == 200 or limited.json()["message"] == "The rate limit of every instance is exceeded"
    until(lambda: eas.http.get(url, headers=AUTHORIZED).status_code == 200)


def test_a_service_takes_as_many_requests_a_second_as_its_gateway_policy_says(eas: Eas) -> None:
    url = deploy(eas, networking={"gateway_policy": {"rate_limit": {"enable": True, "limit": 3}}})

    answers = [eas.http.get(url, headers=AUTHORIZED) for _ in range(12)]

    assert [answer.status_code for answer in answers[:3]] == [200] * 3
    rejected = [answer for answer in answers if answer.status_code == 429]
    assert rejected
    assert rejected[0].json()["message"] == "The service's limit of requests a second is exceeded"


def test_a_service_takes_as_many_requests_at_a_time_as_its_gateway_policy_says(eas: Eas) -> None:
    url = deploy(eas, networking={"gateway_policy": {"concurrency_limit": {"enable": True, "limit": 2}}})
    with ThreadPoolExecutor(3) as pool:
        slow = [pool.submit(eas.http.get, f"{url}?sleep=1", headers=AUTHORIZED) for _ in range(2)]
        until(lambda: len([line for line in eas.logs() if "sleep=1" in line]) == 2)
        third = eas.http.get(url, headers=AUTHORIZED)
        assert [answer.result().status_code for answer in slow] == [200, 200]
    assert (third.status_code, third.json()["message"]) == (429, "The service takes 2 requests at the same time")
    assert eas.http.get(url, headers=AUTHORIZED).status_code == 200


def test_a_full_queue_is_450(eas: Eas) -> None:
    url = deploy(eas, metadata={"rpc": {"worker_threads": 1, "max_queue_size": 1}})
    with ThreadPoolExecutor(3) as pool:
        working = pool.submit(eas.http.get, f"{url}?sleep=1", headers=AUTHORIZED)
        until(lambda: any("sleep=1" in line for line in eas.logs()))
        others = [pool.submit(eas.http.get, url, headers=AUTHORIZED) for _ in range(2)]
        codes = sorted(answer.result().status_code for answer in others)
        rejected = next(answer.result() for answer in others if answer.result().status_code == 450)
        assert working.result().status_code == 200
    assert codes == [200, 450]
    assert rejected.json()["message"] == "The queue of the instance is full (1 requests wait)"
    assert rejected.headers["connection"] == "close"


def test_no_ready_instance_is_503(eas: Eas, emulator: RunningEmulator) -> None:
    eas.create(service_json(token=TOKEN, command="sleep 3600"))

    answer = eas.http.get(eas.describe()["InternetEndpoint"], headers=AUTHORIZED)

    assert (answer.status_code, answer.json()["message"]) == (503, "The service has no ready instance")
    assert [access.status for access in accesses(emulator)] == [503]


def test_an_instance_that_closes_without_an_answer_is_502_for_a_post(eas: Eas) -> None:
    url = deploy(eas, instance=2)

    answer = eas.http.post(f"{url}/once?close", headers=AUTHORIZED, content=b"x")

    assert answer.status_code == 502
    until(lambda: any("POST /once" in line for line in eas.logs()))
    assert len([line for line in eas.logs() if "POST /once" in line]) == 1, "it was not sent a second time"


def test_a_get_is_tried_on_another_instance(eas: Eas) -> None:
    url = deploy(eas, instance=2)

    answer = eas.http.get(f"{url}/twice?close", headers=AUTHORIZED)

    assert answer.status_code == 502
    until(lambda: len([line for line in eas.logs() if "GET /twice" in line]) == 2)


def test_a_client_that_goes_away_is_recorded_and_frees_the_instance(eas: Eas, emulator: RunningEmulator) -> None:
    url = deploy(eas, metadata={"rpc": {"worker_threads": 1}})

    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{url}?hang", headers=AUTHORIZED, timeout=0.3)

    until(lambda: accesses(emulator))
    assert [access.status for access in accesses(emulator)] == [499]
    assert eas.http.get(url, headers=AUTHORIZED).status_code == 200, "its place is free again"
    assert route_of(emulator).in_flight == 0


def test_a_client_that_goes_away_while_sending_is_recorded(eas: Eas, emulator: RunningEmulator) -> None:
    url = deploy(eas)
    host, port = emulator.endpoint.split(":")
    with socket.create_connection((host, int(port))) as connection:
        head = f"POST /api/predict/svc HTTP/1.1\r\nHost: {emulator.endpoint}\r\nAuthorization: {TOKEN}\r\n"
        connection.sendall(f"{head}Content-Length: 100\r\n\r\nonly this".encode())
        until(lambda: route_of(emulator).in_flight)

    until(lambda: accesses(emulator))
    assert [access.status for access in accesses(emulator)] == [499]
    assert eas.http.get(url, headers=AUTHORIZED).status_code == 200


def test_an_instance_that_dies_in_the_middle_of_an_answer_breaks_the_connection(eas: Eas) -> None:
    url = deploy(eas)
    (instance,) = eas.instances()

    def read() -> None:
        with eas.http.stream("GET", f"{url}?stream=100", headers=AUTHORIZED) as answer:
            for line in answer.iter_lines():
                if line == "chunk 2":
                    kill(instance["InstancePort"])

    with pytest.raises(httpx.RemoteProtocolError):
        read()


def kill(port: int) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.get(f"http://127.0.0.1:{port}/?exit=1")


def test_every_request_is_in_the_access_log(eas: Eas, emulator: RunningEmulator) -> None:
    url = deploy(eas)

    eas.http.post(f"{url}/v1?q=1", headers=AUTHORIZED, content=b"x")
    eas.http.get(url)

    first, second = accesses(emulator)
    assert (first.method, first.path, first.status) == ("POST", "/v1?q=1", 200)
    assert first.instance == eas.instances()[0]["InstanceName"]
    assert (second.status, second.instance) == (401, "")
    assert abs(first.time - time.time()) < 60


def test_requests_do_not_wait_for_each_other(eas: Eas) -> None:
    url = deploy(eas)

    with ThreadPoolExecutor(20) as pool:
        slow = [pool.submit(eas.http.get, f"{url}?sleep=3", headers=AUTHORIZED) for _ in range(19)]
        assert eas.http.get(url, headers=AUTHORIZED).status_code == 200
        assert not any(answer.done() for answer in slow)
        assert {answer.result().status_code for answer in slow} == {200}
