"""Events of replicas, the rules that tell of them, and whom these reach."""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import httpx
import pytest
from alibabacloud_cms20190101 import models
from alibabacloud_cms20190101.client import Client
from typing_extensions import override

from tests.emulator.cms.calls import activate, everything, outbox
from tests.emulator.cms.conftest import put_contact, put_group
from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.calls import advance
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.emulator.refusals import refused

FAILED = "EAS:ServiceInstance:Failed"
Pattern = models.PutEventRuleRequestEventPattern


@pytest.fixture(autouse=True)
def _on_call(emulator: RunningEmulator, cms: Client) -> None:
    put_contact(cms, **everything())
    put_group(cms)
    activate(emulator)


def put_event_rule(cms: Client, name: str = "events", *, level: str | None = "3", **settings: Any) -> None:
    """A rule on grave events of the service `svc`, whose contacts are reached at `level`."""
    given = {"product": "learn", "level_list": ["WARN", "CRITICAL"], "sqlfilter": '"svc"', **settings.pop("about", {})}
    cms.put_event_rule(
        models.PutEventRuleRequest(
            rule_name=name, event_pattern=[Pattern(**given)], silence_time=settings.pop("silence", 600), **settings
        )
    )
    if level:
        put_contacts(cms, name, level=level)


def put_contacts(cms: Client, name: str = "events", *, group: str = "on-call", level: str = "3") -> Any:
    target = models.PutEventRuleTargetsRequestContactParameters(id="1", contact_group_name=group, level=level)
    request = models.PutEventRuleTargetsRequest(rule_name=name, contact_parameters=[target])
    return cms.put_event_rule_targets(request).body


def put_webhook(cms: Client, url: str, **changes: str) -> None:
    target = models.PutEventRuleTargetsRequestWebhookParameters(id="2", url=url, **changes)
    cms.put_event_rule_targets(models.PutEventRuleTargetsRequest(rule_name="events", webhook_parameters=[target]))


def system_events(cms: Client, **query: Any) -> list[Any]:
    """Oldest first."""
    request = models.DescribeSystemEventAttributeRequest(page_size=100, **query)
    return list(reversed(cms.describe_system_event_attribute(request).body.system_events.system_event))


def kill(eas: Eas, cms: Client, name: str = "svc") -> None:
    """Kills a replica of a service, and returns when CloudMonitor knows and the replica runs again."""
    known = len(system_events(cms, name=FAILED))
    os.kill(eas.ask(name=name).json()["pid"], signal.SIGKILL)
    until(lambda: len(system_events(cms, name=FAILED)) > known, "the event of the end")
    eas.wait(name)


def rules(cms: Client, **query: Any) -> dict[str, Any]:
    request = models.DescribeEventRuleListRequest(**query)
    return {rule.name: rule for rule in cms.describe_event_rule_list(request).body.event_rules.event_rule}


def attribute(cms: Client, name: str = "events") -> Any:
    request = models.DescribeEventRuleAttributeRequest(rule_name=name)
    return cms.describe_event_rule_attribute(request).body.result


def targets(cms: Client) -> tuple[list[tuple[str, str]], list[str]]:
    """Group and level of each contact target, and the addresses of webhooks."""
    body = cms.describe_event_rule_target_list(models.DescribeEventRuleTargetListRequest(rule_name="events")).body
    contacts = [(target.contact_group_name, target.level) for target in body.contact_parameters.contact_parameter]
    return contacts, [target.url for target in body.webhook_parameters.webhook_parameter]


