"""What the emulator does before any service is asked."""

import subprocess
import sys

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
