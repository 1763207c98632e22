"""Machines of a dedicated resource group through the real SDK and the emulator."""

from typing import Any

import httpx
import pytest
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.resource_machines import ResourceMachinesProvider
from tests.emulator.eas.calls import advance, call
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.emulator.running import RunningEmulator
from tests.providers.wire import on_the_wire

OURS = {"paistack-machines": "p/test/pool/base"}
LARGE = {"EcsInstanceType": "ecs.c7.large", "EcsInstanceCount": 1, "ChargeType": "PostPaid"}


@pytest.fixture
def resource(eas: Eas) -> str:
    """A group with one machine of somebody else's, of another kind."""
    other = LARGE | {"EcsInstanceType": "ecs.g7.large"}
    return str(call(eas, "CreateResource", ResourceName="pool", **other)["ResourceId"])


def inputs(resource: str, **changes: Any) -> Props:
    whole = {
        "instance_type": "ecs.c7.large", "charge_type": "PostPaid", "disk_gib": 200, "zone": "", "labels": OURS,
        "auto_renewal": False, "count": 2, "adopt": False, "timeout_s": 20,
    }  # fmt: skip
    return on_the_wire(cluster_id="cn-hangzhou", resource_id=resource, **(whole | changes))


def subscribed(resource: str, **changes: Any) -> Props:
    return inputs(resource, charge_type="PrePaid", auto_renewal=True, **changes)


@pytest.fixture
def provider(configured: ConfigureRequest) -> ResourceMachinesProvider:
    provider = ResourceMachinesProvider()
    provider.poll_s = 0.05
    provider.configure(configured)
    return provider


def machines(eas: Eas, resource: str, kind: str = "ecs.c7.large") -> dict[str, dict[str, Any]]:
    """Those of a kind, by id."""
    listed = call(eas, "ListResourceInstances", resource).get("Instances", [])
    return {each["InstanceId"]: each for each in listed if each["InstanceType"] == kind}


@pytest.mark.parametrize("declared", [inputs, subscribed])
def test_machines_are_bought_and_read_back_the_same(
    provider: ResourceMachinesProvider, eas: Eas, resource: str, declared: Any
) -> None:
    created = provider.create(declared(resource))

    bought = machines(eas, resource)
    assert created.outs == declared(resource) | {"instance_ids": sorted(bought)}
    wanted = declared(resource)
    assert [(each["ChargeType"], each["AutoRenewal"]) for each in bought.values()] == [
        (wanted["charge_type"], wanted["auto_renewal"])
    ] * 2
    read = provider.read(created.id, created.outs or {})
    assert (read.inputs, read.outs) == (declared(resource), created.outs)


def test_their_number_changes_in_place_and_others_stay(
    provider: ResourceMachinesProvider, eas: Eas, resource: str
) -> None:
    created = provider.create(inputs(resource))
    first = set(machines(eas, resource))

    more = provider.update(created.id, created.outs or {}, inputs(resource, count=3))
    assert first < set(machines(eas, resource))
    fewer = provider.update(created.id, more.outs or {}, inputs(resource, count=1))

    assert (fewer.outs or {})["instance_ids"] == sorted(machines(eas, resource))
    assert len(machines(eas, resource)) == 1
    provider.delete(created.id, fewer.outs or {})
    provider.delete(created.id, fewer.outs or {})
    assert machines(eas, resource) == {}
    assert len(machines(eas, resource, "ecs.g7.large")) == 1


def test_more_than_eas_takes_at_once_are_bought_and_given_back_in_parts(
    provider: ResourceMachinesProvider, eas: Eas, resource: str
) -> None:
    created = provider.create(inputs(resource, count=101))
    assert call(eas, "DescribeResource", resource)["InstanceCount"] == 102
    assert len((created.outs or {})["instance_ids"]) == 101

    provider.update(created.id, created.outs or {}, inputs(resource, count=1))

    assert len(machines(eas, resource)) == 1


def test_a_run_after_a_cut_one_buys_none_twice(provider: ResourceMachinesProvider, eas: Eas, resource: str) -> None:
    provider.create(inputs(resource, count=1))

    provider.create(inputs(resource))
    provider.create(inputs(resource))

    assert len(machines(eas, resource)) == 2


def test_machines_without_a_mark_are_taken_over_only_by_order(
    provider: ResourceMachinesProvider, eas: Eas, resource: str
) -> None:
    call(eas, "CreateResourceInstances", resource, **LARGE)
    (theirs,) = machines(eas, resource)

    created = provider.create(inputs(resource, count=1))
    assert (created.outs or {})["instance_ids"] != [theirs]
    adopted = provider.update(created.id, created.outs or {}, inputs(resource, adopt=True))

    assert theirs in (adopted.outs or {})["instance_ids"]
    assert len(machines(eas, resource)) == 2


