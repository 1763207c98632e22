"""A gateway of the account's own through the real SDK and the emulator."""

from typing import Any

import pytest
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.eas_gateway import GatewayProvider
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json
from tests.providers.wire import on_the_wire

OURS = {"paistack-stack": "p/test"}


def inputs(**changes: Any) -> Props:
    whole = {
        "gateway_name": "front", "charge_type": "PostPaid", "auto_renewal": False, "instance_type": "2c4g",
        "replicas": 2, "internet": True, "intranet": True, "labels": OURS, "adopt": False, "timeout_s": 20,
    }  # fmt: skip
    return on_the_wire(cluster_id="cn-hangzhou", **(whole | changes))


@pytest.fixture
def provider(configured: ConfigureRequest) -> GatewayProvider:
    provider = GatewayProvider()
    provider.poll_s = 0.05
    provider.configure(configured)
    return provider


def test_a_gateway_is_made_and_tells_its_addresses(provider: GatewayProvider, eas: Eas) -> None:
    created = provider.create(inputs())

    described = call(eas, "DescribeGateway", created.id)
    assert (described["GatewayName"], described["InstanceType"], described["Replicas"]) == ("front", "2c4g", 2)
    assert described["Labels"] == [{"LabelKey": "paistack-stack", "LabelValue": "p/test"}]
    addresses = {"internet_domain": described["InternetDomain"], "intranet_domain": described["IntranetDomain"]}
    assert created.outs == inputs() | addresses
    read = provider.read(created.id, created.outs or {})
    assert (read.inputs, read.outs) == (inputs(), created.outs)


def test_size_and_access_change_in_place_and_drift_shows(provider: GatewayProvider, eas: Eas) -> None:
    created = provider.create(inputs(labels=OURS | {"team": "search"}))
    wanted = inputs(gateway_name="door", instance_type="4c8g", replicas=3, internet=False)

    updated = provider.update(created.id, created.outs or {}, wanted)
    assert (updated.outs or {})["internet_domain"] == ""
    assert provider.read(created.id, updated.outs or {}).inputs == wanted

    call(eas, "UpdateGateway", created.id, Replicas=5)
    call(eas, "UpdateGatewayLabel", created.id, Labels={"paistack-stack": "other"})
    read = provider.read(created.id, updated.outs or {}).inputs
    assert read is not None
    assert (read["replicas"], read["labels"]) == (5, {"paistack-stack": "other"})


def test_a_gateway_of_others_is_taken_over_only_by_order(provider: GatewayProvider, eas: Eas) -> None:
    theirs = call(eas, "CreateGateway", Name="front", InstanceType="8c16g", ChargeType="PostPaid")["GatewayId"]

    with pytest.raises(CloudError, match="there is already a gateway front; delete it, or set adopt"):
        provider.create(inputs())
    assert provider.create(inputs(adopt=True)).id == theirs

    assert call(eas, "DescribeGateway", theirs)["InstanceType"] == "2c4g"
    assert provider.create(inputs()).id == theirs  # by its labels


def test_a_gateway_that_a_run_left_without_labels_is_known_as_long_as_nobody_uses_it(
    provider: GatewayProvider, eas: Eas
) -> None:
    left = {"Name": "front", "InstanceType": "2c4g", "Replicas": 2, "EnableInternet": True, "ChargeType": "PostPaid"}
    id_ = call(eas, "CreateGateway", **left)["GatewayId"]
    eas.create(service_json(instance=0, networking={"gateway": id_}))
    with pytest.raises(CloudError, match="there is already a gateway front"):
        provider.create(inputs())

    eas.update("svc", service_json(instance=0), update_type="replace")

    assert provider.create(inputs()).id == id_


def test_a_gateway_in_use_is_not_deleted_and_one_that_is_gone_needs_no_deleting(
    provider: GatewayProvider, eas: Eas
) -> None:
    created = provider.create(inputs())
    eas.create(service_json(instance=0, networking={"gateway": created.id}))
    with pytest.raises(CloudError, match=r"InvalidGateway.InUse: .*svc"):
        provider.delete(created.id, created.outs or {})

    eas.update("svc", service_json(instance=0), update_type="replace")
    provider.delete(created.id, created.outs or {})
    provider.delete(created.id, created.outs or {})
    assert provider.read(created.id, created.outs or {}).id == ""


def test_one_that_is_paid_for_otherwise_is_another_one_beside_it(provider: GatewayProvider, eas: Eas) -> None:
    created = provider.create(inputs())
    yearly = inputs(charge_type="PrePaid", auto_renewal=True)

    diff = provider.diff("id", inputs(), yearly)
    assert (diff.replaces, diff.delete_before_replace) == (["charge_type", "auto_renewal"], False)
    assert provider.create(yearly).id != created.id
    assert call(eas, "ListGateway")["TotalCount"] == 2

    failures = provider.check(yearly, inputs(replicas=1)).failures
    assert [each.property for each in failures] == ["auto_renewal", "charge_type", "replicas"]