def test_the_life_of_a_replica_is_in_the_history_of_events(eas: Eas, cms: Client) -> None:
    eas.deploy(service_json())
    (instance,) = [each["InstanceName"] for each in eas.instances()]
    kill(eas, cms)

    begin, end, again = system_events(cms)
    assert [event.name for event in (begin, end, again)] == [
        "EAS:ServiceInstance:Running", FAILED, "EAS:ServiceInstance:Running",
    ]  # fmt: skip
    assert (begin.product, begin.level, begin.status, begin.region_id) == ("learn", "INFO", "Running", "cn-hangzhou")
    assert (end.level, end.instance_name) == ("CRITICAL", instance)
    assert end.resource_id == "acs:eas:cn-hangzhou:1234567890123456:service/svc"
    content = json.loads(end.content)
    assert (content["serviceName"], content["serviceId"]) == ("svc", eas.describe()["ServiceUid"])
    assert "signal 9" in content["message"]
    assert [event.id for event in system_events(cms, level="CRITICAL", search_keywords="svc and signal")] == [end.id]
    assert system_events(cms, search_keywords="nothing or other") == []
    assert system_events(cms, product="ecs") == []
    assert system_events(cms, end_time=str(begin.time // 1000 - 60)) == []


@pytest.mark.parametrize(
    ("level", "channels"),
    [("2", {"ONCALL", "SMS", "MAIL", "DING"}), ("3", {"SMS", "MAIL", "DING"}), ("4", {"MAIL", "DING"})],
)
def test_a_replica_that_dies_reaches_the_channels_of_the_target(
    emulator: RunningEmulator, cms: Client, eas: Eas, level: str, channels: set[str]
) -> None:
    put_event_rule(cms, level=level)
    eas.deploy(service_json())
    assert outbox(emulator) == [], "that a replica runs is no trouble"

    kill(eas, cms)

    messages = outbox(emulator)
    assert {message["channel"] for message in messages} == channels
    assert len(messages) == len(channels)
    assert {message["subject"] for message in messages} == {"[CRITICAL] events"}
    assert f"{FAILED} of svc-" in messages[0]["text"]
    assert "signal 9" in messages[0]["text"]


def test_a_spot_replica_that_is_taken_away_is_told(emulator: RunningEmulator, cms: Client, eas: Eas) -> None:
    put_event_rule(cms)
    spot = {"computing": {"instances": [{"type": "ecs.c7.large", "spot_price_limit": 1.0}]}}
    eas.deploy(service_json(cloud=spot))

    httpx.post(f"{emulator.url}/_emulator/eas/reclaim", json={"service": "svc"}).raise_for_status()

    assert {message["subject"] for message in outbox(emulator)} == {"[WARN] events"}
    assert system_events(cms, name="EAS:ServiceInstance:Evicting")[0].status == "Evicting"


def test_only_events_of_the_named_service_are_told(emulator: RunningEmulator, cms: Client, eas: Eas) -> None:
    put_event_rule(cms)
    eas.deploy(service_json("svc_2"))

    kill(eas, cms, "svc_2")

    assert outbox(emulator) == []


def test_within_the_silence_an_event_is_not_told_again(emulator: RunningEmulator, cms: Client, eas: Eas) -> None:
    put_event_rule(cms, level="4", silence=600)
    eas.deploy(service_json())

    kill(eas, cms)
    kill(eas, cms)
    assert len(outbox(emulator)) == 2, "mail and DingTalk, once"

    advance(emulator, 601)
    kill(eas, cms)
    assert len(outbox(emulator)) == 4


def test_a_rule_that_is_disabled_or_deleted_tells_nobody(emulator: RunningEmulator, cms: Client, eas: Eas) -> None:
    put_event_rule(cms, "first", silence=0)
    put_event_rule(cms, "second", silence=0)
    cms.disable_event_rules(models.DisableEventRulesRequest(rule_names=["first"]))
    cms.delete_event_rules(models.DeleteEventRulesRequest(rule_names=["second", "third"]))
    eas.deploy(service_json())

    kill(eas, cms)
    assert outbox(emulator) == []

    cms.enable_event_rules(models.EnableEventRulesRequest(rule_names=["first"]))
    kill(eas, cms)
    assert {message["subject"] for message in outbox(emulator)} == {"[CRITICAL] first"}


def test_rules_are_listed_by_prefix_and_by_whether_they_are_enabled(cms: Client) -> None:
    put_event_rule(cms, "shop-a", state="DISABLED", description="of a")
    put_event_rule(cms, "shop-b")
    put_event_rule(cms, "other")

    assert set(rules(cms, name_prefix="shop-")) == {"shop-a", "shop-b"}
    assert set(rules(cms, is_enable=False)) == {"shop-a"}
    assert set(rules(cms, page_number="2", page_size="2")) == {"shop-b"}
    found = rules(cms)["shop-a"]
    assert (found.description, found.silence_time, found.state, found.event_type) == ("of a", 600, "DISABLED", "SYSTEM")
    (pattern,) = found.event_pattern.event_pattern
    assert (pattern.product, pattern.sqlfilter) == ("learn", '"svc"')
    assert pattern.level_list.level_list == ["WARN", "CRITICAL"]


def test_a_rule_that_is_put_again_keeps_its_targets_and_its_state(cms: Client) -> None:
    put_event_rule(cms, state="DISABLED")
    put_event_rule(cms, level=None, about={"name_list": [FAILED], "custom_filters": "signal"})

    found = attribute(cms)
    assert (found.state, found.event_pattern.name_list.name_list) == ("DISABLED", [FAILED])
    assert found.event_pattern.keyword_filter_obj.keywords.keyword == ["signal"]
    assert targets(cms) == ([("on-call", "3")], [])


def test_targets_are_put_by_their_ids_and_deleted(cms: Client) -> None:
    put_event_rule(cms)
    put_group(cms, "others")
    put_contacts(cms, group="others", level="2")
    put_webhook(cms, "http://127.0.0.1:9/")
    assert targets(cms) == ([("others", "2")], ["http://127.0.0.1:9/"])

    cms.delete_event_rule_targets(models.DeleteEventRuleTargetsRequest(rule_name="events", ids=["1", "7"]))

    assert targets(cms) == ([], ["http://127.0.0.1:9/"])


def test_a_group_that_does_not_exist_is_told_as_failed(cms: Client) -> None:
    put_event_rule(cms)

    body = put_contacts(cms, group="nobody")

    assert body.failed_parameter_count == "1"
    (failed,) = body.failed_contact_parameters.contact_parameter
    assert (failed.contact_group_name, failed.id) == ("nobody", 1)
    assert targets(cms) == ([("on-call", "3")], [])


def test_a_webhook_on_the_loopback_gets_the_documented_json(emulator: RunningEmulator, cms: Client, eas: Eas) -> None:
    put_event_rule(cms, level=None)
    eas.deploy(service_json())
    with listening() as (url, received):
        put_webhook(cms, url)
        kill(eas, cms)
        until(lambda: received)

    (body,) = received
    assert (body["product"], body["name"], body["level"]) == ("learn", FAILED, "CRITICAL")
    assert body["resourceId"].endswith(":service/svc")
    assert body["content"]["serviceName"] == "svc"
    until(lambda: [message["result"] for message in outbox(emulator)] == ["status 200"])


@contextmanager
def listening() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A server on the loopback, and the JSON that it gets."""
    received: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/events", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    ("settings", "code", "message"),
    [
        ({"about": {"sqlfilter": "serviceName: svc"}}, "InvalidParameter.EventPattern.0.SQLFilter", "not ':'"),
        ({"about": {"level_list": ["FATAL"]}}, "InvalidParameter.EventPattern.0.LevelList.0", "FATAL"),
        ({"event_type": "CUSTOM"}, "InvalidParameter.EventType", "CUSTOM"),
        ({"group_id": "7"}, "InvalidParameter", "has no parameter \"GroupId\""),
        ({"silence": 86_401}, "InvalidParameter.SilenceTime", "86400"),
    ],
)  # fmt: skip
def test_a_rule_that_the_emulator_could_not_keep_is_refused(
    cms: Client, settings: dict[str, Any], code: str, message: str
) -> None:
    with refused(code, message=message):
        put_event_rule(cms, **settings)


def test_targets_that_nothing_would_reach_are_refused_by_name(cms: Client) -> None:
    put_event_rule(cms)
    function = models.PutEventRuleTargetsRequestFcParameters(id="3", function_name="f")
    with refused("InvalidParameter", message="FcParameters"):
        cms.put_event_rule_targets(models.PutEventRuleTargetsRequest(rule_name="events", fc_parameters=[function]))
    with refused("InvalidParameter.WebhookParameters.0.Method", message="GET"):
        put_webhook(cms, "http://127.0.0.1:9/", method="GET")
    with refused("InvalidParameter.WebhookParameters.0.Protocol", message="ping"):
        put_webhook(cms, "http://127.0.0.1:9/", protocol="ping")


def test_a_rule_that_is_not_there_is_not_found(cms: Client) -> None:
    with refused("ResourceNotFound", 404):
        attribute(cms, "none")
    with refused("ResourceNotFound", 404):
        put_contacts(cms, "none")
    with refused("ResourceNotFound", 404):
        cms.enable_event_rules(models.EnableEventRulesRequest(rule_names=["none"]))
