"""What instances are made of: checking, changing, finding them; specs, labels, snapshots."""

from typing import Any

import pytest
from alibabacloud_pai_dsw20220101 import models

from tests.emulator.dsw.conftest import Dsw, awaited, body, start_command
from tests.emulator.refusals import refused

QUOTA = {"EcsSpec": None, "ResourceId": "quota123", "RequestedResource": {"CPU": "4", "Memory": "16GB"}}


def update(dsw: Dsw, instance_id: str, **changes: Any) -> None:
    dsw.client.update_instance(instance_id, models.UpdateInstanceRequest().from_map(changes))


def listed(dsw: Dsw, **query: Any) -> list[str]:
    found = dsw.client.list_instances(models.ListInstancesRequest(**query)).body.instances
    return [instance.instance_name for instance in found]


@pytest.mark.parametrize(
    ("change", "code", "problem"),
    [
        ({"InstanceName": None}, "MissingParameter", "InstanceName"),
        ({"InstanceName": "not-a-name"}, "InvalidParameter.InstanceName", "match pattern"),
        ({"InstanceName": "x" * 28}, "InvalidParameter.InstanceName", "match pattern"),
        ({"WorkspaceId": None}, "MissingParameter", "WorkspaceId"),
        ({"WorkspaceId": "77"}, "ValidationError", "workspace does not exist: 77"),
        ({"EcsSpec": "ecs.z9.huge"}, "ValidationError", "There is no EcsSpec ecs.z9.huge"),
        ({"EcsSpec": None}, "ValidationError", "either EcsSpec .* or ResourceId"),
        ({"ResourceId": "quota1"}, "ValidationError", "either EcsSpec .* or ResourceId"),
        ({"EcsSpec": None, "ResourceId": "quota1"}, "ValidationError", "RequestedResource must say"),
        ({"RequestedResource": {"CPU": "1", "Memory": "1GB"}}, "ValidationError", "goes with ResourceId"),
        ({"Affinity": {"CPU": {"Enable": True}}}, "ValidationError", "Affinity.CPU"),
        ({"ImageUrl": None}, "ValidationError", "either ImageId or ImageUrl"),
        ({"ImageId": "image-1"}, "ValidationError", "either ImageId or ImageUrl"),
        ({"Accessibility": "FRIENDS"}, "InvalidParameter.Accessibility", "Input should be"),
        ({"Priority": 10}, "InvalidParameter.Priority", "less than or equal to 9"),
        ({"Datasets": [{"MountPath": "/a"}]}, "InvalidParameter.Datasets.0", "either DatasetId or Uri"),
        ({"Datasets": [{"Uri": "http://x/", "MountPath": "/a"}]}, "InvalidParameter.Datasets.0.Uri", "must begin"),
        ({"Datasets": [{"Uri": "oss://UP/", "MountPath": "/a"}]}, "InvalidParameter.Datasets.0.Uri", "BUCKET"),
        ({"Datasets": [{"Uri": "oss://b2b/../x", "MountPath": "/a"}]}, "InvalidParameter.Datasets.0.Uri", "must not"),
        ({"Datasets": [{"Uri": "oss://b2b/", "MountPath": "/a/../b"}]}, "InvalidParameter.Datasets.0.MountPath", "not"),
        ({"Datasets": [{"Uri": "oss://b2b/", "MountPath": "a"}]}, "InvalidParameter.Datasets.0.MountPath", "pattern"),
        (
            {"Datasets": [{"Uri": "oss://b2b/", "MountPath": "/a", "DatasetVersion": "v1"}]},
            "InvalidParameter.Datasets.0", "DatasetVersion goes with DatasetId",
        ),
        (
            {"Datasets": [{"Uri": "oss://b2b/", "MountPath": "/a", "Options": "{}", "OptionType": "ReadOnly"}]},
            "InvalidParameter.Datasets.0", "exclude each other",
        ),
        (
            {"Datasets": [{"Uri": "oss://b2b/", "MountPath": "/a"}, {"Uri": "oss://c3c/", "MountPath": "/a/"}]},
            "ValidationError", "two entries for the mount path /a",
        ),
        (
            {"Datasets": [{"Uri": "oss://b2b/", "MountPath": "/a/b", "Dynamic": True}]},
            "ValidationError", "must be under a RootPath",
        ),
        (
            {"Datasets": [{"Uri": "oss://b2b/", "MountPath": "/a"}], "WorkspaceSource": "/a"},
            "ValidationError", "cannot be an OSS dataset",
        ),
        ({"WorkspaceSource": "/mnt/nowhere"}, "ValidationError", "rootfsCloudDisk, or the mount path"),
        (
            {"UserVpc": {"VpcId": "vpc-1", "VSwitchId": "vsw-1"}},
            "InvalidParameter.UserVpc", "every CIDR block",
        ),
        ({"EnvironmentVariables": {"A-B": "x"}}, "InvalidParameter.EnvironmentVariables.A-B.[key]", "pattern"),
        ({"CloudDisks": [{"Capacity": "much"}]}, "InvalidParameter.CloudDisks.0.Capacity", "pattern"),
    ],
)  # fmt: skip
def test_what_cannot_be_an_instance_is_refused(dsw: Dsw, change: dict[str, Any], code: str, problem: str) -> None:
    with refused(code, 400, problem):
        dsw.client.create_instance(models.CreateInstanceRequest().from_map(body(**change)))
    assert listed(dsw, resource_id="ALL") == []


