"""What instances wrote, and what happened to them."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from alibabacloud_eas20210701 import models
from httpx import RemoteProtocolError

from tests.emulator.eas.conftest import Eas, service_json, until


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M:%S")


def test_lines_of_all_instances_are_kept_with_their_time(eas: Eas) -> None:
    eas.deploy(service_json(instance=2, env={"VERSION": "1"}))
    eas.ask("/first")

    logs = until(lambda: [line for line in eas.logs() if "GET /first" in line] and eas.logs())

    assert len([line for line in logs if line.endswith("version 1 starts")]) == 2
    moment = datetime.fromisoformat(logs[0][1:24]).replace(tzinfo=UTC)
    assert timedelta(0) <= datetime.now(UTC) - moment < timedelta(minutes=1)
    assert logs == sorted(logs)


def test_lines_are_found_by_word_instance_and_time(eas: Eas) -> None:
    eas.deploy(service_json(instance=2))
    eas.ask("/needle")
    until(lambda: eas.logs(keyword="needle"))
    names = [instance["InstanceName"] for instance in eas.instances()]
    now = datetime.now(UTC)

    (line,) = eas.logs(keyword="needle")
    assert line.endswith("GET /needle")
    assert sorted(line for name in names for line in eas.logs(instance_name=name)) == sorted(eas.logs())
    assert eas.logs(start_time=stamp(now + timedelta(minutes=1))) == []
    assert eas.logs(end_time=stamp(now - timedelta(minutes=1))) == []
    window = {"start_time": stamp(now - timedelta(minutes=1)), "end_time": stamp(now + timedelta(minutes=1))}
    assert eas.logs(**window) == eas.logs()


def test_lines_come_in_pages(eas: Eas) -> None:
    eas.deploy(service_json())
    for number in range(5):
        eas.ask(f"/{number}")
    until(lambda: len(eas.logs(keyword="GET /")) == 5)

    request = models.DescribeServiceLogRequest(keyword="GET /", page_size=2, page_num=3)
    answer = eas.call("describe_service_log", "svc", request)

    assert [line[-2:] for line in answer["Logs"]] == ["/4"]
    assert (answer["PageNum"], answer["TotalCount"], answer["TotalPageNum"]) == (3, 5, 3)


def test_what_an_instance_wrote_before_it_died_is_kept(eas: Eas) -> None:
    eas.deploy(service_json())
    with pytest.raises(RemoteProtocolError):
        eas.http.get(f"http://127.0.0.1:{eas.instances()[0]['InstancePort']}/last-words?exit=1")
    until(lambda: eas.instances()[0]["RestartCount"] == 1 and eas.instances()[0]["ReadyProcesses"])

    assert any("last-words" in line for line in eas.logs(previous=True))
    assert not any("last-words" in line for line in eas.logs())


def test_lines_of_an_instance_that_has_gone_can_still_be_read(eas: Eas) -> None:
    eas.deploy(service_json(env={"VERSION": "1"}))
    eas.update("svc", service_json(env={"VERSION": "2"}))
    eas.wait()

    assert [line[26:] for line in eas.logs(keyword="starts")] == ["version 1 starts", "version 2 starts"]


def test_events_tell_what_happened_in_order(eas: Eas) -> None:
    eas.deploy(service_json())
    eas.update("svc", service_json(env={"VERSION": "2"}))
    eas.wait()

    events = eas.events()
    assert [event["Reason"] for event in events if event["Resource"] == "Service"] == [
        "Creating", "Running", "Updating", "Running",
    ]  # fmt: skip
    assert json.loads(events[-1]["Message"]) == {
        "versionId": 2,
        "message": "Stage update complete",
        "availableInstance": 1,
        "unavailableInstance": 0,
    }
    assert [event["Reason"] for event in events if event["Resource"] == "Pod"] == ["Started", "Started", "Killing"]
    assert {event["Type"] for event in events} == {"Normal"}


def test_events_are_found_by_type_instance_and_time(eas: Eas) -> None:
    eas.create(service_json(command="python -c 'raise SystemExit(1)'"))
    eas.wait(status="Failed")
    (instance,) = eas.instances()
    now = datetime.now(UTC)

    assert {event["Type"] for event in eas.events(event_type="Warning")} == {"Warning"}
    assert {event["Resource"] for event in eas.events(instance_name=instance["InstanceName"])} == {"Pod"}
    assert eas.events(start_time=stamp(now + timedelta(minutes=1))) == []
    assert eas.events(end_time=stamp(now - timedelta(minutes=1))) == []
    assert eas.events(page_size=1) == eas.events()[:1]