def test_drift_shows_and_is_undone(provider: ResourceMachinesProvider, eas: Eas, resource: str) -> None:
    created = provider.create(inputs(resource))
    call(eas, "DeleteResourceInstances", resource, InstanceList=next(iter(machines(eas, resource))))

    read = provider.read(created.id, created.outs or {})
    assert read.inputs == inputs(resource, count=1)
    provider.update(created.id, read.outs or {}, inputs(resource))

    assert provider.read(created.id, created.outs or {}).inputs == inputs(resource)


def test_they_are_awaited_until_they_are_ready(
    provider: ResourceMachinesProvider, eas: Eas, resource: str, emulator: RunningEmulator
) -> None:
    httpx.post(f"{emulator.url}/_emulator/eas/machines", json={"start_s": 600}).raise_for_status()

    with pytest.raises(
        CloudError, match=r"waited 1 s for 2 machines ecs.c7.large of eas-r-\w+ to be ready; there are 2, and eas-i-"
    ):
        provider.create(inputs(resource, timeout_s=1))

    advance(emulator, 600)
    assert len((provider.create(inputs(resource)).outs or {})["instance_ids"]) == 2
    assert len(machines(eas, resource)) == 2


def test_a_machine_goes_once_what_ran_on_it_runs_elsewhere(
    provider: ResourceMachinesProvider, eas: Eas, resource: str
) -> None:
    created = provider.create(inputs(resource))
    need = {"resource": resource, "cpu": 1, "memory": 1024, "scheduling": {"spread": {"policy": "host"}}}
    eas.deploy(service_json(instance=4, metadata=need))

    with pytest.raises(
        CloudError, match=r"waited 1 s for 2 machines .* to be left; instances of svc are still there, which have no"
    ):
        provider.delete(created.id, (created.outs or {}) | on_the_wire(timeout_s=1))
    assert len(machines(eas, resource)) == 2
    call(eas, "CreateResourceInstances", resource, **(LARGE | {"EcsInstanceType": "ecs.g7.large"}))
    provider.delete(created.id, created.outs or {})

    assert machines(eas, resource) == {}
    eas.wait()
    until(lambda: eas.describe()["RunningInstance"] == 4, "all of them elsewhere")


def test_subscribed_machines_are_kept_and_the_preview_says_so(
    provider: ResourceMachinesProvider, eas: Eas, resource: str
) -> None:
    created = provider.create(subscribed(resource))

    before = created.outs or {}
    assert provider.check(before, subscribed(resource, count=3)).failures == []
    for changes, name in (
        ({"instance_type": "ecs.c7.xlarge"}, "instance_type"),
        ({"count": 1}, "count"),
    ):
        (failure,) = provider.check(before, subscribed(resource, **changes)).failures
        assert failure.property == name
        assert "a subscription is paid for until it expires" in failure.reason
    assert [each.property for each in provider.check(before, inputs(resource)).failures] == [
        "auto_renewal",
        "charge_type",
    ]
    with pytest.raises(
        CloudError, match=r"2 machines ecs.c7.large of .* are subscribed, and EAS deletes pay-as-you-go"
    ):
        provider.delete(created.id, before)
    assert len(machines(eas, resource)) == 2


def test_pay_as_you_go_machines_may_become_others(provider: ResourceMachinesProvider, resource: str) -> None:
    before = inputs(resource)
    assert provider.check(before, subscribed(resource, instance_type="ecs.c7.xlarge")).failures == []
    diff = provider.diff("id", before, inputs(resource, instance_type="ecs.c7.xlarge"))
    assert (diff.replaces, diff.delete_before_replace) == (["instance_type"], False)
    assert provider.diff("id", before, inputs(resource, count=9)).replaces == []


def test_a_group_that_is_gone_takes_its_machines_with_it(
    provider: ResourceMachinesProvider, eas: Eas, resource: str
) -> None:
    created = provider.create(inputs(resource))
    listed = call(eas, "ListResourceInstances", resource)["Instances"]
    call(eas, "DeleteResourceInstances", resource, InstanceList=",".join(each["InstanceId"] for each in listed))
    call(eas, "DeleteResource", resource)

    assert provider.read(created.id, created.outs or {}).id == ""
    provider.delete(created.id, created.outs or {})
