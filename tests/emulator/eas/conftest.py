"""Services of a test's own, made through the official SDK."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

import httpx
import pytest
from alibabacloud_eas20210701 import models
from alibabacloud_eas20210701.client import Client
from darabonba.exceptions import DaraException

from tests.emulator.conftest import RunningEmulator
from tests.emulator.sdk import connect

REGION = "cn-hangzhou"
STAND_IN = Path(__file__).parent / "stand_in.py"
PATIENCE_S = 20.0

Found = TypeVar("Found")


def until(condition: Callable[[], Found | Literal[False] | None], what: str = "the condition") -> Found:
    """The first truthy value of `condition`; fails after PATIENCE_S."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{what} did not become true within {PATIENCE_S} s"
        time.sleep(0.01)
    return found


def service_json(name: str = "svc", *, instance: int = 1, command: str | None = None, **changes: Any) -> dict[str, Any]:
    """A service of stand-in servers; `metadata`, `container` and `env` are merged into their parts, other changes are
    further keys of the top level."""
    container = {
        "image": "registry.example/stand-in:1",
        "port": 8000,
        "command": command or f"python {STAND_IN} 8000",
        "env": [{"name": key, "value": value} for key, value in changes.pop("env", {}).items()],
    }
    metadata = {"name": name, "instance": instance, "cpu": 1, "memory": 1000, **changes.pop("metadata", {})}
    container |= changes.pop("container", {})
    return {"metadata": metadata, "containers": [container], **changes}


class Eas:
    """The SDK's client, with the test's region and readable answers."""

    def __init__(self, client: Client, url: str) -> None:
        self.client, self.url = client, url
        self.http = httpx.Client(timeout=30.0)

    def create(self, document: dict[str, Any], **query: Any) -> dict[str, Any]:
        return self._map(self.client.create_service(models.CreateServiceRequest(body=json.dumps(document), **query)))

    def deploy(self, document: dict[str, Any], **query: Any) -> str:
        """Creates a service and waits until it runs; its name."""
        name = str(self.create(document, **query)["ServiceName"])
        self.wait(name)
        return name

    def update(self, name: str, change: dict[str, Any], **query: Any) -> dict[str, Any]:
        request = models.UpdateServiceRequest(body=json.dumps(change), **query)
        return self._map(self.client.update_service(REGION, name, request))

    def describe(self, name: str = "svc") -> dict[str, Any]:
        return self._map(self.client.describe_service(REGION, name, models.DescribeServiceRequest()))

    def status(self, name: str = "svc") -> str:
        return str(self.describe(name)["Status"])

    def wait(self, name: str = "svc", status: str = "Running") -> dict[str, Any]:
        return until(lambda: (found := self.describe(name))["Status"] == status and found, f"{name} {status}")

    def gone(self, name: str = "svc") -> bool:
        try:
            self.describe(name)
        except DaraException as error:
            return bool(error.code == "InvalidService.NotFound")
        return False

    def instances(self, name: str = "svc", **query: Any) -> list[dict[str, Any]]:
        request = models.ListServiceInstancesRequest(**query)
        return list(self._map(self.client.list_service_instances(REGION, name, request))["Instances"])

    def events(self, name: str = "svc", **query: Any) -> list[dict[str, Any]]:
        request = models.DescribeServiceEventRequest(**query)
        return list(self._map(self.client.describe_service_event(REGION, name, request))["Events"])

    def logs(self, name: str = "svc", **query: Any) -> list[str]:
        request = models.DescribeServiceLogRequest(**query)
        return list(self._map(self.client.describe_service_log(REGION, name, request))["Logs"])

    def call(self, operation: str, *arguments: Any) -> dict[str, Any]:
        """Another operation of a service, by its name in the SDK."""
        return self._map(getattr(self.client, operation)(REGION, *arguments))

    def ask(self, path: str = "", *, name: str = "svc", method: str = "GET", **options: Any) -> httpx.Response:
        """A request to the service through the gateway, with its token unless other headers are given."""
        described = self.describe(name)
        headers = {"Authorization": described["AccessToken"], **options.pop("headers", {})}
        return self.http.request(method, described["InternetEndpoint"] + path, headers=headers, **options)

    @staticmethod
    def _map(response: Any) -> dict[str, Any]:
        return dict(response.body.to_map())


@pytest.fixture
def eas(emulator: RunningEmulator) -> Iterator[Eas]:
    eas = Eas(connect(Client, emulator), emulator.url)
    yield eas
    eas.http.close()
