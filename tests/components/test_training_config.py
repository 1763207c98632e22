"""What a training run's settings become on DSW."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError

from components.notebook_config import instance_settings
from components.training_config import TrainingSettings, notebook_settings, start_command
from tests.components.conftest import Recorder, event_loop_of_all

SETTINGS = {"model": "fashion", "workspace_id": "1000", "data": {"dataset": "d-abc", "version": "v2"}}
QUOTA = {"id": "quota1", "cpu": 8, "memory_gb": 64, "gpus": 2, "gpu_type": "A100"}


@pytest.fixture(autouse=True)
def _outputs_come_to_their_end(engine: Recorder) -> Iterator[None]:
    """An address of the store is an Output: a task, which would else be found unfinished by any later test."""
    yield
    loop = event_loop_of_all()
    loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop)))
    assert engine.registered == {}


def settings(**changes: Any) -> TrainingSettings:
    return TrainingSettings.model_validate_json(json.dumps(SETTINGS | changes))


def instance(**changes: Any) -> dict[str, Any]:
    notebook = notebook_settings(settings(**changes), {})
    return instance_settings(notebook, region="cn-hangzhou", store_uri="oss://b/", code_uri="oss://b/code/")


@pytest.mark.parametrize(
    ("changes", "machine"),
    [
        ({}, "ecs.gn7i-c8g1.2xlarge"),
        ({"machine": "V100"}, "ecs.gn6v-c8g1.2xlarge"),
        ({"machine": "A100"}, "ecs.gn7e-c16g1.4xlarge"),
        ({"machine": "CPU"}, "ecs.c7.2xlarge"),
        ({"instance_type": "ecs.gn6i-c4g1.xlarge"}, "ecs.gn6i-c4g1.xlarge"),
    ],
)
def test_a_machine_is_chosen_by_its_gpu_or_by_its_type(changes: dict[str, Any], machine: str) -> None:
    assert instance(**changes)["EcsSpec"] == machine


def test_a_quota_takes_the_place_of_a_machine() -> None:
    body = instance(quota=QUOTA)
    assert "EcsSpec" not in body
    assert body["RequestedResource"]["GPU"] == "2"


def test_the_dataset_is_mounted_at_its_version_and_the_models_writable() -> None:
    data, *others = instance()["Datasets"]
    assert (data["DatasetId"], data["DatasetVersion"], data["MountPath"], data["MountAccess"]) == (
        "d-abc",
        "v2",
        "/mnt/data",
        "RO",
    )
    assert {each["MountPath"]: each["MountAccess"] for each in others} == {"/mnt/models": "RW", "/mnt/code": "RO"}


def test_the_machine_may_stop_itself_and_is_stopped_when_it_does_not() -> None:
    assert instance()["CredentialConfig"]["Enable"] is True
    notebook = notebook_settings(settings(), {})
    assert notebook.idle_shutdown is not None
    assert notebook.stop_after_hours == 12
    assert start_command(settings()).rstrip().endswith("python3 -m model.release")


def test_the_recipe_is_passed_on_as_options() -> None:
    command = start_command(settings(recipe={"architecture": "resnet34", "early_stop": 3, "flip": False}))
    assert "--architecture resnet34 --early-stop 3 --no-flip" in command
    assert "torch.distributed.run" not in command


def test_several_processes_are_started_by_torchrun() -> None:
    assert "torch.distributed.run --standalone --nproc-per-node 2 -m model.train" in start_command(
        settings(processes=2)
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"machine": "A100", "quota": QUOTA}, "found machine and quota; allowed: one of machine, instance_type"),
        ({"data": {}}, "give either store (a directory of the bucket) or dataset (of PAI), and not both"),
        ({"mounts": [{"path": "/mnt/data", "store": "a/"}]}, "/mnt/data is mounted by the run itself"),
        ({"recipe": {"epoch": 1}}, "Extra inputs are not permitted"),
        ({"machine": "T4"}, "Input should be 'A10', 'V100', 'A100' or 'CPU'"),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as refused:
        settings(**changes)
    assert message in str(refused.value)
