"""What settings of a notebook become in DSW's API, and what is refused before anything is created."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.notebook_config import (
    NotebookSettings,
    bucket_uri,
    default_instance_name,
    instance_settings,
    plain_environment,
)

MACHINE = {"workspace_id": "1000", "instance_type": "ecs.c7.large"}
QUOTA = {"workspace_id": "1000", "quota": {"id": "quota123", "cpu": 8, "memory_gb": 32, "gpus": 2, "gpu_type": "A10"}}
NAS = {"path": "/mnt/nas", "uri": "nas://0123-abc.cn-hangzhou.nas.aliyuncs.com/team/"}


def settings(base: dict[str, Any] = MACHINE, **changes: Any) -> NotebookSettings:
    return NotebookSettings.model_validate({**base, **changes})


def made(notebook: NotebookSettings, code_uri: str | None = None) -> dict[str, Any]:
    return instance_settings(notebook, region="cn-hangzhou", store_uri="oss://b/", code_uri=code_uri)


def test_little_needs_to_be_said() -> None:
    assert made(settings()) == {
        "EcsSpec": "ecs.c7.large",
        "ImageUrl": "dsw-registry-vpc.cn-hangzhou.cr.aliyuncs.com/pai/modelscope:"
        "1.34.0-pytorch2.3.1-cpu-py311-ubuntu22.04",
        "Accessibility": "PRIVATE",
    }


def test_a_notebook_stops_by_itself_unless_it_is_told_not_to() -> None:
    assert settings().idle_shutdown is not None
    assert settings().stop_after_hours == 12


@pytest.mark.parametrize(
    ("notebook", "gpu"),
    [
        (settings(), False),
        (settings(instance_type="ecs.gn7i-c8g1.2xlarge"), True),
        (settings(QUOTA), True),
        (settings(QUOTA, quota={"id": "quota1", "cpu": 1, "memory_gb": 4}), False),
    ],
)
def test_a_machine_with_a_gpu_gets_an_image_for_it(notebook: NotebookSettings, gpu: bool) -> None:
    assert ("-gpu-" in made(notebook)["ImageUrl"]) == gpu


def test_a_share_of_a_quota_has_the_units_without_which_dsw_fails() -> None:
    assert made(settings(QUOTA, priority=9))["RequestedResource"] == {
        "CPU": "8", "Memory": "32GB", "GPU": "2", "GPUType": "A10",
    }  # fmt: skip
    assert made(settings(QUOTA, priority=9))["Priority"] == 9


def test_data_and_code_are_mounted() -> None:
    mounts: list[dict[str, Any]] = [
        NAS,
        {"path": "/mnt/set", "dataset": "d-1a2b", "version": "v3", "read_only": True},
        {"path": "/mnt/oss", "uri": "oss://b2b.oss-cn-hangzhou-internal.aliyuncs.com/x/", "options": {"a": "1"}},
    ]
    notebook = settings(mounts=mounts, code="model", working_directory="/mnt/nas")

    assert made(notebook, code_uri="oss://b/code/1/")["Datasets"] == [
        {"Uri": NAS["uri"], "MountPath": "/mnt/nas", "MountAccess": "RW"},
        {"DatasetId": "d-1a2b", "DatasetVersion": "v3", "MountPath": "/mnt/set", "MountAccess": "RO"},
        {"Uri": mounts[2]["uri"], "MountPath": "/mnt/oss", "MountAccess": "RW", "Options": '{"a": "1"}'},
        {"Uri": "oss://b/code/1/", "MountPath": "/mnt/code", "MountAccess": "RO"},
    ]
    assert made(notebook)["WorkspaceSource"] == "/mnt/nas"


def test_the_rest_has_dsw_s_names() -> None:
    vpc = {"vpc_id": "vpc-1", "vswitch_id": "vsw-1", "security_group_id": "sg-1", "cidrs": ["10.0.0.0/8"]}

    body = made(
        settings(
            vpc=vpc | {"internet": "vpc"}, access="workspace", image="image-abc", start_command="python train.py",
            spot={"max_price_cny_per_hour": 1.5},
        )
    )  # fmt: skip

    assert body["UserVpc"] == {
        "VpcId": "vpc-1", "VSwitchId": "vsw-1", "SecurityGroupId": "sg-1", "ExtendedCIDRs": ["10.0.0.0/8"],
        "DefaultRoute": "eth1",
    }  # fmt: skip
    assert (body["Accessibility"], body["ImageId"]) == ("PUBLIC", "image-abc")
    assert body["UserCommand"] == {"OnStart": {"Content": "python train.py"}}
    assert body["SpotSpec"] == {"SpotStrategy": "SpotWithPriceLimit", "SpotPriceLimit": "1.5"}


def test_processes_on_one_machine_are_told_to_torchrun() -> None:
    several = settings(distributed={"processes_per_machine": 4}, environment={"LEVEL": "info"})

    assert plain_environment(several) == {"NNODES": "1", "NPROC_PER_NODE": "4", "LEVEL": "info"}
    assert plain_environment(settings()) == {}


@pytest.mark.parametrize(
    ("change", "where", "problem"),
    [
        ({"instance_type": None}, (), "either instance_type .* or quota"),
        ({"quota": QUOTA["quota"]}, (), "either instance_type .* or quota"),
        ({"distributed": {"machines": 2}}, ("distributed",), "one machine: .* PAI-DLC"),
        ({"idle_shutdown": None, "stop_after_hours": None}, (), "would bill for ever"),
        ({"priority": 3}, (), "priority is a place in the queue of a quota"),
        ({"mounts": [{"path": "/mnt/a"}]}, ("mounts", 0), "one of store, uri and dataset; found none"),
        ({"mounts": [NAS | {"dataset": "d-1"}]}, ("mounts", 0), "found uri and dataset"),
        ({"mounts": [NAS | {"version": "v1"}]}, ("mounts", 0), "version is of a dataset"),
        ({"mounts": [NAS | {"options": {"a": "1"}}]}, ("mounts", 0), "options are for OSS only"),
        ({"mounts": [NAS, NAS]}, (), "/mnt/nas is mounted twice"),
        ({"mounts": [NAS | {"path": "/mnt/code"}], "code": "x"}, (), "mounted twice, by code and by mounts"),
        ({"working_directory": "/mnt/x"}, (), "not the path of one of mounts"),
        (
            {"mounts": [{"path": "/mnt/a", "store": "data/"}], "working_directory": "/mnt/a"}, (),
            "DSW cannot work in OSS",
        ),
        ({"environment": {"A": "1"}, "secrets": {"A": "2"}}, (), "A is both in environment and in secrets"),
        ({"environment": {"DSW_INSTANCE_ID": "1"}}, (), "DSW_INSTANCE_ID is set by DSW"),
        ({"instance_name": "a-b"}, ("instance_name",), "match pattern"),
        ({"stop_after_hours": 0}, ("stop_after_hours",), "greater than or equal to 1"),
        ({"gpu": 1}, ("gpu",), "Extra inputs"),
    ],
)  # fmt: skip
def test_contradictions_are_refused_with_their_place(
    change: dict[str, Any], where: tuple[object, ...], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem) as refused:
        settings(**change)
    assert refused.value.errors()[0]["loc"] == where


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"spot": {}}, "spot is for pay-as-you-go"),
        ({"distributed": {"processes_per_machine": 4}}, "more than quota.gpus"),
        ({"quota": {"id": "quota1", "cpu": 1, "memory_gb": 4, "gpu_type": "A10"}}, "gpus is 0"),
    ],
)
def test_contradictions_within_a_quota_are_refused(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        settings(QUOTA, **change)


def test_a_quota_bills_anyhow_so_that_nothing_need_stop_it() -> None:
    assert settings(QUOTA, idle_shutdown=None, stop_after_hours=None).stop_after_hours is None


def test_a_name_is_made_that_dsw_takes_and_that_stays() -> None:
    assert default_instance_name("my-lab", "dev") == "my_lab_dev"
    long = default_instance_name("a-lab-with-quite-a-name", "production")
    assert len(long) == 27
    assert long == default_instance_name("a-lab-with-quite-a-name", "production")
    assert long != default_instance_name("a-lab-with-quite-a-name", "production-2")


def test_the_buckets_internal_address_is_mounted() -> None:
    assert bucket_uri("b2b", "cn-beijing", "data/") == "oss://b2b.oss-cn-beijing-internal.aliyuncs.com/data/"
