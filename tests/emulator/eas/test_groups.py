"""Groups of services: how they come and go, and who gets their requests."""

from collections import Counter
from typing import Any

import httpx
import pytest

from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.emulator.refusals import refused


def member(eas: Eas, name: str, *, group: str = "shop", instance: int = 1, **further: Any) -> None:
    document = service_json(name, instance=instance, metadata={"group": group}, env={"VERSION": name}, **further)
    eas.deploy(document)


def release(eas: Eas, name: str, **document: Any) -> None:
    call(eas, "ReleaseService", name, **document)


def answered_by(eas: Eas, requests: int, group: str = "shop") -> Counter[str]:
    """How many of so many requests to the group each member answered; other answers by their status."""
    endpoints = call(eas, "DescribeGroupEndpoints", group)
    (address,) = endpoints["Endpoints"][0]["InternetEndpoints"]
    with httpx.Client(headers={"Authorization": endpoints["AccessToken"]}) as client:
        answers = [client.get(address) for _ in range(requests)]
    return Counter(
        str(answer.json()["version"] if answer.status_code == 200 else answer.status_code) for answer in answers
    )


def gone(eas: Eas, group: str = "shop") -> bool:
    return group not in [each["Name"] for each in call(eas, "ListGroups").get("Groups", [])]


def test_a_group_comes_with_its_first_service_and_goes_with_its_last(eas: Eas) -> None:
    member(eas, "blue", instance=0)
    member(eas, "green", instance=0)

    described = call(eas, "DescribeGroup", "shop")

    assert (described["TrafficMode"], described["ClusterId"]) == ("auto", "cn-hangzhou")
    assert described["InternetEndpoint"] == f"{eas.url}/api/predict/shop"
    assert described["AccessToken"] == call(eas, "DescribeGroupEndpoints", "shop")["AccessToken"]
    assert described["AccessToken"] != eas.describe("blue")["AccessToken"]
    call(eas, "DeleteService", "blue")
    until(lambda: eas.gone("blue"), "blue's end")
    assert not gone(eas)
    call(eas, "DeleteService", "green")
    until(lambda: gone(eas), "the group's end")


def test_members_get_no_requests_of_the_group_until_they_are_released_into_it(eas: Eas) -> None:
    member(eas, "blue")
    member(eas, "green", instance=2)
    assert eas.describe("blue")["TrafficState"] == "standalone"
    assert answered_by(eas, 3) == {"503": 3}
    assert eas.ask(name="blue").json()["version"] == "blue", "its own endpoint works"

    release(eas, "blue", TrafficState="grouping")
    until(lambda: answered_by(eas, 5) == {"blue": 5}, "blue alone")
    release(eas, "green", TrafficState="grouping")
    until(lambda: answered_by(eas, 30) == {"blue": 10, "green": 20}, "traffic by instances")
    release(eas, "green", TrafficState="standalone")
    until(lambda: answered_by(eas, 5) == {"blue": 5}, "blue alone again")

    assert eas.ask(name="green").json()["version"] == "green"


def test_fixed_weights_split_the_traffic_exactly(eas: Eas) -> None:
    member(eas, "blue")
    member(eas, "green")
    for name, weight in (("blue", 90), ("green", 10)):
        release(eas, name, TrafficState="grouping", Weight=weight)

    call(eas, "UpdateGroup", "shop", TrafficMode="customized")

    until(lambda: answered_by(eas, 100) == {"blue": 90, "green": 10}, "90 to 10")
    assert eas.describe("green")["Weight"] == 10
    release(eas, "blue", Weight=0)
    until(lambda: answered_by(eas, 10) == {"green": 10}, "nothing to blue")


def test_a_member_without_ready_instances_gets_nothing(eas: Eas) -> None:
    member(eas, "blue")
    member(eas, "green")
    for name in ("blue", "green"):
        release(eas, name, TrafficState="grouping", Weight=50)
    call(eas, "UpdateGroup", "shop", TrafficMode="customized")
    until(lambda: answered_by(eas, 10) == {"blue": 5, "green": 5}, "both")

    call(eas, "StopService", "green")

    until(lambda: answered_by(eas, 10) == {"blue": 10}, "blue alone")


