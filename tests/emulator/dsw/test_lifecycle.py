"""An instance's way from its creation to its deletion, with real processes."""

import psutil
from alibabacloud_pai_dsw20220101 import models

from tests.emulator.dsw.conftest import Dsw, awaited, start_command
from tests.emulator.refusals import refused


def processes_of(instance_id: str) -> list[psutil.Process]:
    def owner(process: psutil.Process) -> str:
        try:
            return str(process.environ().get("DSW_INSTANCE_ID", ""))
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return ""

    return [process for process in psutil.process_iter() if owner(process) == instance_id]


def test_an_instance_runs_its_start_command_stops_starts_again_and_goes(dsw: Dsw) -> None:
    instance_id = dsw.create(
        UserCommand=start_command("echo hello $WHO\necho $(pwd) >> visits\nsleep 600"),
        EnvironmentVariables={"WHO": "there"},
    )

    dsw.until(instance_id, "Running")
    dsw.written(instance_id, "hello there")
    assert dsw.statuses(instance_id) == ["Creating", "ResourceAllocating", "EnvPreparing", "Starting", "Running"]
    assert processes_of(instance_id)

    dsw.client.stop_instance(instance_id, models.StopInstanceRequest())
    assert dsw.get(instance_id).status == "Stopping"
    dsw.until(instance_id, "Stopped")
    assert processes_of(instance_id) == []

    dsw.client.start_instance(instance_id)
    dsw.until(instance_id, "Running")
    dsw.written(instance_id, "hello there")

    dsw.client.delete_instance(instance_id)
    awaited(lambda: dsw.gone(instance_id), "the instance to go")
    assert processes_of(instance_id) == []
    with refused("ValidationError", 404, "does not exist"):
        dsw.get(instance_id)
