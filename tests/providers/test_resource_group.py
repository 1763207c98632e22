"""A dedicated resource group through the real SDK and the emulator."""

from typing import Any

import pytest
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.resource_group import ResourceGroupProvider
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas
from tests.providers.wire import on_the_wire

OURS = {"paistack-machines": "p/test/pool/base"}
MACHINES = {
    "instance_type": "ecs.c7.large", "count": 2, "charge_type": "PostPaid", "auto_renewal": False, "disk_gib": 200,
    "zone": "", "labels": OURS,
}  # fmt: skip


def inputs(**changes: Any) -> Props:
    whole = {"group_name": "pool", "first_machines": MACHINES, "adopt": False}
    return on_the_wire(cluster_id="cn-hangzhou", **(whole | changes))


@pytest.fixture
def provider(configured: ConfigureRequest) -> ResourceGroupProvider:
    provider = ResourceGroupProvider()
    provider.configure(configured)
    return provider


def machines(eas: Eas, resource: str) -> list[dict[str, Any]]:
    return list(call(eas, "ListResourceInstances", resource).get("Instances", []))


def give_back(eas: Eas, resource: str) -> None:
    ids = ",".join(machine["InstanceId"] for machine in machines(eas, resource))
    call(eas, "DeleteResourceInstances", resource, InstanceList=ids)


def test_a_group_is_made_with_its_first_machines_and_reads_back_the_same(
    provider: ResourceGroupProvider, eas: Eas
) -> None:
    created = provider.create(inputs())

    described = call(eas, "DescribeResource", created.id)
    assert (described["ResourceName"], described["ResourceType"]) == ("pool", "Dedicated")
    bought = machines(eas, created.id)
    assert [(each["InstanceType"], each["ChargeType"]) for each in bought] == [("ecs.c7.large", "PostPaid")] * 2
    assert [each["Labels"] for each in bought] == [
        [{"LabelKey": "paistack-machines", "LabelValue": "p/test/pool/base"}]
    ] * 2
    read = provider.read(created.id, created.outs or {})
    assert (read.inputs, read.outs) == (inputs(), created.outs)


def test_no_more_machines_than_eas_takes_at_once_come_with_a_group(provider: ResourceGroupProvider, eas: Eas) -> None:
    created = provider.create(inputs(first_machines=MACHINES | {"count": 150}))

    assert call(eas, "DescribeResource", created.id)["InstanceCount"] == 100


def test_a_group_of_others_is_taken_over_only_by_order(provider: ResourceGroupProvider, eas: Eas) -> None:
    machine = {"EcsInstanceType": "ecs.c7.large", "EcsInstanceCount": 1, "ChargeType": "PostPaid"}
    there = call(eas, "CreateResource", ResourceName="pool", **machine)["ResourceId"]

    with pytest.raises(CloudError, match="there is already a resource group pool; delete it, or set adopt"):
        provider.create(inputs())

    assert provider.create(inputs(adopt=True)).id == there
    assert len(machines(eas, there)) == 1


def test_a_group_that_a_run_left_behind_is_known_by_its_machines_or_by_having_nothing(
    provider: ResourceGroupProvider, eas: Eas
) -> None:
    first = provider.create(inputs()).id
    assert provider.create(inputs()).id == first
    assert len(machines(eas, first)) == 2

    give_back(eas, first)
    assert provider.create(inputs()).id == first
    assert machines(eas, first) == []


def test_another_name_is_given_and_one_that_others_gave_is_taken_back(
    provider: ResourceGroupProvider, eas: Eas
) -> None:
    created = provider.create(inputs())

    provider.update(created.id, created.outs or {}, inputs(group_name="store"))
    assert call(eas, "DescribeResource", created.id)["ResourceName"] == "store"

    call(eas, "UpdateResource", created.id, ResourceName="theirs")
    read = provider.read(created.id, created.outs or {})
    assert read.inputs is not None
    assert read.inputs["group_name"] == "theirs"


def test_only_an_empty_group_is_deleted_and_one_that_is_gone_needs_no_deleting(
    provider: ResourceGroupProvider, eas: Eas
) -> None:
    created = provider.create(inputs())
    with pytest.raises(CloudError, match=r"InvalidResource.NotEmpty: .*2 machines"):
        provider.delete(created.id, created.outs or {})

    give_back(eas, created.id)
    provider.delete(created.id, created.outs or {})
    provider.delete(created.id, created.outs or {})

    assert provider.read(created.id, created.outs or {}).id == ""


def test_another_region_is_another_group(provider: ResourceGroupProvider) -> None:
    elsewhere = inputs() | on_the_wire(cluster_id="cn-shanghai")
    assert provider.diff("id", inputs(), elsewhere).replaces == ["cluster_id"]
    assert provider.diff("id", inputs(), inputs(group_name="store")).replaces == []
