"""A service group through the real SDK and the emulator."""

from typing import Any

import pytest
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.service_group import ServiceGroupProvider
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json
from tests.providers.wire import on_the_wire

OURS = {"paistack-stack": "p/test"}


def inputs(**changes: Any) -> Props:
    whole = {"traffic_mode": "customized", "labels": OURS, "adopt": False} | changes
    return on_the_wire(cluster_id="cn-hangzhou", group_name="shop", **whole)


@pytest.fixture
def provider(configured: ConfigureRequest) -> ServiceGroupProvider:
    provider = ServiceGroupProvider()
    provider.configure(configured)
    return provider


def test_a_group_divides_its_traffic_by_weights_and_tells_its_address_and_token(
    provider: ServiceGroupProvider, eas: Eas
) -> None:
    created = provider.create(inputs())

    described = call(eas, "DescribeGroup", "shop")
    assert described["TrafficMode"] == "customized"
    assert described["Labels"] == [{"LabelKey": "paistack-stack", "LabelValue": "p/test"}]
    assert created.outs == inputs() | {
        "internet_endpoint": f"{eas.url}/api/predict/shop",
        "intranet_endpoint": described["IntranetEndpoint"],
        "access_token": described["AccessToken"],
    }
    read = provider.read(created.id, created.outs)
    assert (read.inputs, read.outs) == (inputs(), created.outs)


def test_a_group_of_others_is_taken_over_only_by_order_and_keeps_their_labels(
    provider: ServiceGroupProvider, eas: Eas
) -> None:
    call(eas, "CreateGroup", Name="shop", Labels={"team": "search"})

    with pytest.raises(CloudError, match="there is already a service group shop; delete it, or set adopt"):
        provider.create(inputs())
    assert call(eas, "DescribeGroup", "shop")["TrafficMode"] == "auto"

    created = provider.create(inputs(adopt=True))
    described = call(eas, "DescribeGroup", "shop")
    assert described["TrafficMode"] == "customized"
    assert {each["LabelKey"] for each in described["Labels"]} == {"team", "paistack-stack"}
    assert provider.read(created.id, created.outs or {}).inputs == inputs(adopt=True)


def test_a_group_that_a_run_left_behind_is_known_by_its_labels(provider: ServiceGroupProvider, eas: Eas) -> None:
    call(eas, "CreateGroup", Name="shop", Labels=OURS)

    assert provider.create(inputs()).id == "cn-hangzhou/shop"
    assert call(eas, "DescribeGroup", "shop")["TrafficMode"] == "customized"


def test_drift_shows_and_is_undone(provider: ServiceGroupProvider, eas: Eas) -> None:
    created = provider.create(inputs())
    call(eas, "UpdateGroup", "shop", TrafficMode="auto", Labels={"team": "search"})

    read = provider.read(created.id, created.outs or {})
    assert read.inputs is not None
    assert (read.inputs["traffic_mode"], read.inputs["labels"]) == ("auto", {})
    provider.update(created.id, read.outs or {}, inputs())

    assert provider.read(created.id, created.outs or {}).inputs == inputs()


def test_a_label_that_is_no_longer_declared_goes(provider: ServiceGroupProvider, eas: Eas) -> None:
    created = provider.create(inputs(labels=OURS | {"team": "search"}))

    provider.update(created.id, created.outs or {}, inputs())

    assert [each["LabelKey"] for each in call(eas, "DescribeGroup", "shop")["Labels"]] == ["paistack-stack"]


def test_a_group_with_services_is_not_deleted_and_one_that_is_gone_needs_no_deleting(
    provider: ServiceGroupProvider, eas: Eas
) -> None:
    created = provider.create(inputs())
    eas.create(service_json("blue", instance=0, metadata={"group": "shop"}))

    with pytest.raises(CloudError, match=r"InvalidGroup.NotEmpty: .*blue"):
        provider.delete(created.id, created.outs or {})

    eas.update("blue", service_json("blue", instance=0), update_type="replace")
    provider.delete(created.id, created.outs or {})
    provider.delete(created.id, created.outs or {})
    assert provider.read(created.id, created.outs or {}).id == ""


def test_another_name_is_another_group(provider: ServiceGroupProvider) -> None:
    assert provider.diff("id", inputs(), inputs() | on_the_wire(group_name="market")).replaces == ["group_name"]
    assert provider.diff("id", inputs(), inputs(traffic_mode="auto")).replaces == []