def test_a_name_is_taken_once_in_a_workspace(dsw: Dsw) -> None:
    dsw.create(InstanceName="mine")

    with refused("ValidationError", 400, "already has an instance with the name mine"):
        dsw.create(InstanceName="mine")


def test_an_instance_tells_what_it_was_made_of_and_keeps_the_password_of_its_image(dsw: Dsw) -> None:
    vpc = {"VpcId": "vpc-1", "VSwitchId": "vsw-1", "SecurityGroupId": "sg-1", "ExtendedCIDRs": ["10.0.0.0/8"]}
    instance_id = dsw.create(
        **QUOTA, UserVpc=vpc, Priority=3, ImageAuth="dXNlcjpwYXNz", Labels=[{"Key": "team", "Value": "vision"}],
        Tag=[{"Key": "cost", "Value": "7"}], UserCommand=start_command("true"),
    )  # fmt: skip

    found = dsw.get(instance_id)

    assert (found.payment_type, found.resource_id, found.priority) == ("Subscription", "quota123", 3)
    assert (found.accelerator_type, found.requested_resource.memory) == ("CPU", "16GB")
    assert found.user_vpc.to_map() == {**vpc, "ForwardInfos": []}
    assert found.image_auth == "******"
    assert [label.to_map() for label in found.labels] == [{"Key": "team", "Value": "vision"}]
    assert [tag.to_map() for tag in found.tags] == [{"TagKey": "cost", "TagValue": "7"}]
    assert (found.success, found.code, found.workspace_name) == (True, None, "default")
    command = dsw.client.get_user_command(found.user_command_id, models.GetUserCommandRequest(instance_id=instance_id))
    assert command.body.on_start.content == "true"


def test_memory_without_its_unit_is_taken_and_lets_the_instance_fail_without_a_word(dsw: Dsw) -> None:
    instance_id = dsw.create(**QUOTA | {"RequestedResource": {"CPU": "4", "Memory": "16"}})

    awaited(lambda: dsw.get(instance_id).status == "Failed", "the instance to fail")

    assert (dsw.get(instance_id).reason_code, dsw.get(instance_id).reason_message) == ("", "")


def test_a_running_instance_can_be_renamed_and_opened_but_not_rebuilt(dsw: Dsw) -> None:
    instance_id = dsw.running()

    update(dsw, instance_id, InstanceName="renamed", Accessibility="PUBLIC")
    with refused("ValidationError", 400, "EcsSpec, EnvironmentVariables can be changed only while .* stopped"):
        update(dsw, instance_id, EcsSpec="ecs.c7.xlarge", EnvironmentVariables={"A": "1"})

    found = dsw.get(instance_id)
    assert (found.instance_name, found.accessibility, found.ecs_spec) == ("renamed", "PUBLIC", "ecs.c7.large")


def test_a_stopped_instance_is_changed_and_started_in_one_go(dsw: Dsw) -> None:
    instance_id = dsw.running(EnvironmentVariables={"A": "1"}, UserCommand=start_command("echo A is [$A]"))
    dsw.client.stop_instance(instance_id, models.StopInstanceRequest())
    dsw.until(instance_id, "Stopped")

    update(dsw, instance_id, EcsSpec="ecs.c7.xlarge", DisassociateEnvironmentVariables=True, StartInstance=True)

    dsw.until(instance_id, "Running")
    dsw.written(instance_id, "A is []")
    assert dsw.get(instance_id).ecs_spec == "ecs.c7.xlarge"


def test_only_a_stopped_instance_can_be_started(dsw: Dsw) -> None:
    instance_id = dsw.running()

    with refused("ValidationError", 400, "Stopped or Failed; it is Running"):
        dsw.client.start_instance(instance_id)


def test_a_batch_is_done_whole_or_not_at_all(dsw: Dsw) -> None:
    ids = [dsw.running(InstanceName=name) for name in ("one", "two")]

    with refused("ValidationError", 404, "dsw-none"):
        dsw.client.stop_instances(models.StopInstancesRequest(instance_ids=[ids[0], "dsw-none"]))
    assert dsw.get(ids[0]).status == "Running"
    dsw.client.stop_instances(models.StopInstancesRequest(instance_ids=ids))
    for instance_id in ids:
        dsw.until(instance_id, "Stopped")
    dsw.client.delete_instances(models.DeleteInstancesRequest(instance_ids=ids))
    awaited(lambda: listed(dsw, resource_id="ALL") == [], "both to go")


