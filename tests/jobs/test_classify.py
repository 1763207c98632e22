"""Images sent to a service, and how the answers are told."""

import http.server
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from jobs.classify import Classified, Endpoint, classify, table_of
from jobs.problem import JobError

ANSWER = {"predictions": [{"label": "Bag", "confidence": 0.93}]}


class Service(http.server.BaseHTTPRequestHandler):
    """Says that everything is a bag, to those who have the token."""

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        welcome = self.headers["Authorization"] == "right"
        body = json.dumps(ANSWER | {"seen": [content.decode(), self.headers["Content-Type"]]}) if welcome else "token?"
        self.send_response(200 if welcome else 401)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def url() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/api/predict/fashion"
        server.shutdown()
        thread.join()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "bag.png"
    path.write_bytes(b"picture")
    return path


def test_an_image_gets_its_label_and_a_latency(url: str, image: Path) -> None:
    [answer] = classify(Endpoint(url, "right", "fashion 1", proxied=False), [image])

    assert (answer.label, answer.confidence, answer.problem) == ("Bag", 0.93, "")
    assert answer.latency_ms > 0


def test_a_refusal_is_shown_with_its_status(url: str, image: Path) -> None:
    [answer] = classify(Endpoint(url, "wrong", "fashion 1", proxied=False), [image])

    assert answer.problem == "401: token?"


def test_a_service_that_does_not_answer_is_no_traceback(image: Path) -> None:
    [answer] = classify(Endpoint("http://127.0.0.1:9/", "any", "fashion 1", proxied=False), [image])

    assert answer.problem.startswith("no answer: ")


def test_a_file_that_is_not_there_is_named(url: str, tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"cannot read .*nothing.png: No such file or directory"):
        classify(Endpoint(url, "right", "fashion 1", proxied=False), [tmp_path / "nothing.png"])


def test_the_table_shows_labels_and_problems() -> None:
    console = Console(width=100, file=io.StringIO(), record=True)
    console.print(
        table_of([Classified(Path("a.png"), "Bag", 0.931, 12.34, ""), Classified(Path("b.png"), "", 0, 1, "401: [no]")])
    )

    shown = console.export_text()
    assert "Bag" in shown
    assert "93.1%" in shown
    assert "12.3 ms" in shown
    assert "401: [no]" in shown
