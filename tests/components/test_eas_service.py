"""What an EAS service registers."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime.rpc import is_rpc_secret, unwrap_rpc_secret

from components.eas_config import EasServiceSettings
from components.eas_service import EasService
from components.model_artefact import ModelArtefact
from components.stored_code import StoredCode
from tests.components.conftest import Recorder

SETTINGS = EasServiceSettings.model_validate(
    {
        "model": {"name": "fashion", "artefact": "models/fashion"},
        "instance_type": "ecs.c7.large",
        "replicas": 2,
        "container": {"environment": {"LEVEL": "info"}, "secrets": {"API_KEY": "opensesame"}},
        "labels": {"team": "vision"},
    }
)


@pytest.fixture
def registered(engine: Recorder, run: Callable[[Callable[[], object]], None]) -> dict[str, dict[str, Any]]:
    engine.outputs["alicloud:ram/role:Role"] = {"arn": "acs:ram::1:role/paistack-test-fashion"}

    def make() -> None:
        EasService(
            "fashion",
            SETTINGS,
            service_name="fashion_test",
            role_name="paistack-test-fashion",
            region="cn-hangzhou",
            host="0.0.0.0",
            bucket="a-bucket",
            model=ModelArtefact("fashion", "3f9c", Path("models/fashion"), ("model.pt",)),
            code=StoredCode({"serving/app.py": Path("model/serving/app.py")}, "ab12"),
            tags={"paistack-stack": "p/test"},
        )

    run(make)
    return {name: args.inputs for name, args in engine.registered.items()}


def created_with(registered: dict[str, dict[str, Any]]) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(unwrap_rpc_secret(registered["fashion-service"]["serviceConfig"]))
    return config


def test_secrets_stay_secret_and_the_rest_stays_readable(registered: dict[str, dict[str, Any]]) -> None:
    assert is_rpc_secret(registered["fashion-service"]["serviceConfig"])
    assert is_rpc_secret(registered["fashion-revision"]["environment"])
    assert not is_rpc_secret(registered["fashion-revision"]["config"])


def test_the_service_is_created_with_its_whole_configuration(registered: dict[str, dict[str, Any]]) -> None:
    config = created_with(registered)

    assert config["metadata"]["name"] == "fashion_test"
    assert config["metadata"]["instance"] == 2
    assert config["storage"][0]["oss"]["path"] == "oss://a-bucket/models/fashion/3f9c/"
    assert config["role_arn"] == "acs:ram::1:role/paistack-test-fashion"
    assert {variable["name"]: variable["value"] for variable in config["containers"][0]["env"]} == {
        "API_KEY": "opensesame",
        "DRAIN_TIMEOUT_S": "27",
        "HOST": "0.0.0.0",
        "LEVEL": "info",
        "MODEL_DIR": "/mnt/model",
        "PYTHONPATH": "/mnt/code",
        "PORT": "8000",
    }


def test_the_revision_declares_the_same_and_keeps_the_environment_apart(
    registered: dict[str, dict[str, Any]],
) -> None:
    created = created_with(registered)
    environment = created["containers"][0].pop("env")
    revision = registered["fashion-revision"]

    assert revision["config"] == created
    assert unwrap_rpc_secret(revision["environment"]) == {
        variable["name"]: variable["value"] for variable in environment
    }
    assert (revision["cluster_id"], revision["service_name"]) == ("cn-hangzhou", "fashion-service-id")


def test_service_and_role_carry_the_mark_of_the_stack(registered: dict[str, dict[str, Any]]) -> None:
    assert registered["fashion-service"]["tags"] == {"paistack-stack": "p/test", "team": "vision"}
    assert registered["fashion-role"]["tags"] == registered["fashion-policy"]["tags"] == {"paistack-stack": "p/test"}


def test_only_eas_may_assume_the_role(registered: dict[str, dict[str, Any]]) -> None:
    [statement] = json.loads(registered["fashion-role"]["assumeRolePolicyDocument"])["Statement"]

    assert statement["Principal"] == {"Service": ["eas.pai.aliyuncs.com"]}


def test_the_role_reads_this_model_and_this_code_and_nothing_else(registered: dict[str, dict[str, Any]]) -> None:
    statements = json.loads(registered["fashion-policy"]["policyDocument"])["Statement"]

    assert statements == [
        {
            "Effect": "Allow",
            "Action": ["oss:GetObject"],
            "Resource": ["acs:oss:*:*:a-bucket/models/fashion/3f9c/*", "acs:oss:*:*:a-bucket/code/ab12/*"],
        },
        {
            "Effect": "Allow",
            "Action": ["oss:ListObjects"],
            "Resource": ["acs:oss:*:*:a-bucket"],
            "Condition": {"StringLike": {"oss:Prefix": ["models/fashion/3f9c/*", "code/ab12/*"]}},
        },
    ]


def test_the_component_itself_shows_no_secret(registered: dict[str, dict[str, Any]]) -> None:
    assert "opensesame" not in json.dumps(registered["fashion"])
