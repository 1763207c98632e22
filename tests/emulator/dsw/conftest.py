"""DSW through the vendor's SDK, with OSS and the emulated clock beside it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import oss2
import pytest
from alibabacloud_aiworkspace20210204.client import Client as Workspaces
from alibabacloud_pai_dsw20220101 import models
from alibabacloud_pai_dsw20220101.client import Client

from emulator.credentials import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from tests.emulator.conftest import RunningEmulator
from tests.emulator.sdk import connect

PATIENCE_S = 20.0
BUCKET = "notebook-data"

Found = TypeVar("Found")


def awaited(look: Callable[[], Found], what: str) -> Found:
    """What `look` returns as soon as it returns something; fails when that takes too long."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := look()):
        assert time.monotonic() < deadline, f"waited {PATIENCE_S:g} s for {what}"
        time.sleep(0.02)
    return found


def body(**settings: Any) -> dict[str, Any]:
    """The body of CreateInstance for a small machine; `settings` change it, None removes one."""
    small = {
        "InstanceName": "lab",
        "WorkspaceId": "1000",
        "EcsSpec": "ecs.c7.large",
        "ImageUrl": "registry/pai/python:3.11-cpu",
    }
    return {name: value for name, value in {**small, **settings}.items() if value is not None}


def start_command(text: str) -> dict[str, Any]:
    return {"OnStart": {"Content": text}}


@dataclass(frozen=True)
class Dsw:
    client: Client
    emulator: RunningEmulator
    bucket: oss2.Bucket

    def create(self, **settings: Any) -> str:
        """A new instance's id; as `body` says."""
        request = models.CreateInstanceRequest().from_map(body(**settings))
        return str(self.client.create_instance(request).body.instance_id)

    def get(self, instance_id: str) -> Any:
        return self.client.get_instance(instance_id, models.GetInstanceRequest()).body

    def until(self, instance_id: str, status: str) -> Any:
        """The instance as soon as it has that status."""

        def look() -> Any:
            found = self.get(instance_id)
            assert found.status == status or found.status != "Failed", found.reason_message
            return found if found.status == status else None

        return awaited(look, f"{instance_id} to be {status}")

    def running(self, **settings: Any) -> str:
        """The id of a new instance that runs."""
        instance_id = self.create(**settings)
        self.until(instance_id, "Running")
        return instance_id

    def log(self, instance_id: str) -> list[str]:
        request = models.ListSystemLogsRequest(instance_id=instance_id)
        return [line.content for line in self.client.list_system_logs(request).body.system_logs]

    def written(self, instance_id: str, line: str) -> None:
        """Returns as soon as the instance's processes have written `line`."""
        awaited(lambda: line in self.log(instance_id), f"{instance_id} to write {line!r}")

    def events(self, instance_id: str) -> str:
        request = models.GetInstanceEventsRequest()
        return "\n".join(self.client.get_instance_events(instance_id, request).body.events)

    def statuses(self, instance_id: str) -> list[str]:
        """Those of the last session, in their order."""
        request = models.GetLifecycleRequest(limit=1)
        (session,) = self.client.get_lifecycle(instance_id, request).body.lifecycle
        return [passage.status for passage in reversed(session)]

    def gone(self, instance_id: str) -> bool:
        listed = self.client.list_instances(models.ListInstancesRequest(instance_id=instance_id, resource_id="ALL"))
        return int(listed.body.total_count) == 0

    def advance(self, **duration: float) -> None:
        """Moves the emulated clock forward by `hours`, `minutes` and `seconds`."""
        units = {"hours": 3600, "minutes": 60, "seconds": 1}
        seconds = sum(units[unit] * amount for unit, amount in duration.items())
        httpx.post(f"{self.emulator.url}/_emulator/clock", json={"advance_s": seconds}).raise_for_status()

    def object(self, key: str) -> bytes | None:
        try:
            data: bytes = self.bucket.get_object(key).read()
        except oss2.exceptions.NoSuchKey:
            return None
        return data


def over(emulator: RunningEmulator) -> Dsw:
    """DSW and a bucket at `emulator`; the bucket is made when it is not there."""
    auth = oss2.AuthV4(ACCESS_KEY_ID, ACCESS_KEY_SECRET)
    bucket = oss2.Bucket(auth, emulator.url, BUCKET, region="cn-hangzhou", is_path_style=True)
    bucket.create_bucket()
    return Dsw(connect(Client, emulator), emulator, bucket)


@pytest.fixture
def dsw(emulator: RunningEmulator) -> Dsw:
    return over(emulator)


@pytest.fixture
def workspaces(emulator: RunningEmulator) -> Workspaces:
    return connect(Workspaces, emulator)
