"""Whom alarms reach, and by which ways."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest
from alibabacloud_cms20190101 import models
from alibabacloud_cms20190101.client import Client
from typing_extensions import override

from tests.emulator.cms.calls import activate, everything, fire, log, next_minute, outbox, put_rule
from tests.emulator.cms.conftest import put_contact, put_group
from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.conftest import until


@pytest.fixture(autouse=True)
def _on_call(cms: Client) -> None:
    put_contact(cms)
    put_group(cms)


CHANNELS = [
    ("critical", {"ONCALL", "SMS", "MAIL", "DING"}),
    ("warn", {"SMS", "MAIL", "DING"}),
    ("info", {"MAIL", "DING"}),
]


@pytest.mark.parametrize(("level", "channels"), CHANNELS)
def test_each_level_reaches_exactly_its_channels_at_its_begin_and_at_its_end(
    emulator: RunningEmulator, cms: Client, level: str, channels: set[str]
) -> None:
    put_contact(cms, **everything())
    activate(emulator)
    put_rule(cms, "high", **{level: "> 5 x1"})
    next_minute(emulator)

    fire(emulator, cms, 9)
    begin = outbox(emulator)
    fire(emulator, cms, 1)
    end = outbox(emulator)[len(begin) :]

    assert {message["channel"] for message in begin} == channels
    assert {message["channel"] for message in end} == channels
    assert len(begin) == len(end) == len(channels)
    assert begin[0]["subject"] == f"[{level.capitalize()}] high"
    assert "accuracy is 9" in begin[0]["text"]
    assert end[0]["subject"] == "[recovered] high"
    first, last = log(cms, "high")
    assert (first.level_change, last.level_change) == (f"OK->{first.level}", f"{first.level}->OK")
    assert {result.key for result in first.send_result_list} == {
        "CALL" if channel == "ONCALL" else channel for channel in channels
    }


def test_mail_and_sms_are_dead_until_the_person_agrees(emulator: RunningEmulator, cms: Client) -> None:
    put_contact(cms, **everything())
    put_rule(cms, "high", critical="> 5 x1")
    put_rule(cms, "higher", critical="> 6 x1")
    next_minute(emulator)
    fire(emulator, cms, 6)
    assert {message["channel"] for message in outbox(emulator)} == {"DING"}

    activate(emulator)
    fire(emulator, cms, 7)

    assert {message["channel"] for message in outbox(emulator)[1:]} == {"ONCALL", "SMS", "MAIL", "DING"}
    contact = cms.describe_contact_list(models.DescribeContactListRequest()).body.contacts.contact[0]
    assert (contact.channels_state.mail, contact.channels_state.sms) == ("OK", "OK")
    put_contact(cms, channels=models.PutContactRequestChannels(mail="bert@example.com"))
    contact = cms.describe_contact_list(models.DescribeContactListRequest()).body.contacts.contact[0]
    assert contact.channels_state.mail == "PENDING", "another address has not agreed"
    asked = httpx.get(f"{emulator.url}/_emulator/outbox").json()["messages"][-1]
    assert (asked["subject"], asked["address"]) == ("Activate your address", "bert@example.com")


def test_a_person_in_two_groups_is_told_once(emulator: RunningEmulator, cms: Client) -> None:
    activate(emulator)
    put_group(cms, "managers")
    put_rule(cms, "high", warn="> 5 x1", groups="on-call,managers")
    next_minute(emulator)

    fire(emulator, cms, 9)

    assert [(message["channel"], message["contact"]) for message in outbox(emulator)] == [("MAIL", "anna")]


def test_a_webhook_on_the_loopback_is_called_with_the_documented_form(emulator: RunningEmulator, cms: Client) -> None:
    with listening() as (url, received):
        put_rule(cms, "high", critical="> 5 x1", webhook=url)
        next_minute(emulator)
        fire(emulator, cms, 9)
        until(lambda: received)
        fire(emulator, cms, 1)
        until(lambda: len(received) == 2)

    begin, end = received
    assert {name: begin[name] for name in ("alertName", "alertState", "curValue", "expression", "ruleId")} == {
        "alertName": "high", "alertState": "ALERT", "curValue": "9", "expression": "$Average>5", "ruleId": "high",
    }  # fmt: skip
    assert (begin["preTriggerLevel"], begin["triggerLevel"]) == ("OK", "P2")
    assert begin["dimensions"] == "{groupId=0, service=svc}"
    assert (end["alertState"], end["preTriggerLevel"], end["triggerLevel"]) == ("OK", "P2", "OK")
    until(lambda: [message["result"] for message in outbox(emulator)] == ["status 200"] * 2)


@contextmanager
def listening() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """A server on the loopback, and the forms that it gets."""
    received: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["content-length"])).decode(), keep_blank_values=True)
            received.append({name: values[0] for name, values in form.items()})
            self.send_response(200)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/alarms", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_webhook_elsewhere_is_never_called(emulator: RunningEmulator, cms: Client) -> None:
    put_rule(cms, "high", critical="> 5 x1", webhook="http://alarms.example.com/")
    next_minute(emulator)

    fire(emulator, cms, 9)

    (message,) = outbox(emulator)
    assert (message["channel"], message["result"]) == ("WEBHOOK", "not called: not on the loopback")
