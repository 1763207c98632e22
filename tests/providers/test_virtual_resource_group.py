"""A virtual resource group through the real SDK and the emulator."""

from typing import Any

import pytest
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.virtual_resource_group import VirtualResourceGroupProvider
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json
from tests.providers.wire import on_the_wire


def source(priority: int, instance_type: str = "", resource_id: str = "", limit: float = 0) -> dict[str, Any]:
    return {
        "instance_type": instance_type, "resource_id": resource_id, "spot_price_limit": limit, "priority": priority
    }  # fmt: skip


SPOT = source(9, "ecs.gn6i-c4g1.xlarge", limit=2.5)
REGULAR = source(1, "ecs.gn6i-c4g1.xlarge")
ON_THE_WIRE = [
    {"InstanceType": "ecs.gn6i-c4g1.xlarge", "Priority": 9, "SpotPriceLimit": 2.5},
    {"InstanceType": "ecs.gn6i-c4g1.xlarge", "Priority": 1},
]


def inputs(**changes: Any) -> Props:
    whole = {"group_name": "mix", "sources": [SPOT, REGULAR], "spot_protection": False, "adopt": False}
    return on_the_wire(cluster_id="cn-hangzhou", **(whole | changes))


@pytest.fixture
def provider(configured: ConfigureRequest) -> VirtualResourceGroupProvider:
    provider = VirtualResourceGroupProvider()
    provider.configure(configured)
    return provider


def test_a_group_is_made_with_priorities_and_spot_limits_and_reads_back_the_same(
    provider: VirtualResourceGroupProvider, eas: Eas
) -> None:
    created = provider.create(inputs())

    described = call(eas, "DescribeVirtualResource", created.id)
    assert described["Resources"] == ON_THE_WIRE
    assert described["DisableSpotProtectionPeriod"] is True
    assert provider.read(created.id, created.outs or {}).inputs == inputs()


def test_an_update_replaces_the_sources_and_drift_shows(provider: VirtualResourceGroupProvider, eas: Eas) -> None:
    created = provider.create(inputs())
    machine = {"EcsInstanceType": "ecs.c7.large", "EcsInstanceCount": 1, "ChargeType": "PostPaid"}
    resource = call(eas, "CreateResource", ResourceName="pool", **machine)["ResourceId"]
    wanted = inputs(sources=[source(5, resource_id=resource), REGULAR], spot_protection=True, group_name="blend")

    provider.update(created.id, created.outs or {}, wanted)
    assert provider.read(created.id, created.outs or {}).inputs == wanted

    call(eas, "UpdateVirtualResource", created.id, Resources=[ON_THE_WIRE[1]], VirtualResourceName="theirs")
    read = provider.read(created.id, created.outs or {}).inputs
    assert read is not None
    assert (read["group_name"], read["sources"]) == ("theirs", on_the_wire(sources=[REGULAR])["sources"])


def test_the_order_in_which_sources_are_answered_is_no_drift(provider: VirtualResourceGroupProvider, eas: Eas) -> None:
    created = provider.create(inputs())
    call(eas, "UpdateVirtualResource", created.id, Resources=ON_THE_WIRE[::-1], DisableSpotProtectionPeriod=True)

    assert provider.read(created.id, created.outs or {}).inputs == inputs()


def test_a_group_of_others_is_taken_over_only_by_order_and_one_that_a_run_left_is_known(
    provider: VirtualResourceGroupProvider, eas: Eas
) -> None:
    theirs = call(eas, "CreateVirtualResource", VirtualResourceName="mix", Resources=[ON_THE_WIRE[1]])
    with pytest.raises(CloudError, match="there is already a virtual resource group mix; delete it, or set adopt"):
        provider.create(inputs())
    assert provider.create(inputs(adopt=True)).id == theirs["VirtualResourceId"]

    assert provider.create(inputs()).id == theirs["VirtualResourceId"]
    assert call(eas, "ListVirtualResource")["TotalCount"] == 1


def test_a_group_in_use_is_not_deleted_and_one_that_is_gone_needs_no_deleting(
    provider: VirtualResourceGroupProvider, eas: Eas
) -> None:
    created = provider.create(inputs())
    eas.create(service_json(instance=0, metadata={"resource": created.id}))
    with pytest.raises(CloudError, match=r"InvalidVirtualResource.InUse: .*svc"):
        provider.delete(created.id, created.outs or {})

    eas.update("svc", service_json(instance=0), update_type="replace")
    provider.delete(created.id, created.outs or {})
    provider.delete(created.id, created.outs or {})
    assert provider.read(created.id, created.outs or {}).id == ""


def test_the_clouds_refusal_reaches_the_user(provider: VirtualResourceGroupProvider) -> None:
    with pytest.raises(CloudError, match=r"InvalidParameter: .*ecs.none"):
        provider.create(inputs(sources=[source(1, "ecs.none")]))