def test_the_group_has_a_token_of_its_own(eas: Eas) -> None:
    member(eas, "blue")
    release(eas, "blue", TrafficState="grouping")

    token = eas.describe("blue")["AccessToken"]

    assert httpx.get(f"{eas.url}/api/predict/shop", headers={"Authorization": token}).status_code == 401


def test_a_service_that_changes_its_group_leaves_the_traffic(eas: Eas) -> None:
    member(eas, "blue")
    release(eas, "blue", TrafficState="grouping")

    eas.update("blue", {"metadata": {"group": "market"}})

    assert gone(eas, "shop")
    assert eas.describe("blue")["TrafficState"] == "standalone"
    assert answered_by(eas, 1, "market") == {"503": 1}


def test_a_created_group_stays_without_services(eas: Eas) -> None:
    call(eas, "CreateGroup", Name="shop", Labels={"team": "vision"}, Network={"GatewayId": "gw-1"})
    member(eas, "blue", instance=0)
    call(eas, "UpdateGroup", "shop", Labels={"team": "search"})

    described = call(eas, "DescribeGroup", "shop")
    assert described["Labels"] == [{"LabelKey": "team", "LabelValue": "search"}]
    assert described["Network"] == {"GatewayId": "gw-1"}
    with refused("InvalidGroup.NotEmpty", 409, "blue"):
        call(eas, "DeleteGroup", "shop")
    call(eas, "DeleteService", "blue")
    until(lambda: eas.gone("blue"), "blue's end")
    assert not gone(eas)
    call(eas, "DeleteGroup", "shop")

    with refused("InvalidGroup.NotFound", 404):
        call(eas, "DescribeGroup", "shop")


def test_a_group_can_take_its_services_with_it(eas: Eas) -> None:
    member(eas, "blue", instance=0)

    call(eas, "DeleteGroup", "shop", CascadeDelete="true")

    until(lambda: eas.gone("blue"), "blue's end")
    assert gone(eas)


def test_groups_are_listed_by_name_label_and_mode(eas: Eas) -> None:
    call(eas, "CreateGroup", Name="shop", Labels={"team": "vision"})
    call(eas, "CreateGroup", Name="market")
    call(eas, "UpdateGroup", "market", TrafficMode="customized")

    def names(**query: Any) -> set[str]:
        return {group["Name"] for group in call(eas, "ListGroups", **query).get("Groups", [])}

    assert names() == {"shop", "market"}
    assert names(Filter="mark") == {"market"}
    assert names(TrafficMode="auto") == {"shop"}
    listed = eas.client.list_groups(_labelled({"team": "vision"})).body.to_map()
    assert [group["Name"] for group in listed["Groups"]] == ["shop"]


def _labelled(labels: dict[str, str]) -> Any:
    from alibabacloud_eas20210701.models import ListGroupsRequest

    return ListGroupsRequest(labels=labels)


def test_services_and_groups_cannot_have_the_same_name(eas: Eas) -> None:
    eas.create(service_json("shop", instance=0))
    call(eas, "CreateGroup", Name="market")

    with refused("InvalidGroup.NameConflict", 409):
        call(eas, "CreateGroup", Name="shop")
    with refused("InvalidGroup.NameConflict", 409):
        eas.create(service_json("blue", instance=0, metadata={"group": "shop"}))
    with refused("InvalidGroup.NameConflict", 409):
        eas.create(service_json("blue", instance=0, metadata={"group": "blue"}))
    with refused("InvalidService.NameConflict", 409):
        eas.create(service_json("market", instance=0))
    with refused("InvalidGroup.Exists", 409):
        call(eas, "CreateGroup", Name="market")


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({}, "Weight or TrafficState"),
        ({"Weight": 1001}, "Weight"),
        ({"Weight": -2}, "Weight"),
        ({"TrafficState": "grouped"}, "TrafficState"),
        ({"TrafficState": "grouping"}, "is in no group"),
    ],
)
def test_a_release_that_makes_no_sense_is_refused(eas: Eas, document: dict[str, Any], problem: str) -> None:
    eas.create(service_json(instance=0))

    with pytest.raises(Exception, match=problem):
        release(eas, "svc", **document)
