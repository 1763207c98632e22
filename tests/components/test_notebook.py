"""What a notebook registers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.rpc import is_rpc_secret, unwrap_rpc_secret

from components.notebook import Notebook
from components.notebook_config import NotebookSettings
from components.stored_code import StoredCode
from tests.components.conftest import Recorder

SETTINGS = {
    "workspace_id": "1000",
    "instance_type": "ecs.gn7i-c8g1.2xlarge",
    "mounts": [{"path": "/mnt/data", "store": "datasets/"}],
    "environment": {"LEVEL": "info"},
    "secrets": {"API_KEY": "opensesame"},
    "labels": {"team": "vision"},
}

Registered = Callable[..., dict[str, dict[str, Any]]]


@pytest.fixture
def register(engine: Recorder, run: Callable[[Callable[[], object]], None]) -> Registered:
    engine.outputs["pulumi-python:dynamic/dsw:DswInstance"] = {"url": "https://lab"}

    def register(**changes: Any) -> dict[str, dict[str, Any]]:
        def make() -> None:
            Notebook(
                "lab",
                NotebookSettings.model_validate(SETTINGS | changes),
                instance_name="lab_test",
                region="cn-hangzhou",
                bucket="a-bucket",
                code=StoredCode({"train.py": Path("model/train.py")}, "ab12"),
                tags={"paistack-stack": "p/test"},
            )

        run(make)
        return {name: args.inputs for name, args in engine.registered.items()}

    return register


def test_an_instance_is_made_with_data_code_and_the_mark_of_the_stack(register: Registered) -> None:
    instance = register()["lab-instance"]

    assert (instance["instance_name"], instance["workspace_id"], instance["resource_id"]) == ("lab_test", "1000", "")
    assert [dataset["Uri"] for dataset in instance["settings"]["Datasets"]] == [
        "oss://a-bucket.oss-cn-hangzhou-internal.aliyuncs.com/datasets/",
        "oss://a-bucket.oss-cn-hangzhou-internal.aliyuncs.com/code/ab12/",
    ]
    assert instance["labels"] == {"paistack-stack": "p/test", "team": "vision"}


def test_secrets_stay_secret_and_the_rest_stays_readable(register: Registered) -> None:
    registered = register()

    assert is_rpc_secret(registered["lab-instance"]["environment"])
    assert unwrap_rpc_secret(registered["lab-instance"]["environment"]) == {"LEVEL": "info", "API_KEY": "opensesame"}
    assert not is_rpc_secret(registered["lab-instance"]["settings"])
    assert "opensesame" not in json.dumps(registered["lab"])


def test_it_stops_by_itself_when_it_is_idle_and_when_its_time_is_up(register: Registered) -> None:
    registered = register()

    culler, timer = registered["lab-culler"], registered["lab-timer"]
    assert (culler["instance_id"], culler["max_idle_minutes"], culler["gpu_percent"]) == ("lab-instance-id", 60, 10)
    assert (timer["instance_id"], timer["after_minutes"]) == ("lab-instance-id", 720)
    assert "lab-snapshot" not in registered


def test_what_is_turned_off_is_not_made(register: Registered) -> None:
    registered = register(idle_shutdown=None, snapshot={"name": "tools", "image": "registry/team/tools:1"})

    assert "lab-culler" not in registered
    assert registered["lab-snapshot"]["image_url"] == "registry/team/tools:1"


def test_a_machine_without_a_gpu_is_judged_by_its_processors_alone(register: Registered) -> None:
    assert register(instance_type="ecs.c7.large")["lab-culler"]["gpu_percent"] == 0
