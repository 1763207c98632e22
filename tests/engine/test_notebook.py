"""A notebook's life with the real engine, our dynamic resources and the emulator."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from alibabacloud_pai_dsw20220101 import models

from cloud.dsw import dsw_client
from cloud.target import Credentials
from jobs.emulator import EmulatorProcess
from tests.engine.conftest import Deployment

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def deployed(
    emulator: EmulatorProcess, state_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A stack with one notebook and no service."""
    folder = tmp_path_factory.mktemp("notebook")
    (folder / "job.py").write_text("print('the job has run')\n")
    deployment = Deployment("nb", folder, state_folder, emulator)
    deployment.settings |= {
        "services": {},
        "notebooks": {
            "lab": {
                "workspace_id": "1000",
                "instance_type": "ecs.c7.large",
                "code": str(folder / "job.py"),
                "mounts": [{"path": "/mnt/out", "store": "results/"}],
                "start_command": "python3 /mnt/code/job.py > /mnt/out/log",
            }
        },
    }
    deployment.up()
    yield deployment
    deployment.destroy()
    assert instances(deployment) == []


def client(deployment: Deployment) -> Any:
    stack = deployment.open()
    return dsw_client(stack.target, Credentials.from_environment(stack.target, stack.pulumi.environment))


def instances(deployment: Deployment) -> list[Any]:
    found = client(deployment).list_instances(models.ListInstancesRequest(resource_id="ALL"))
    return list(found.body.instances)


def notebook(deployment: Deployment) -> dict[str, Any]:
    outputs: dict[str, Any] = deployment.open().pulumi.outputs()["notebooks"]["lab"]
    return outputs


def test_a_notebook_runs_and_stops_by_itself_one_day(deployed: Deployment) -> None:
    [instance] = instances(deployed)

    assert (instance.instance_name, instance.status) == ("lab_nb", "Running")
    assert instance.idle_instance_culler.max_idle_time_in_minutes == 60
    assert instance.instance_shutdown_timer.remaining_time_in_ms > 11 * 3600 * 1000
    assert notebook(deployed) == {"url": instance.instance_url, "instance_id": instance.instance_id}
    assert httpx.get(instance.instance_url, trust_env=False).status_code in (200, 302, 403, 503)


def test_a_second_up_changes_nothing(deployed: Deployment) -> None:
    deployed.up("--expect-no-changes")


def test_a_refresh_changes_nothing(deployed: Deployment) -> None:
    assert deployed.refresh("--expect-no-changes") == 0
    assert deployed.planned() == {}


def test_a_changed_setting_updates_only_what_it_should(deployed: Deployment) -> None:
    lab = deployed.settings["notebooks"]["lab"]
    lab |= {"access": "workspace", "stop_after_hours": 6, "idle_shutdown": None}
    before = notebook(deployed)["instance_id"]

    assert deployed.planned() == {
        "lab": "update",
        "lab-instance": "update",
        "lab-timer": "update",
        "lab-culler": "delete",
    }
    deployed.up()

    [instance] = instances(deployed)
    assert (instance.instance_id, instance.accessibility) == (before, "PUBLIC")
    assert instance.idle_instance_culler is None
    assert instance.instance_shutdown_timer.remaining_time_in_ms <= 6 * 3600 * 1000


def test_drift_is_seen_and_undone(deployed: Deployment) -> None:
    instance_id = notebook(deployed)["instance_id"]
    client(deployed).delete_instance_shutdown_timer(instance_id)

    assert deployed.refresh() == 0
    assert deployed.planned() == {"lab-timer": "create"}
    deployed.up()

    assert instances(deployed)[0].instance_shutdown_timer is not None
