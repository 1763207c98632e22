"""Dedicated and virtual resource groups, their machines and their room; gateways; what there is to choose from."""

from typing import Any

import httpx
import pytest
from alibabacloud_eas20210701.models import DeleteGatewayLabelRequest

from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.calls import advance, call
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.emulator.refusals import refused

MACHINE = "ecs.c7.large"  # 2 processors, 4 GiB
ONE_MACHINE = {"EcsInstanceType": MACHINE, "EcsInstanceCount": 1, "ChargeType": "PostPaid"}


def group(eas: Eas, machines: int = 1, **further: Any) -> str:
    wanted = {"EcsInstanceType": MACHINE, "EcsInstanceCount": machines, "ChargeType": "PostPaid", **further}
    return str(call(eas, "CreateResource", ResourceType="Dedicated", ResourceName="pool", **wanted)["ResourceId"])


def machines(eas: Eas, resource: str) -> list[dict[str, Any]]:
    return list(call(eas, "ListResourceInstances", resource).get("Instances", []))


def dedicated(resource: str, instance: int = 1, name: str = "svc", **metadata: Any) -> dict[str, Any]:
    return service_json(name, instance=instance, metadata={"resource": resource, "cpu": 1, "memory": 1024, **metadata})


def used(eas: Eas, resource: str) -> tuple[int, int]:
    described = call(eas, "DescribeResource", resource)
    return described["CpuUsed"], described["MemoryUsed"]


def test_a_service_takes_room_in_its_group_and_gives_it_back(eas: Eas) -> None:
    resource = group(eas)
    eas.deploy(dedicated(resource, 2))

    described = call(eas, "DescribeResource", resource)

    assert (described["CpuCount"], described["Memory"], described["InstanceCount"]) == (2, 4096, 1)
    assert used(eas, resource) == (2, 2048)
    assert {each["ResourceType"] for each in eas.instances()} == {"PrivateResource"}
    assert eas.describe()["InstanceCountInResource"]["Dedicated"] == 2
    (machine,) = machines(eas, resource)
    workers = call(eas, "ListResourceInstanceWorker", resource, machine["InstanceId"])["Pods"]
    assert {worker["ServiceName"] for worker in workers} == {"svc"}
    services = call(eas, "ListResourceServices", resource)["Services"]
    assert [service["ServiceName"] for service in services] == ["svc"]
    call(eas, "DeleteService", "svc")
    until(eas.gone, "the service's end")
    assert used(eas, resource) == (0, 0)


def test_an_instance_without_room_waits_says_why_and_starts_when_there_is_some(eas: Eas) -> None:
    resource = group(eas)
    eas.create(dedicated(resource, 3))
    until(lambda: eas.describe()["RunningInstance"] == 2, "the two that have room")

    (waiting,) = eas.instances(instance_status="Pending")
    assert waiting["Reason"] == "0/1 machines are available: 1 insufficient cpu"
    assert waiting["Reason"] in eas.describe()["Message"]
    assert "FailedScheduling" in [event["Reason"] for event in eas.events(event_type="Warning")]
    call(eas, "CreateResourceInstances", resource, EcsInstanceType=MACHINE, EcsInstanceCount=1, ChargeType="PostPaid")

    eas.wait()
    assert eas.describe()["RunningInstance"] == 3


def test_a_burstable_service_runs_over_into_the_public_group(eas: Eas) -> None:
    eas.deploy(dedicated(group(eas), 3, resource_burstable=True))

    assert eas.describe()["InstanceCountInResource"] == {"Dedicated": 2, "Public": 1, "Quota": 0}


def test_when_a_service_shrinks_its_instances_in_the_public_group_go_first(eas: Eas) -> None:
    resource = group(eas)
    first = dedicated(resource, 2, name="other")
    eas.deploy(first)
    eas.deploy(dedicated(resource, 1, resource_burstable=True))
    call(eas, "DeleteService", "other")
    until(lambda: eas.gone("other"), "the other service's end")
    call(eas, "ScaleService", "svc", Instance=3)
    eas.wait()
    assert eas.describe()["InstanceCountInResource"] == {"Dedicated": 2, "Public": 1, "Quota": 0}

    call(eas, "ScaleService", "svc", Instance=2)

    alone = {"Dedicated": 2, "Public": 0, "Quota": 0}
    until(lambda: eas.describe()["InstanceCountInResource"] == alone, "the end of the one in the public group")


