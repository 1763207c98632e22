"""An emulator with services, and the stack's configuration as a provider gets it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alibabacloud_eas20210701.client import Client
from pulumi.dynamic import Config, ConfigureRequest

from cloud.target import Target
from tests.emulator.eas.conftest import Eas
from tests.emulator.running import RunningEmulator, run_emulator
from tests.emulator.sdk import connect


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[RunningEmulator]:
    with run_emulator(tmp_path / "emulator") as running:
        yield running


@pytest.fixture
def eas(emulator: RunningEmulator) -> Iterator[Eas]:
    eas = Eas(connect(Client, emulator), emulator.url)
    yield eas
    eas.http.close()


@pytest.fixture
def configured(emulator: RunningEmulator, monkeypatch: pytest.MonkeyPatch) -> ConfigureRequest:
    """What the engine hands to `configure`, in the environment that leads to the emulator."""
    target = Target(region="cn-hangzhou", account_id="1234567890123456", emulator=emulator.url)
    for name, value in target.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.tracebacklimit", 1000, raising=False)  # `configure` sets it, for its own process
    return ConfigureRequest(Config({"paistack:target": target.model_dump_json()}, "paistack"))
