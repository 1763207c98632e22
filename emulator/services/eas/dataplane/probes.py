"""Health checks of an instance, as Kubernetes makes them ("EAS uses the Kubernetes health check mechanism")."""

import asyncio
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httptools

from emulator.services.eas.config.containers import HttpGet, Probe, TcpSocket
from emulator.services.eas.dataplane.process import Process
from emulator.services.eas.dataplane.relocation import Relocation

# What EAS does for a container without a readiness probe (`health_check` in the vendor's Python SDK).
TCP_PROBE = Probe(tcp_socket=TcpSocket())

# Before its first success a check is repeated this often, although failures are counted by the probe's own period: a
# container is found healthy sooner than by the kubelet, and given up no sooner.
EAGER_S = 0.02
EAGER_EXEC_S = 0.5


@dataclass(frozen=True)
class Place:
    """Where the checked container runs."""

    relocation: Relocation
    env: Mapping[str, str]
    directory: Path


async def until_healthy(probe: Probe, place: Place, *, give_up: bool) -> str:
    """Checks until the probe succeeds, and returns nothing; with `give_up`, what was wrong at the last check once it
    has failed for longer than its schedule allows."""
    loop = asyncio.get_running_loop()
    pause_s = EAGER_S if probe.exec is None else EAGER_EXEC_S
    allowed_until = loop.time() + probe.initial_delay_seconds + probe.period_seconds * probe.failure_threshold
    successes = 0
    while True:
        problem = await check(probe, place)
        successes = 0 if problem else successes + 1
        if successes >= probe.success_threshold:
            return ""
        if problem and give_up and loop.time() > allowed_until:
            return problem
        await asyncio.sleep(pause_s if problem else probe.period_seconds)


async def until_failed(probe: Probe, place: Place) -> str:
    """Checks every period until the probe has failed `failure_threshold` times in a row; what was wrong then."""
    failures = 0
    while True:
        await asyncio.sleep(probe.period_seconds)
        problem = await check(probe, place)
        failures = failures + 1 if problem else 0
        if failures >= probe.failure_threshold:
            return problem


async def check(probe: Probe, place: Place) -> str:
    """Makes one check; what was wrong, or nothing when it succeeded."""
    try:
        async with asyncio.timeout(probe.timeout_seconds):
            if probe.http_get is not None:
                return await _http_get(probe.http_get, place.relocation.probe_port(probe.http_get.port))
            if probe.tcp_socket is not None:
                return await _tcp_connect(place.relocation.probe_port(probe.tcp_socket.port))
            assert probe.exec is not None  # noqa: S101 - a probe has exactly one method
            return await _execute([place.relocation.text(word) for word in probe.exec.command], place)
    except TimeoutError:
        return f"no answer within {probe.timeout_seconds} s"
    except OSError as error:
        return str(error)


async def _tcp_connect(port: int) -> str:
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()
    return ""


async def _http_get(get: HttpGet, port: int) -> str:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    request = f"GET {get.path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUser-Agent: eas-probe\r\nConnection: close\r\n\r\n"
    headers = _Headers()
    parser = httptools.HttpResponseParser(headers)
    try:
        writer.write(request.encode())
        while not headers.complete:
            data = await reader.read(65536)
            if not data:
                return f"GET {get.path}: the connection was closed before an answer"
            parser.feed_data(data)
    except httptools.HttpParserError as error:
        return f"GET {get.path} answered something that is not HTTP: {error}"
    finally:
        writer.close()
    status = parser.get_status_code()
    return "" if 200 <= status < 400 else f"GET {get.path} answered {status}"


class _Headers:
    """A receiver for the parser that waits for nothing but the end of the headers."""

    complete = False

    def on_headers_complete(self) -> None:
        self.complete = True


async def _execute(command: list[str], place: Place) -> str:
    process = Process.start(command, place.env, place.directory, subprocess.DEVNULL)
    try:
        code = await asyncio.shield(process.exited)
    finally:
        process.kill()
    return "" if code == 0 else f"{command[0]} ended with {code}"
