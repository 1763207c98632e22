"""Parts in a group's traffic through the real SDK and the emulator."""

from collections import Counter
from typing import Any

import httpx
import pytest
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.service_release import ReleaseProvider
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.providers.wire import on_the_wire


def inputs(service: str, weight: int, **changes: Any) -> Props:
    state = "grouping" if weight else "standalone"
    whole = {"group_name": "shop", "traffic_state": state, "weight": weight, "adopt": False} | changes
    return on_the_wire(cluster_id="cn-hangzhou", service_name=service, **whole)


@pytest.fixture
def provider(configured: ConfigureRequest, eas: Eas) -> ReleaseProvider:
    """With two versions in a group that divides by weights."""
    call(eas, "CreateGroup", Name="shop")
    call(eas, "UpdateGroup", "shop", TrafficMode="customized")
    for name in ("blue", "green"):
        eas.deploy(service_json(name, metadata={"group": "shop"}, env={"VERSION": name}))
    provider = ReleaseProvider()
    provider.configure(configured)
    return provider


def answers(eas: Eas, requests: int = 20) -> Counter[str]:
    group = call(eas, "DescribeGroup", "shop")
    with httpx.Client(headers={"Authorization": group["AccessToken"]}) as client:
        got = [client.get(group["InternetEndpoint"]) for _ in range(requests)]
    return Counter(str(each.json()["version"] if each.status_code == 200 else each.status_code) for each in got)


def test_requests_are_divided_by_the_weights_and_moved_by_changing_them(provider: ReleaseProvider, eas: Eas) -> None:
    blue = provider.create(inputs("blue", 90))
    green = provider.create(inputs("green", 10))
    until(lambda: answers(eas) == {"blue": 18, "green": 2}, "90 to 10")
    assert provider.read(blue.id, blue.outs or {}).inputs == inputs("blue", 90)

    provider.update(green.id, green.outs or {}, inputs("green", 100))
    provider.update(blue.id, blue.outs or {}, inputs("blue", 0))

    until(lambda: answers(eas) == {"green": 20}, "all to green")
    assert provider.read(blue.id, inputs("blue", 0)).inputs == inputs("blue", 0)


def test_the_last_part_that_is_answered_is_not_given_up(provider: ReleaseProvider, eas: Eas) -> None:
    blue = provider.create(inputs("blue", 100))
    green = provider.create(inputs("green", 0))

    with pytest.raises(CloudError, match="blue has the only share in the traffic of shop that is answered"):
        provider.update(blue.id, blue.outs or {}, inputs("blue", 0))
    provider.update(green.id, green.outs or {}, inputs("green", 100))
    call(eas, "StopService", "green")
    with pytest.raises(CloudError, match="the only share"):
        provider.update(blue.id, blue.outs or {}, inputs("blue", 0))

    until(lambda: answers(eas) == {"blue": 20}, "blue alone")


def test_a_stopped_version_gets_no_traffic(provider: ReleaseProvider, eas: Eas) -> None:
    call(eas, "StopService", "green")
    eas.wait("green", "Stopped")

    with pytest.raises(CloudError, match="green is to get a weight of 10, but is Stopped"):
        provider.create(inputs("green", 10))
    assert eas.describe("green")["TrafficState"] == "standalone"


def test_a_service_outside_of_the_group_gets_none_of_its_traffic(provider: ReleaseProvider, eas: Eas) -> None:
    eas.deploy(service_json("red"))

    with pytest.raises(CloudError, match="red is to get traffic of the group shop, but is in no group"):
        provider.create(inputs("red", 10))


def test_a_part_that_others_gave_is_taken_over_only_by_order(provider: ReleaseProvider, eas: Eas) -> None:
    call(eas, "ReleaseService", "blue", TrafficState="grouping", Weight=5)

    with pytest.raises(CloudError, match="there is already a part of blue in the traffic of shop"):
        provider.create(inputs("blue", 100))
    provider.create(inputs("blue", 100, adopt=True))

    assert eas.describe("blue")["Weight"] == 100


def test_a_version_that_is_not_there_yet_can_be_without_traffic_but_not_with_some(
    provider: ReleaseProvider,
) -> None:
    assert provider.create(inputs("red", 0)).id == "cn-hangzhou/red"
    with pytest.raises(CloudError, match=r"InvalidService.NotFound"):
        provider.create(inputs("red", 1))


@pytest.mark.parametrize(
    ("by_hand", "drift"),
    [
        ({"Weight": 7}, {"weight": 7}),
        ({"TrafficState": "standalone"}, {"traffic_state": "standalone"}),
    ],
)
def test_drift_shows_and_is_undone(
    provider: ReleaseProvider, eas: Eas, by_hand: dict[str, Any], drift: dict[str, Any]
) -> None:
    created = provider.create(inputs("blue", 100))
    call(eas, "ReleaseService", "blue", **by_hand)

    read = provider.read(created.id, created.outs or {})
    assert read.inputs == inputs("blue", 100) | on_the_wire(**drift)
    provider.update(created.id, read.outs or {}, inputs("blue", 100))

    assert provider.read(created.id, created.outs or {}).inputs == inputs("blue", 100)


def test_the_weight_of_a_version_without_traffic_is_no_drift(provider: ReleaseProvider, eas: Eas) -> None:
    created = provider.create(inputs("blue", 0))
    call(eas, "ReleaseService", "blue", Weight=7)

    assert provider.read(created.id, created.outs or {}).inputs == inputs("blue", 0)


def test_deleting_it_takes_the_service_out_of_the_traffic_and_leaves_it_running(
    provider: ReleaseProvider, eas: Eas
) -> None:
    created = provider.create(inputs("blue", 100))

    provider.delete(created.id, created.outs or {})

    until(lambda: answers(eas, 1) == {"503": 1}, "nobody in the traffic")
    assert eas.ask(name="blue").json()["version"] == "blue"


def test_deleting_it_leaves_a_service_alone_that_has_moved_to_another_group(
    provider: ReleaseProvider, eas: Eas
) -> None:
    created = provider.create(inputs("blue", 100))
    eas.update("blue", {"metadata": {"group": "market"}})
    eas.wait("blue")
    call(eas, "ReleaseService", "blue", TrafficState="grouping", Weight=50)

    provider.delete(created.id, created.outs or {})

    assert eas.describe("blue")["TrafficState"] == "grouping"


def test_the_part_of_another_service_is_made_before_the_old_one_goes(provider: ReleaseProvider) -> None:
    changed = provider.diff("id", inputs("blue", 100), inputs("green", 100))

    assert (changed.replaces, changed.delete_before_replace) == (["service_name"], False)
