"""The emulator is killed, and comes back to what it had acknowledged."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import psutil
import pytest
from alibabacloud_eas20210701 import models
from alibabacloud_eas20210701.client import Client
from alibabacloud_tea_openapi.utils_models import Config

from emulator.credentials import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from tests.emulator.eas.conftest import STAND_IN, Eas, service_json, until


class Killable:
    """An emulator in a process of its own."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.port = 0
        self.start()

    def start(self) -> None:
        self._log = (self.data_dir.parent / "emulator.log").open("w+")
        command = [sys.executable, "-m", "emulator", "--port", str(self.port), "--data-dir", str(self.data_dir)]
        self.process = subprocess.Popen(command, stderr=self._log)
        self.port = until(self._announced_port)
        until(self._is_up)
        key = {"access_key_id": ACCESS_KEY_ID, "access_key_secret": ACCESS_KEY_SECRET, "region_id": "cn-hangzhou"}
        config = Config(endpoint=f"127.0.0.1:{self.port}", protocol="HTTP", **key)
        self.eas = Eas(Client(config), f"http://127.0.0.1:{self.port}")

    def end(self, number: signal.Signals) -> None:
        self.eas.http.close()
        self.process.send_signal(number)
        self.process.wait()
        self._log.close()

    def _announced_port(self) -> int:
        served = re.search(r"serving on http://127.0.0.1:(\d+)", Path(self._log.name).read_text())
        return int(served[1]) if served else 0

    def _is_up(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{self.port}/health").is_success
        return False


@pytest.fixture
def killable(tmp_path: Path) -> Iterator[Killable]:
    emulator = Killable(tmp_path / "data")
    yield emulator
    emulator.end(signal.SIGTERM)
    assert stand_ins(emulator) == [], "a clean shutdown ends the instances"


def runs(process: psutil.Process) -> bool:
    try:
        return bool(process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def stand_ins(emulator: Killable) -> list[psutil.Process]:
    """Processes of this test's instances: their working directories are under its data directory."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if str(emulator.data_dir) in process.cwd() and runs(process):
                found.append(process)
    return found


def test_services_come_back_after_a_kill_with_nothing_doubled(killable: Killable) -> None:
    eas = killable.eas
    eas.deploy(service_json(instance=2, env={"VERSION": "1"}), labels={"team": "vision"})
    before = eas.describe()
    names = {instance["InstanceName"] for instance in eas.instances()}
    orphans = stand_ins(killable)

    killable.end(signal.SIGKILL)
    assert all(runs(process) for process in orphans), "the instances outlive a killed emulator"
    killable.start()

    after = killable.eas.wait()
    assert not any(runs(process) for process in orphans)
    assert len(stand_ins(killable)) == 2
    same = ("AccessToken", "ServiceId", "ServiceConfig", "CurrentVersion", "Labels", "CreateTime")
    assert [after[field] for field in same] == [before[field] for field in same]
    assert {instance["InstanceName"] for instance in killable.eas.instances()} == names
    assert [instance["RestartCount"] for instance in killable.eas.instances()] == [1, 1]
    assert killable.eas.ask().json()["version"] == "1"


@pytest.mark.parametrize("moment_s", [0.0, 0.05, 0.2, 0.4])
def test_an_update_that_was_cut_off_is_finished(killable: Killable, moment_s: float) -> None:
    killable.eas.deploy(service_json(instance=2, env={"VERSION": "1"}))
    killable.eas.update("svc", service_json(instance=2, env={"VERSION": "2"}, command=f"python {STAND_IN} 8000 0.2"))
    time.sleep(moment_s)  # when it is killed is what this test varies

    killable.end(signal.SIGKILL)
    killable.start()

    assert killable.eas.wait()["CurrentVersion"] == 2
    assert {killable.eas.ask().json()["version"] for _ in range(4)} == {"2"}
    assert len(killable.eas.instances()) == len(stand_ins(killable)) == 2


def test_a_deletion_that_was_cut_off_is_finished(killable: Killable) -> None:
    killable.eas.deploy(service_json(instance=2))
    killable.eas.call("delete_service", "svc", models.DeleteServiceRequest())

    killable.end(signal.SIGKILL)
    killable.start()

    until(killable.eas.gone)
    assert stand_ins(killable) == []


def test_a_stopped_service_stays_stopped(killable: Killable) -> None:
    killable.eas.deploy(service_json())
    killable.eas.call("stop_service", "svc", models.StopServiceRequest())
    killable.eas.wait(status="Stopped")

    killable.end(signal.SIGKILL)
    killable.start()

    assert killable.eas.status() == "Stopped"
    assert stand_ins(killable) == []


def test_services_come_back_after_an_orderly_end_too(killable: Killable) -> None:
    killable.eas.deploy(service_json(metadata={"rpc": {"enable_sigterm": True}}))
    killable.end(signal.SIGTERM)
    assert stand_ins(killable) == []

    killable.start()

    killable.eas.wait()
    assert any("ended in order" in line for line in killable.eas.logs(previous=True))


def test_a_process_whose_start_was_not_yet_recorded_is_ended_too(killable: Killable) -> None:
    killable.eas.deploy(service_json())
    (orphan,) = stand_ins(killable)
    killable.end(signal.SIGKILL)
    with sqlite3.connect(killable.data_dir / "state.sqlite") as connection:
        connection.execute("UPDATE documents SET body = replace(body, ?, ?)", (f'"pid":{orphan.pid},', '"pid":null,'))
    connection.close()

    killable.start()

    killable.eas.wait()
    assert not runs(orphan)
    assert len(stand_ins(killable)) == 1


def test_processes_of_others_are_left_alone(killable: Killable, tmp_path: Path) -> None:
    killable.eas.deploy(service_json())
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True, env=environment)
    killable.end(signal.SIGKILL)
    try:
        killable.start()
        killable.eas.wait()
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_reset_ends_every_instance(killable: Killable) -> None:
    killable.eas.deploy(service_json(instance=2))

    httpx.post(f"http://127.0.0.1:{killable.port}/_emulator/reset").raise_for_status()

    assert killable.eas.gone()
    assert stand_ins(killable) == []
    killable.eas.deploy(service_json())
