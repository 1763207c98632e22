"""Stacks of the tests' own: the real engine, the real provider, and an emulator that runs as a process."""

import hashlib
import json
import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from cloud.target import Credentials
from jobs.emulator import EmulatorProcess
from jobs.environment import command_environment, target_environment
from jobs.pulumi_stack import PulumiStack
from jobs.stacks import OpenStack
from jobs.update import run
from stacks.config import StackConfig
from tests.engine.cloud import Cloud

TINY_SERVER = Path(__file__).parent / "tiny_server.py"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def state_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where Pulumi keeps the states of all stacks of this session."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmulatorProcess]:
    """An emulator for all tests that leave it alive."""
    yield from _emulator(tmp_path_factory.mktemp("emulator"))


@pytest.fixture
def own_emulator(tmp_path: Path) -> Iterator[EmulatorProcess]:
    """An emulator that a test may kill."""
    yield from _emulator(tmp_path / "emulator")


def _emulator(data_dir: Path) -> Iterator[EmulatorProcess]:
    process = EmulatorProcess(f"http://127.0.0.1:{free_port()}", data_dir)
    process.start()
    yield process
    process.stop()


def write_artefact(folder: Path, content: str) -> Path:
    """A model whose version follows from its content, as training makes them."""
    folder.mkdir(exist_ok=True)
    digest = hashlib.sha256(content.encode()).hexdigest()
    (folder / "model.pt").write_text(content)
    (folder / "manifest.json").write_text(json.dumps({"version": digest[:12], "files": {"model.pt": digest}}))
    return folder


@dataclass
class Deployment:
    """A stack with one service, `tiny`. Change `settings`, then call `up`."""

    name: str
    folder: Path
    state_folder: Path
    emulator: EmulatorProcess
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = {
            "target": {
                "emulator": self.emulator.url,
                "region": "cn-hangzhou",
                "account_id": "1234567890123456",
            },
            "store": {"force_destroy": True},
            "services": {
                "tiny": {
                    "model": {"name": "tiny", "artefact": str(write_artefact(self.folder / "model", "first"))},
                    "instance_type": "ecs.c7.large",
                    "container": {"server": str(TINY_SERVER), "environment": {"LEVEL": "info"}},
                }
            },
        }

    @property
    def service(self) -> dict[str, Any]:
        """The service's settings."""
        service: dict[str, Any] = self.settings["services"]["tiny"]
        return service

    @property
    def service_name(self) -> str:
        return f"tiny_{self.name}"

    def write_settings(self) -> Path:
        file = self.folder / "settings.yaml"
        file.write_text(yaml.safe_dump({"config": {f"paistack:{key}": value for key, value in self.settings.items()}}))
        return file

    def keep_settings(self) -> None:
        """Goes on with what a command wrote into the file."""
        written = yaml.safe_load((self.folder / "settings.yaml").read_text())["config"]
        self.settings = {key.removeprefix("paistack:"): value for key, value in written.items()}

    def open(self) -> OpenStack:
        """The stack with its present settings, as `paistack` opens it."""
        file = self.write_settings()
        config = StackConfig.from_file(file)
        backend = {"PULUMI_BACKEND_URL": f"file://{self.state_folder}", "PULUMI_CONFIG_PASSPHRASE": "of the tests"}
        environment = command_environment(target_environment(config.target, {}), os.environ | backend)
        return OpenStack(config, PulumiStack.open(self.name, file, environment, copies=self.folder / "stacks"))

    def up(self, *arguments: str) -> None:
        """`paistack up`."""
        assert run("up", self.open(), ["--skip-preview", *arguments]) == 0

    def refresh(self, *arguments: str) -> int:
        """`paistack refresh`; its exit status."""
        return run("refresh", self.open(), ["--skip-preview", *arguments])

    def destroy(self) -> None:
        """`paistack destroy`."""
        assert run("destroy", self.open(), ["--skip-preview"]) == 0

    def steps(self) -> dict[str, dict[str, Any]]:
        """The steps of a preview, with the state before and after, by the logical name of each touched resource."""
        preview = json.loads(self.open().pulumi.capture("preview", "--json"))
        return {step["urn"].rpartition("::")[2]: step for step in preview["steps"] if step["op"] != "same"}

    def planned(self) -> dict[str, str]:
        """What a preview would do, by the logical name of each resource that it would touch."""
        return {name: step["op"] for name, step in self.steps().items()}

    def outputs(self) -> dict[str, Any]:
        """The service's outputs."""
        found: dict[str, Any] = self.open().pulumi.outputs()["services"]["tiny"]
        return found

    def ask(self, token: str | None = None) -> httpx.Response:
        """A request to the service, with its own token unless another is given."""
        outputs = self.outputs()
        headers = {"Authorization": outputs["token"] if token is None else token}
        return httpx.get(outputs["endpoint"], headers=headers, trust_env=False)

    def cloud(self) -> Cloud:
        """What is really there."""
        stack = self.open()
        return Cloud(stack.target, Credentials.from_environment(stack.target, stack.pulumi.environment))
