"""What becomes of instances when the emulator ends: told to, killed, or reset."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from alibabacloud_pai_dsw20220101 import models

from tests.emulator.dsw.conftest import BUCKET, Dsw, awaited, over, start_command
from tests.emulator.dsw.test_lifecycle import processes_of
from tests.emulator.running import RunningEmulator

MOUNTED = [{"Uri": f"oss://{BUCKET}/team/", "MountPath": "/mnt/data"}]


@contextmanager
def emulator_process(data_dir: Path) -> Iterator[tuple[Dsw, "subprocess.Popen[str]"]]:
    """An emulator in a process of its own, which can be killed."""
    command = [sys.executable, "-m", "emulator", "--port", "0", "--data-dir", str(data_dir)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        line = next(line for line in process.stderr if "serving on" in line)
        url = line.split("serving on ")[1].split(",")[0]
        while not _answers(url):
            time.sleep(0.02)
        yield over(RunningEmulator(url, None)), process  # type: ignore[arg-type]
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.HTTPError:
        return False


def test_after_a_kill_the_instance_is_recovered_and_nothing_of_its_work_is_lost(tmp_path: Path) -> None:
    command = "echo line >> runs; wc -l < runs; cat /mnt/data/*; echo late > /mnt/data/result; echo written; sleep 600"
    with emulator_process(tmp_path) as (dsw, process):
        instance_id = dsw.running(Datasets=MOUNTED, UserCommand=start_command(command))
        dsw.written(instance_id, "written")
        left = processes_of(instance_id)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert all(each.is_running() for each in left)

    with emulator_process(tmp_path) as (dsw, _):
        dsw.until(instance_id, "Running")
        assert not any(each.is_running() for each in left)
        assert "Recovering" in dsw.statuses(instance_id)
        dsw.written(instance_id, "2")
        dsw.written(instance_id, "late")
        assert dsw.object("team/result") == b"late\n"


def test_when_the_emulator_ends_so_do_the_instances_and_they_come_back_with_it(tmp_path: Path) -> None:
    with emulator_process(tmp_path) as (dsw, _):
        instance_id = dsw.running(UserCommand=start_command("sleep 600"))
    assert processes_of(instance_id) == []

    with emulator_process(tmp_path) as (dsw, _):
        dsw.until(instance_id, "Running")
        assert processes_of(instance_id)


def test_a_stopped_instance_stays_stopped_over_a_restart(tmp_path: Path) -> None:
    with emulator_process(tmp_path) as (dsw, _):
        instance_id = dsw.running()
        dsw.client.stop_instance(instance_id, models.StopInstanceRequest())
        dsw.until(instance_id, "Stopped")

    with emulator_process(tmp_path) as (dsw, _):
        assert dsw.get(instance_id).status == "Stopped"


def test_a_reset_ends_every_process(dsw: Dsw) -> None:
    instance_id = dsw.running(UserCommand=start_command("sh -c 'setsid sleep 600 &'; sleep 600"))
    awaited(lambda: len(processes_of(instance_id)) >= 2, "its processes")

    httpx.post(f"{dsw.emulator.url}/_emulator/reset").raise_for_status()

    assert processes_of(instance_id) == []
    assert dsw.gone(instance_id)


@pytest.mark.parametrize("background", ["sleep 600 &", "setsid sleep 600 &", "nohup sleep 600 & exit 3"])
def test_what_the_start_command_leaves_in_the_background_runs_on_until_the_instance_stops(
    dsw: Dsw, background: str
) -> None:
    instance_id = dsw.running(UserCommand=start_command(f"{background}\n"))
    awaited(lambda: "start command exited" in dsw.events(instance_id), "the start command to end")

    awaited(lambda: [process.name() for process in processes_of(instance_id)] == ["sleep"], "sleep alone to run")
    dsw.client.delete_instance(instance_id)
    awaited(lambda: dsw.gone(instance_id), "the instance to go")
    assert processes_of(instance_id) == []