def test_instances_share_a_gpu_by_memory_and_power(eas: Eas) -> None:
    t4 = "ecs.gn6i-c4g1.xlarge"  # one GPU of 16 GiB
    resource = group(eas, EcsInstanceType=t4)
    eas.deploy(dedicated(resource, 2, gpu_memory=6, gpu_core_percentage=10))
    assert call(eas, "DescribeResource", resource)["GpuUsed"] == 0.75

    call(eas, "ScaleService", "svc", Instance=3)

    (waiting,) = until(lambda: eas.instances(instance_status="Pending"), "the one without room")
    assert waiting["Reason"] == "0/1 machines are available: 1 insufficient gpu"


def test_a_type_may_be_spot_up_to_a_bound_and_regular_beyond_it(eas: Eas) -> None:
    kinds = [{"type": MACHINE, "spot_price_limit": 0.1, "capacity": "50%"}, {"type": MACHINE}]
    eas.deploy(service_json(instance=4, cloud={"computing": {"instances": kinds}}))

    assert sorted(each["IsSpot"] for each in eas.instances()) == [False, False, True, True]
    (spot, *_) = [each["InstanceName"] for each in eas.instances() if each["IsSpot"]]
    call(eas, "DeleteServiceInstances", "svc", InstanceList=spot)
    eas.wait()
    assert sorted(each["IsSpot"] for each in eas.instances(instance_status="Running")) == [False, False, True, True]


def test_a_drained_machine_loses_its_instances_to_another_one(eas: Eas) -> None:
    resource = group(eas, 2)
    eas.deploy(dedicated(resource))
    busy = next(each for each in machines(eas, resource) if each["InstanceUsedCpu"] > 0)["InstanceId"]

    call(eas, "UpdateResourceInstance", resource, busy, Action="Drain", Reason="repair")

    until(lambda: {each["InstanceId"]: each["InstanceUsedCpu"] for each in machines(eas, resource)}[busy] == 0, "drain")
    eas.wait()
    status = {each["InstanceId"]: each["InstanceStatus"] for each in machines(eas, resource)}
    assert status[busy] == "Ready-SchedulingDisabled"
    call(eas, "UpdateResourceInstance", resource, busy, Action="Uncordon")
    assert {each["InstanceStatus"] for each in machines(eas, resource)} == {"Ready-SchedulingEnabled"}


def test_only_pay_as_you_go_machines_and_empty_groups_can_be_deleted(eas: Eas) -> None:
    resource = group(eas)
    call(eas, "CreateResourceInstances", resource, EcsInstanceType=MACHINE, EcsInstanceCount=1, ChargeType="PrePaid")
    by_charge = {each["ChargeType"]: each["InstanceId"] for each in machines(eas, resource)}

    with refused("InvalidParameter", 400, "Only pay-as-you-go"):
        call(eas, "DeleteResourceInstances", resource, InstanceList=by_charge["PrePaid"])
    with refused("InvalidResource.NotEmpty", 409):
        call(eas, "DeleteResource", resource)
    call(eas, "DeleteResourceInstances", resource, InstanceList=by_charge["PostPaid"])
    assert [each["ChargeType"] for each in machines(eas, resource)] == ["PrePaid"]

    empty = group(eas)
    (machine,) = machines(eas, empty)
    call(eas, "DeleteResourceInstances", empty, InstanceList=machine["InstanceId"])
    eas.create(dedicated(empty, 0))
    with refused("InvalidResource.InUse", 409, "svc"):
        call(eas, "DeleteResource", empty)
    call(eas, "DeleteService", "svc")
    until(eas.gone, "the service's end")
    call(eas, "UpdateResource", empty, ResourceName="renamed")
    assert call(eas, "DescribeResource", empty)["ResourceName"] == "renamed"
    call(eas, "DeleteResource", empty)
    with refused("InvalidResource.NotFound", 404):
        call(eas, "DescribeResource", empty)


