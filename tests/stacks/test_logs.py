"""Where a stack's logs are shipped to: what is registered, and where it cannot be."""

import json
import os
from collections.abc import Callable
from typing import Any

import pytest

from components.log_config import FIELDS
from stacks.config import StackConfig
from stacks.deploy import deploy
from stacks.problems import ConfigError
from tests.components.conftest import Recorder, engine, run

__all__ = ["engine", "run"]

CLOUD = {"region": "cn-hangzhou", "account_id": "1234567890123456"}


def config(logs: dict[str, Any], **target: str) -> StackConfig:
    return StackConfig.model_validate_json(json.dumps({"target": {**CLOUD, **target}, "logs": logs}))


@pytest.fixture
def _in_the_clouds_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.upper().endswith("_PROXY")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", "nobody")
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "opens-nothing")


@pytest.mark.usefixtures("_in_the_clouds_environment")
def test_a_project_a_store_and_an_index_are_registered(
    engine: Recorder, run: Callable[[Callable[[], object]], None]
) -> None:
    run(lambda: deploy(config({"keep_days": 90})))

    found = {name: args.inputs for name, args in engine.registered.items()}
    assert found["logs-project"]["projectName"] == "paistack-test-90123456"
    assert found["logs-project"]["tags"] == {"paistack-stack": "paistack/test"}
    store = found["logs-store"]
    assert (store["projectName"], store["logstoreName"]) == ("paistack-test-90123456", "services")
    assert store["retentionPeriod"] == 90
    index = found["logs-index"]
    assert (index["project"], index["logstore"]) == ("paistack-test-90123456", "services")
    assert {each["name"]: each["type"] for each in index["fieldSearches"]} == dict(FIELDS)
    assert index["fullText"]["token"].count("\n") == 1


@pytest.mark.usefixtures("_in_the_clouds_environment")
def test_names_can_be_given(engine: Recorder, run: Callable[[Callable[[], object]], None]) -> None:
    run(lambda: deploy(config({"project": "my-logs", "store": "all"})))

    assert engine.registered["logs-project"].inputs["projectName"] == "my-logs"
    assert engine.registered["logs-store"].inputs["logstoreName"] == "all"


@pytest.mark.parametrize(
    ("logs", "target", "told"),
    [
        ({}, {"emulator": "http://127.0.0.1:8600"}, "leave it out of stacks with target.emulator"),
        ({"project": "My Logs"}, {}, 'logs.project: found "My Logs"'),
        ({"keep_days": 0}, {}, "logs.keep_days: found 0"),
        ({"kept_days": 3}, {}, "logs.kept_days: there is no such setting; did you mean keep_days?"),
    ],
)
def test_what_cannot_be_is_told_at_its_path(logs: dict[str, Any], target: dict[str, str], told: str) -> None:
    with pytest.raises(ConfigError, match=told.replace("?", r"\?")):
        StackConfig._parse({"target": {**CLOUD, **target}, "logs": logs})
