"""A load on a real server: what it cannot serve is not called its capacity."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from jobs.classify import Endpoint
from jobs.loadtest import LoadFlags, measure
from jobs.problem import JobError

FLAGS = LoadFlags(Path("picture"), latency_ms=150, percentile=95, first=10, most=400, trial_s=1)
WORK_S = 0.02


class OneAtATime(BaseHTTPRequestHandler):
    """20 ms of work for each request, one after the other: 50 a second at best."""

    protocol_version = "HTTP/1.1"
    turn = threading.Lock()
    bodies: ClassVar[set[bytes]] = set()
    tokens: ClassVar[set[str | None]] = set()

    def do_POST(self) -> None:
        self.bodies.add(self.rfile.read(int(self.headers["Content-Length"])))
        self.tokens.add(self.headers["Authorization"])
        with self.turn:
            time.sleep(WORK_S)
        self.send_response(200 if self.path == "/" else 500)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    request_queue_size = 1000


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Server(("127.0.0.1", 0), OneAtATime) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


def test_no_more_than_the_server_can_do_is_its_capacity(url: str) -> None:
    found = measure(Endpoint(url, "secret", "m 1", proxied=False), b"a picture", FLAGS, FLAGS.objective())
    assert found.qps is not None
    assert found.qps <= 1.06 / WORK_S, "more would need answers before the work is done"
    assert not found.limited
    assert (OneAtATime.bodies, OneAtATime.tokens) == ({b"a picture"}, {"secret"})


def test_answers_that_are_no_success_are_no_capacity(url: str) -> None:
    few = replace(FLAGS, first=20, most=20)
    found = measure(Endpoint(f"{url}broken", "secret", "m 1", proxied=False), b"x", few, few.objective())
    assert found.qps is None
    assert found.trials[0].failed_share == 1


def test_nobody_there_is_no_capacity() -> None:
    few = replace(FLAGS, first=20, most=20)
    found = measure(Endpoint("http://127.0.0.1:9/", "secret", "m 1", proxied=False), b"x", few, few.objective())
    assert found.qps is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"latency_ms": 0}, "--latency-ms has to be above 0, found 0"),
        ({"percentile": 100}, "--percentile has to be 50 to 99, found 100"),
        ({"first": 500}, "--first has to be above 0 and at most --most, found 500"),
        ({"trial_s": 0.5}, "--trial-seconds has to be 1 to 600, found 0.5"),
        ({"most": 90_000, "trial_s": 2}, "--most for --trial-seconds are 180000 requests; allowed: 100000"),
    ],
)
def test_flags_that_cannot_be_are_named(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(JobError, match=told):
        replace(FLAGS, **changes).objective()
