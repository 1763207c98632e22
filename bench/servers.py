"""The servers under measurement: each a process of its own on the loopback, ended with its block."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

RIVALS = Path(__file__).parent.parent / ".venv-bench" / "bin"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def serving(
    command: Sequence[str], url: str, *, environment: Mapping[str, str] | None = None, limit_s: float = 60
) -> Iterator[float]:
    """Runs `command` until the block ends; yields the seconds that passed before `url` first answered well.

    TimeoutError when it does not answer within `limit_s`.
    """
    began = time.perf_counter()
    process = subprocess.Popen(
        command,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        # One client for all looks: making it takes longer than asking, on the processors that `command` starts on.
        with httpx.Client(timeout=5, trust_env=False, verify=False) as client:  # noqa: S501 - plain HTTP
            while not _answers(client, url):
                if process.poll() is not None or time.perf_counter() - began > limit_s:
                    raise TimeoutError(f"{command[0]} did not answer at {url}")
                time.sleep(0.005)
        yield time.perf_counter() - began
    finally:
        process.terminate()
        process.wait(30)


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return not client.get(url).is_server_error
    except httpx.TransportError:
        return False


@contextmanager
def emulator(*options: str) -> Iterator[tuple[str, float]]:
    """Our emulator with an empty state: its URL, and the seconds to its first answer."""
    port, data_dir = free_port(), tempfile.mkdtemp(prefix="paistack-bench-")
    command = [sys.executable, "-m", "emulator", "--port", str(port), "--data-dir", data_dir, "--log-level", "error"]
    command += options
    try:
        with serving(command, f"http://127.0.0.1:{port}/health") as seconds:
            yield f"http://127.0.0.1:{port}", seconds
    finally:
        shutil.rmtree(data_dir)


@contextmanager
def moto() -> Iterator[tuple[str, float]]:
    port = free_port()
    command = [str(RIVALS / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    with serving(command, f"http://127.0.0.1:{port}/moto-api/") as seconds:
        yield f"http://127.0.0.1:{port}", seconds


@contextmanager
def ministack() -> Iterator[tuple[str, float]]:
    port = free_port()
    environment = {"GATEWAY_PORT": str(port)}
    with serving(
        [str(RIVALS / "ministack")], f"http://127.0.0.1:{port}/_ministack/health", environment=environment
    ) as seconds:
        yield f"http://127.0.0.1:{port}", seconds
