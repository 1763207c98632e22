"""From settings to EAS's own JSON."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.eas_config import EasServiceSettings, plain_environment, service_config

MINIMAL = {"model": {"name": "fashion", "artefact": "models/fashion"}, "instance_type": "ecs.c7.large"}


def settings(**changes: Any) -> EasServiceSettings:
    return EasServiceSettings.model_validate(MINIMAL | changes)


def config(**changes: Any) -> dict[str, Any]:
    return service_config(
        settings(**changes),
        service_name="fashion_test",
        region="cn-hangzhou",
        model_uri="oss://bucket/models/fashion/1/",
        code_uri="oss://bucket/code/ab/",
        role_arn="acs:ram::1234567890123456:role/reader",
    )


def test_onnx_runtime_is_installed_and_named_where_it_is_to_run_the_model() -> None:
    onnx = {"model": {"name": "fashion", "artefact": "models/fashion", "runtime": "onnx"}}
    [container] = config(**onnx)["containers"]
    assert "onnxruntime==1.32.0" in container["prepare"]["pythonRequirements"]
    assert plain_environment(settings(**onnx), host="0.0.0.0")["RUNTIME"] == "onnx"
    assert "RUNTIME" not in plain_environment(settings(), host="0.0.0.0")


def test_a_minimal_service_states_every_default_that_it_relies_on() -> None:
    probe = {
        "http_get": {"path": "/healthz", "port": 8000},
        "initial_delay_seconds": 0,
        "period_seconds": 5,
        "timeout_seconds": 3,
        "success_threshold": 1,
        "failure_threshold": 3,
    }
    assert config() == {
        "metadata": {
            "name": "fashion_test",
            "instance": 1,
            "rpc": {"keepalive": 30_000, "max_queue_size": 64, "rate_limit": 0, "enable_sigterm": True},
            "rolling_strategy": {"max_surge": 1, "max_unavailable": 0},
            "eas.termination_grace_period": 30,
        },
        "cloud": {"computing": {"instance_type": "ecs.c7.large"}},
        "containers": [
            {
                "image": "dsw-registry-vpc.cn-hangzhou.cr.aliyuncs.com/pai/pytorch:"
                "2.8.0-gpu-py312-cu126-ubuntu22.04-3995b779-1764358175",
                "prepare": {"pythonRequirements": ["starlette==1.10.0", "uvicorn==0.54.0"]},
                "command": "python -m serving",
                "port": 8000,
                "startup_check": probe | {"period_seconds": 1, "failure_threshold": 300},
                "readiness_check": probe,
                "liveness_check": probe,
            }
        ],
        "storage": [
            {"mount_path": "/mnt/model", "oss": {"path": "oss://bucket/models/fashion/1/", "readOnly": True}},
            {"mount_path": "/mnt/code", "oss": {"path": "oss://bucket/code/ab/", "readOnly": True}},
        ],
        "role_arn": "acs:ram::1234567890123456:role/reader",
        "runtime": {"enable_crash_block": False},
    }


@pytest.mark.parametrize(
    ("changes", "path", "expected"),
    [
        ({"replicas": 4}, "metadata.instance", 4),
        ({"workspace_id": "77"}, "metadata.workspace_id", "77"),
        ({"request": {"timeout_s": 5}}, "metadata.rpc.keepalive", 5000),
        ({"request": {"max_qps_per_replica": 9}}, "metadata.rpc.rate_limit", 9),
        ({"request": {"max_concurrency": 8}}, "networking.gateway_policy.concurrency_limit.limit", 8),
        ({"rollout": {"max_surge": "25%"}}, "metadata.rolling_strategy.max_surge", "25%"),
        ({"shutdown": {"sigterm": False}}, "metadata.rpc.enable_sigterm", False),
        ({"container": {"image": "mine:1"}}, "containers.0.image", "mine:1"),
        ({"container": {"server": "a/b/my.py"}}, "containers.0.command", "python /mnt/code/my.py"),
        ({"container": {"python_requirements": ["x"]}}, "containers.0.prepare.pythonRequirements", ["x"]),
        ({"container": {"port": 9000}}, "containers.0.readiness_check.http_get.port", 9000),
        ({"container": {"probes": {"startup_timeout_s": 60}}}, "containers.0.startup_check.failure_threshold", 60),
    ],
)
def test_a_setting_becomes_the_documented_key(changes: dict[str, Any], path: str, expected: object) -> None:
    value: Any = config(**changes)
    for key in path.split("."):
        value = value[int(key)] if isinstance(value, list) else value[key]
    assert value == expected


def test_the_container_learns_its_address_its_model_and_how_long_it_may_drain() -> None:
    service = settings(container={"port": 9000, "environment": {"LEVEL": "info"}}, shutdown={"grace_period_s": 20})

    assert plain_environment(service, host="0.0.0.0") == {
        "MODEL_DIR": "/mnt/model",
        "PYTHONPATH": "/mnt/code",
        "HOST": "0.0.0.0",
        "PORT": "9000",
        "DRAIN_TIMEOUT_S": "17",
        "LEVEL": "info",
    }


def test_secrets_are_in_no_representation_of_the_settings() -> None:
    with_secret = settings(container={"secrets": {"KEY": "opensesame"}})

    assert "opensesame" not in f"{with_secret} {with_secret!r} {with_secret.model_dump(mode='json')}"
    assert with_secret.container.secrets["KEY"].get_secret_value() == "opensesame"


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"rollout": {"max_surge": "0%", "max_unavailable": 0}}, "both 0, so that no update could ever begin"),
        ({"container": {"port": 8080}}, "port 8080 is taken by EAS itself"),
        ({"container": {"environment": {"PORT": "1"}}}, "PORT is set by paistack"),
        ({"container": {"secrets": {"MODEL_DIR": "x"}}}, "MODEL_DIR is set by paistack"),
        ({"container": {"environment": {"A": "1"}, "secrets": {"A": "2"}}}, "A is both in environment and in secrets"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        settings(**changes)
