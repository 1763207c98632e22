"""Log search through the SDK, on what replicas have really written."""

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from alibabacloud_eas20210701.client import Client

from jobs.logs import Entry, Search, follow, read, shown, since_of
from jobs.problem import JobError
from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.conftest import REGION, Eas, service_json, until
from tests.emulator.running import run_emulator
from tests.emulator.sdk import connect

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)

# A server that writes the request's id in JSON, as the model's server does, and a line of its own beside it.
SERVER = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        level = "error" if "bad" in self.path else "info"
        entry = {"level": level, "event": "request", "request_id": self.headers["x-request-id"], "path": self.path}
        print(json.dumps(entry), flush=True)
        print("served", self.path, flush=True)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass

HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


@pytest.fixture
def eas(tmp_path: Path) -> Iterator[Eas]:
    """A service `svc` of that server, through the SDK."""
    program = tmp_path / "server.py"
    program.write_text(SERVER)
    with run_emulator(tmp_path / "emulator") as emulator:
        eas = of(emulator)
        eas.deploy(service_json(command=f"{sys.executable} {program} 8000"))
        yield eas
        eas.http.close()


def of(emulator: RunningEmulator) -> Eas:
    return Eas(connect(Client, emulator), emulator.url)


def found(eas: Eas, since: datetime = LONG_AGO, **search: Any) -> list[str]:
    return [entry.text for entry in read(eas.client, REGION, "svc", Search(**search), since)]


def test_a_request_is_followed_by_its_id_from_the_gateway_to_the_replica(eas: Eas) -> None:
    request_id = eas.ask("/one").headers["x-eas-request-id"]
    eas.ask("/two")
    until(lambda: found(eas, grep="served /two"))

    (line,) = found(eas, request_id=request_id)

    assert (json.loads(line)["request_id"], json.loads(line)["path"]) == (request_id, "/one")


def test_lines_are_found_by_text_and_by_level(eas: Eas) -> None:
    eas.ask("/good")
    eas.ask("/bad")
    until(lambda: found(eas, grep="served /bad"))

    assert [json.loads(line)["path"] for line in found(eas, level="warning")] == ["/bad"]
    assert [json.loads(line)["path"] for line in found(eas, level="info")] == ["/good", "/bad"]
    assert found(eas, grep="served") == ["served /good", "served /bad"]
    assert found(eas, grep="served", level="info") == []
    assert found(eas, since=datetime.now(UTC) + timedelta(hours=1)) == []


def test_long_logs_come_whole_over_many_pages(eas: Eas) -> None:
    for number in range(5):
        eas.ask(f"/{number}")
    until(lambda: found(eas, grep="served /4"))

    entries = read(eas.client, REGION, "svc", Search(grep="served"), LONG_AGO, page_size=2)
    assert [entry.text for entry in entries] == [f"served /{number}" for number in range(5)]


def test_following_goes_on_with_what_is_written_and_tells_nothing_twice(eas: Eas) -> None:
    eas.ask("/first")
    until(lambda: found(eas, grep="served /first"))
    lines = follow(eas.client, REGION, "svc", Search(grep="served"), LONG_AGO)

    assert next(lines).text == "served /first"
    for number in range(3):
        eas.ask(f"/{number}")
    assert [entry.text for entry in islice(lines, 3)] == ["served /0", "served /1", "served /2"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("15m", NOW - timedelta(minutes=15)),
        ("2h", NOW - timedelta(hours=2)),
        ("1d", NOW - timedelta(days=1)),
        ("30s", NOW - timedelta(seconds=30)),
        ("2026-11-25 11:00:00", NOW - timedelta(hours=1)),
        ("2026-11-25T12:00:00+08:00", NOW - timedelta(hours=8)),
    ],
)
def test_a_begin_is_a_time_or_how_long_ago(text: str, moment: datetime) -> None:
    assert since_of(text, NOW) == moment


def test_a_begin_that_is_no_time_is_told() -> None:
    with pytest.raises(JobError, match="--since: found 'yesterday'; give a time such as 15m"):
        since_of("yesterday", NOW)


def test_a_line_is_shown_with_its_fields_and_any_other_as_it_is() -> None:
    line = '[2026-11-25 12:00:00.123] {"level": "error", "event": "failed", "request_id": "r1"}'

    assert shown(Entry.parse(line)).plain == "2026-11-25 12:00:00.123  error    failed request_id=r1"
    assert shown(Entry.parse("[2026-11-25 12:00:00.123] Traceback")).plain == "2026-11-25 12:00:00.123  Traceback"
    assert shown(Entry.parse("no time")).plain == "no time"
