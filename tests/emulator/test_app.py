"""What the emulator does before any service is asked."""

import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.emulator.conftest import RunningEmulator


def test_a_host_that_is_not_emulated_is_refused_and_never_reached(emulator: RunningEmulator) -> None:
    with httpx.Client(proxy=emulator.url) as client:
        answer = client.get("http://example.com/")

    assert answer.status_code == 403
    assert "does not stand in for example.com" in answer.json()["Message"]


@pytest.mark.parametrize("address", ["0.0.0.0", "192.168.1.5", "example.com"])
def test_only_the_loopback_can_be_listened_on(address: str) -> None:
    run = subprocess.run([sys.executable, "-m", "emulator", "--host", address], capture_output=True, text=True)

    assert run.returncode == 2
    assert f"{address} is not a loopback address" in run.stderr


def test_the_clock_moves_forward_only(emulator: RunningEmulator) -> None:
    before = httpx.get(f"{emulator.url}/_emulator/clock").json()["now"]
    moved = httpx.post(f"{emulator.url}/_emulator/clock", json={"advance_s": 86_400})
    refused = httpx.post(f"{emulator.url}/_emulator/clock", json={"advance_s": -1})

    assert moved.json()["now"][:10] > before[:10]
    assert refused.status_code == 400


def test_a_busy_port_is_named_with_the_way_out(emulator: RunningEmulator) -> None:
    port = emulator.url.rpartition(":")[2]
    run = subprocess.run([sys.executable, "-m", "emulator", "--port", port], capture_output=True, text=True)

    assert run.returncode == 2
    message = " ".join(run.stderr.replace("│", " ").split())
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use; choose another port, or 0" in message


def test_a_folder_that_an_emulator_uses_is_not_shared(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "emulator", "--port", "0", "--data-dir", str(tmp_path)]
    first = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    assert first.stderr is not None
    assert "serving on http://127.0.0.1:" in first.stderr.readline()

    second = subprocess.run(command, capture_output=True, text=True)
    first.kill()
    first.wait()
    third = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    assert second.returncode == 2
    assert f"in use by the emulator with the process id {first.pid}" in " ".join(
        second.stderr.replace("│", " ").split()
    )
    assert third.stderr is not None
    assert "serving on" in third.stderr.readline(), "a killed emulator keeps its folder"
    third.terminate()
    assert third.wait(timeout=30) == -signal.SIGTERM
    first.stderr.close()
    third.stderr.close()


@pytest.mark.parametrize("spoil", ["state.sqlite", "lock"])
def test_a_folder_that_cannot_hold_the_state_is_refused(tmp_path: Path, spoil: str) -> None:
    if spoil == "lock":
        (tmp_path / spoil).mkdir()
    else:
        (tmp_path / spoil).write_text("no database " * 100)
    command = [sys.executable, "-m", "emulator", "--port", "0", "--data-dir", str(tmp_path)]

    run = subprocess.run(command, capture_output=True, text=True)

    assert (run.returncode, "Traceback" in run.stderr) == (2, False)
    assert "cannot keep data in" in run.stderr
