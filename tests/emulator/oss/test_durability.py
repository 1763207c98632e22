"""What was acknowledged survives `kill -9`, and a large object passes through without being held in memory."""

import hashlib
import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx
import psutil
import pytest

from emulator.services.oss.content import INLINE_LIMIT
from tests.emulator.oss.conftest import Version4

GIB, MIB = 1024**3, 1024**2
Value = TypeVar("Value")


def until(condition: Callable[[], Value | None], within_s: float = 60) -> Value:
    end = time.monotonic() + within_s
    while time.monotonic() < end:
        if value := condition():
            return value
        time.sleep(0.01)
    raise AssertionError(f"not within {within_s} s")


class EmulatorProcess:
    """An emulator of its own on `data_dir`, until `end`."""

    def __init__(self, data_dir: Path) -> None:
        log = data_dir.with_suffix(".log")
        with log.open("w") as output:
            command = [sys.executable, "-m", "emulator", "--port", "0", "--data-dir", str(data_dir)]
            self.process = subprocess.Popen(command, stderr=output)
        port = until(lambda: re.search(r"serving on http://127.0.0.1:(\d+)", log.read_text()))[1]
        until(lambda: "startup complete" in log.read_text())
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{port}", auth=Version4(), trust_env=False, timeout=60)

    def end(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)
        self.process.wait()
        self.client.close()


@pytest.fixture
def process(tmp_path: Path) -> Iterator[EmulatorProcess]:
    started = EmulatorProcess(tmp_path / "data")
    assert started.client.put("/bucket/").status_code == 200
    yield started
    if started.process.poll() is None:
        started.end()


def content(name: str, size: int) -> bytes:
    return (hashlib.sha256(name.encode()).digest() * (size // 32 + 1))[:size]


def write_until_killed(client: httpx.Client, acknowledged: dict[str, int], sizes: tuple[int, ...]) -> None:
    number = 0
    while True:
        number += 1
        size = sizes[number % len(sizes)]
        name = f"{threading.get_ident()}-{number}"
        try:
            if client.put(f"/bucket/{name}", content=content(name, size)).status_code != 200:
                return
        except httpx.TransportError:
            return
        acknowledged[name] = size


def test_what_was_acknowledged_survives_a_kill_and_nothing_else_is_left(
    process: EmulatorProcess, tmp_path: Path
) -> None:
    acknowledged: dict[str, int] = {}
    arguments = (process.client, acknowledged, (100, 70_000, 1_000_000))
    writers = [threading.Thread(target=write_until_killed, args=arguments) for _ in range(4)]
    for writer in writers:
        writer.start()
    until(lambda: len(acknowledged) > 50)
    process.process.send_signal(signal.SIGKILL)
    for writer in writers:
        writer.join()
    process.process.wait()

    restarted = EmulatorProcess(tmp_path / "data")
    try:
        for name, size in acknowledged.items():
            assert restarted.client.get(f"/bucket/{name}").content == content(name, size), name
        listed = set(re.findall(r"<Key>([^<]+)</Key>", restarted.client.get("/bucket/?max-keys=1000").text))
        assert listed >= set(acknowledged)
        assert len(listed) <= len(acknowledged) + len(writers), "more than what each writer had under way"
        sizes = [int(restarted.client.head(f"/bucket/{name}").headers["content-length"]) for name in listed]
        large = [size for size in sizes if size > INLINE_LIMIT]
        assert len(list((tmp_path / "data" / "objects").iterdir())) == len(large), "files that belong to no object"
    finally:
        restarted.end()


def test_an_upload_that_is_cut_off_leaves_nothing(process: EmulatorProcess, tmp_path: Path) -> None:
    url = process.client.base_url
    request = process.client.build_request("PUT", "/bucket/cut", headers={"content-length": str(10 * MIB)})
    next(Version4().auth_flow(request))
    connection = http.client.HTTPConnection(url.host, url.port)
    connection.putrequest("PUT", "/bucket/cut", skip_host=True)
    for name, value in request.headers.items():
        connection.putheader(name, value)
    connection.endheaders(content("cut", 5 * MIB))
    objects = tmp_path / "data" / "objects"
    until(lambda: list(objects.iterdir()))
    connection.close()

    until(lambda: not list(objects.iterdir()))
    assert process.client.get("/bucket/cut").status_code == 404


@pytest.mark.slow
def test_a_gibibyte_passes_through_with_flat_memory(process: EmulatorProcess) -> None:
    block = os.urandom(MIB)
    server = psutil.Process(process.process.pid)
    before = server.memory_info().rss
    put = process.client.put(
        "/bucket/large", content=(block for _ in range(GIB // MIB)), headers={"content-length": str(GIB)}
    )
    assert put.status_code == 200
    received = hashlib.md5(usedforsecurity=False)
    with process.client.stream("GET", "/bucket/large") as got:
        for chunk in got.iter_bytes():
            received.update(chunk)
    peak = int(re.findall(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{server.pid}/status").read_text())[0]) * 1024

    assert f'"{received.hexdigest().upper()}"' == put.headers["etag"] == got.headers["etag"]
    assert peak - before < 64 * MIB, f"{(peak - before) / MIB:.0f} MiB more for 1 GiB"