def test_instances_are_found_by_what_they_are(dsw: Dsw) -> None:
    dsw.create(InstanceName="alpha", Labels=[{"Key": "team", "Value": "vision"}])
    dsw.create(InstanceName="alpha_2", EcsSpec="ecs.gn7i-c8g1.2xlarge", Accessibility="PUBLIC", Priority=9)
    dsw.create(InstanceName="beta", **QUOTA)

    assert listed(dsw) == ["alpha_2", "alpha"]
    assert listed(dsw, resource_id="ALL", sort_by="GmtCreateTime", order="ASC") == ["alpha", "alpha_2", "beta"]
    assert listed(dsw, resource_id="quota123") == ["beta"]
    assert listed(dsw, instance_name="alpha", page_size=1, page_number=2) == ["alpha"]
    assert listed(dsw, labels={"team": "vision"}) == ["alpha"]
    assert listed(dsw, accelerator_type="GPU", gpu_type="A10", min_gpu_memory="24") == ["alpha_2"]
    assert listed(dsw, accessibility="PRIVATE") == ["alpha"]
    assert listed(dsw, workspace_id="ALL", max_cpu="2000") == ["alpha"]
    assert listed(dsw, sort_by="Priority", order="DESC") == ["alpha_2", "alpha"]
    with refused("ValidationError", 400, "together"):
        listed(dsw, sort_by="Priority")


def test_labels_are_added_changed_and_taken_away(dsw: Dsw) -> None:
    instance_id = dsw.create(Labels=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    labels = [models.UpdateInstanceLabelsRequestLabels(key=key, value="3") for key in ("b", "c")]

    dsw.client.update_instance_labels(instance_id, models.UpdateInstanceLabelsRequest(labels=labels))
    dsw.client.delete_instance_labels(instance_id, models.DeleteInstanceLabelsRequest(label_keys="a,c"))

    assert [label.to_map() for label in dsw.get(instance_id).labels] == [{"Key": "b", "Value": "3"}]


def test_machines_have_prices_where_one_was_published(dsw: Dsw) -> None:
    gpus = dsw.client.list_ecs_specs(models.ListEcsSpecsRequest(accelerator_type="GPU")).body
    a10 = next(spec for spec in gpus.ecs_specs if spec.instance_type == "ecs.gn7i-c8g1.2xlarge")
    assert (a10.gputype, a10.gpu, a10.cpu, a10.price, a10.currency) == ("A10", 1, 8, 9.53, "CNY")

    cpus = dsw.client.list_ecs_specs(models.ListEcsSpecsRequest(accelerator_type="CPU", page_size=2)).body
    assert (len(cpus.ecs_specs), cpus.total_count) == (2, 5)
    assert {spec.price for spec in cpus.ecs_specs} == {None}


def snapshot(dsw: Dsw, instance_id: str, snapshot_id: str) -> Any:
    return dsw.client.get_instance_snapshot(instance_id, snapshot_id).body


def test_a_snapshot_is_an_image_that_others_can_be_started_from(dsw: Dsw) -> None:
    command = "mkdir -p /root/tool /root/.cache; echo kept > /root/tool/x; touch /root/.cache/y; echo done"
    instance_id = dsw.running(UserCommand=start_command(command))
    dsw.written(instance_id, "done")
    request = models.CreateInstanceSnapshotRequest(
        snapshot_name="tools", image_url="registry/team/tools:1", exclude_paths=["/root/.cache"]
    )

    snapshot_id = dsw.client.create_instance_snapshot(instance_id, request).body.snapshot_id
    assert dsw.get(instance_id).status == "Saving"
    awaited(lambda: snapshot(dsw, instance_id, snapshot_id).status == "Saved", "the snapshot to be saved")
    dsw.until(instance_id, "Running")
    assert dsw.get(instance_id).latest_snapshot.image_url == "registry/team/tools:1"
    with refused("ValidationError", 400, "Overwrite is not set"):
        dsw.client.create_instance_snapshot(instance_id, request)

    image_id = snapshot(dsw, instance_id, snapshot_id).image_id
    command = "cat /root/tool/x; ls -A /root; echo listed"
    copy = dsw.running(InstanceName="copy", ImageUrl=None, ImageId=image_id, UserCommand=start_command(command))
    dsw.written(copy, "listed")
    assert "kept" in dsw.log(copy)
    assert ".cache" not in dsw.log(copy)

    dsw.client.delete_instance_snapshot(instance_id, snapshot_id)
    assert dsw.client.list_instance_snapshot(instance_id, models.ListInstanceSnapshotRequest()).body.total_count == 0
    with refused("ValidationError", 404, "no snapshot"):
        snapshot(dsw, instance_id, snapshot_id)


def test_stopping_can_save_the_image_first(dsw: Dsw) -> None:
    instance_id = dsw.running()

    dsw.client.stop_instance(instance_id, models.StopInstanceRequest(save_image=True))

    assert dsw.until(instance_id, "Stopped").latest_snapshot.status == "Saved"
    assert dsw.statuses(instance_id)[-4:] == ["Saving", "Saved", "Stopping", "Stopped"]