def test_a_group_that_is_not_there_is_refused(eas: Eas) -> None:
    with refused("InvalidResource.NotFound", 404, "eas-r-none"):
        eas.create(dedicated("eas-r-none"))


def test_a_group_is_connected_to_a_vpc(eas: Eas) -> None:
    resource = group(eas)

    call(eas, "UpdateResourceDLink", resource, VSwitchId="vsw-1", SecurityGroupId="sg-1", VSwitchIdList=["vsw-2"])

    described = call(eas, "DescribeResourceDLink", resource)
    assert (described["VSwitchId"], described["SecurityGroupId"]) == ("vsw-1", "sg-1")
    assert described["AuxVSwitchList"] == ["vsw-2"]
    call(eas, "DeleteResourceDLink", resource)
    assert "VSwitchId" not in call(eas, "DescribeResourceDLink", resource)


def test_a_virtual_group_fills_its_sources_by_priority(eas: Eas) -> None:
    resource = group(eas)
    sources = [
        {"Priority": 1, "InstanceType": "ecs.gn6i-c4g1.xlarge", "SpotPriceLimit": 2.5},
        {"Priority": 9, "ResourceId": resource},
    ]
    virtual = call(eas, "CreateVirtualResource", VirtualResourceName="mix", Resources=sources)["VirtualResourceId"]
    assert call(eas, "DescribeVirtualResource", virtual)["Resources"] == sources

    eas.deploy(dedicated(virtual, 3))

    places = sorted((each["ResourceType"], each["IsSpot"], each["InstanceType"]) for each in eas.instances())
    own = ("PrivateResource", False, MACHINE)
    assert places == [own, own, ("PublicResource", True, "ecs.gn6i-c4g1.xlarge")]
    with refused("InvalidVirtualResource.InUse", 409):
        call(eas, "DeleteVirtualResource", virtual)
    update = [{"Priority": 1, "InstanceType": MACHINE}]
    call(eas, "UpdateVirtualResource", virtual, Resources=update)
    assert call(eas, "DescribeVirtualResource", virtual)["Resources"] == update
    assert call(eas, "ListVirtualResource")["VirtualResources"][0]["VirtualResourceName"] == "mix"


def test_a_kind_of_machine_is_used_up_to_its_capacity(eas: Eas) -> None:
    kinds = [{"type": "ecs.c7.large", "spot_price_limit": 1.0, "capacity": 1}, {"type": "ecs.g7.large"}]
    eas.deploy(service_json(instance=2, cloud={"computing": {"instances": kinds}}))

    assert sorted((each["InstanceType"], each["IsSpot"]) for each in eas.instances()) == [
        ("ecs.c7.large", True),
        ("ecs.g7.large", False),
    ]


def test_gateways_are_made_changed_labelled_and_deleted(eas: Eas) -> None:
    gateway = call(eas, "CreateGateway", Name="front", InstanceType="2c4g", Replicas=2)["GatewayId"]
    call(eas, "UpdateGateway", gateway, Replicas=3, EnableInternet=True, IsDefault=True)
    call(eas, "UpdateGatewayLabel", gateway, Labels={"team": "vision", "tier": "1"})

    described = call(eas, "DescribeGateway", gateway)

    assert (described["GatewayName"], described["Replicas"], described["IsDefault"]) == ("front", 3, True)
    assert described["InternetEnabled"] is True
    assert len(described["Labels"]) == 2
    assert [each["GatewayId"] for each in call(eas, "ListGateway")["Gateways"]] == [gateway]
    eas.client.delete_gateway_label("cn-hangzhou", gateway, DeleteGatewayLabelRequest(label_keys=["tier"]))
    labels = call(eas, "DescribeGateway", gateway)["Labels"]
    assert labels == [{"LabelKey": "team", "LabelValue": "vision"}]
    eas.create(service_json(instance=0, networking={"gateway": gateway}))
    with refused("InvalidGateway.InUse", 409, "svc"):
        call(eas, "DeleteGateway", gateway)
    call(eas, "DeleteService", "svc")
    until(eas.gone, "the service's end")
    call(eas, "DeleteGateway", gateway)
    with refused("InvalidGateway.NotFound", 404):
        call(eas, "DescribeGateway", gateway)


def test_machines_discounts_and_regions_can_be_looked_up(eas: Eas) -> None:
    specs = {each["InstanceType"]: each for each in call(eas, "DescribeMachineSpec")["InstanceMetas"]}
    t4 = specs["ecs.gn6i-c4g1.xlarge"]

    assert (t4["CPU"], t4["Memory"], t4["GPUAmount"], t4["GPU"], t4["StockStatus"]) == (
        4,
        15,
        1,
        "NVIDIA T4",
        "WithStock",
    )
    assert t4["NonProtectSpotDiscount"] < t4["SpotDiscount"] < 1
    history = call(eas, "DescribeSpotDiscountHistory", InstanceType="ecs.gn6i-c4g1.xlarge", IsProtect=False)
    assert {each["SpotDiscount"] for each in history["SpotDiscounts"]} == {str(t4["NonProtectSpotDiscount"])}
    assert "cn-hangzhou" in [each["RegionId"] for each in call(eas, "DescribeRegions")["Regions"]]


@pytest.mark.parametrize(
    ("operation", "document", "problem"),
    [
        ("CreateResource", ONE_MACHINE | {"EcsInstanceType": "ecs.none"}, "no instance type 'ecs.none'"),
        ("CreateResource", ONE_MACHINE | {"SystemDiskSize": 100}, "SystemDiskSize"),
        ("CreateResource", ONE_MACHINE | {"EcsInstanceCount": 101}, "EcsInstanceCount"),
        ("CreateResource", ONE_MACHINE | {"ResourceType": "SelfManaged"}, "dedicated resource groups only"),
        ("CreateResource", {"ResourceName": "empty"}, "EcsInstanceType"),
        ("CreateVirtualResource", {"Resources": [{"Priority": 1}]}, "exactly one of"),
        ("CreateVirtualResource", {"Resources": [{"ResourceId": "eas-r-none"}]}, "not found"),
        ("CreateGateway", {"InstanceType": "1c1g"}, "InstanceType"),
    ],
)
def test_what_there_is_not_is_refused(eas: Eas, operation: str, document: dict[str, Any], problem: str) -> None:
    with pytest.raises(Exception, match=problem):
        call(eas, operation, **document)


def test_a_machine_takes_instances_once_it_has_started(eas: Eas, emulator: RunningEmulator) -> None:
    httpx.post(f"{emulator.url}/_emulator/eas/machines", json={"start_s": 600}).raise_for_status()
    resource = group(eas)
    eas.create(dedicated(resource))

    waiting = until(lambda: eas.instances(instance_status="Pending"), "an instance")
    assert waiting[0]["Reason"] == "0/1 machines are available: 1 not ready"
    assert [each["InstanceStatus"] for each in machines(eas, resource)] == ["NotReady-SchedulingEnabled"]
    advance(emulator, 600)

    eas.wait()
    assert [each["InstanceStatus"] for each in machines(eas, resource)] == ["Ready-SchedulingEnabled"]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"start_s": -1}', b'{"start_s": 1, "more": 2}'])
def test_a_wrong_start_of_machines_is_refused(emulator: RunningEmulator, body: bytes) -> None:
    assert httpx.post(f"{emulator.url}/_emulator/eas/machines", content=body).status_code == 400


def test_machines_are_labelled_and_specs_chosen_by_lists(eas: Eas) -> None:
    resource = group(eas, 3)
    two = [each["InstanceId"] for each in machines(eas, resource)][:2]

    call(eas, "UpdateResourceInstanceLabel", resource, InstanceIds=two, Labels={"team": "vision", "night": "off"})
    labelled = [each["InstanceId"] for each in machines(eas, resource) if each["Labels"]]
    assert sorted(labelled) == sorted(two)
    call(eas, "DeleteResourceInstanceLabel", resource, InstanceIds=two, Keys=["team", "night"])
    assert [each["Labels"] for each in machines(eas, resource)] == [[], [], []]

    chosen = call(eas, "DescribeMachineSpec", InstanceTypes=[MACHINE, "ecs.g7.large"])["InstanceMetas"]
    assert {each["InstanceType"] for each in chosen} == {MACHINE, "ecs.g7.large"}
