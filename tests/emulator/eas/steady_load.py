"""A client that asks at a steady rate, whatever the answers take, and counts every request."""

import asyncio
import json
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

# How long each test keeps up its load; `make soak` sets 60.
LOAD_S = float(os.environ.get("PAISTACK_LOAD_S", "15"))
REQUESTS_A_SECOND = 100


@dataclass
class Tally:
    """`by_version` counts the good answers by the version that gave them, `lost` tells of every other request, and
    `refused` counts those of them that had an answer, by its status. `methods` are sent in turn; they and `rate`, in
    requests a second, may be changed under way."""

    methods: Sequence[str]
    rate: float = REQUESTS_A_SECOND
    sent: int = 0
    by_version: Counter[str] = field(default_factory=Counter)
    by_pid: dict[int, float] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)

    @property
    def answered(self) -> int:
        return self.by_version.total()


class SteadyLoad:
    """Runs in a thread of its own. Every request has its moment; a slow answer delays none of the others."""

    def __init__(
        self, endpoint: str, token: str, methods: Sequence[str] = ("GET",), rate: float = REQUESTS_A_SECOND
    ) -> None:
        self.tally = Tally(methods, rate)
        self._url, self._token = urlsplit(endpoint), token
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        """Sends nothing more, and returns when every request has its answer."""
        self._ended.set()
        self._thread.join()

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as requests:
            due = time.monotonic()
            while not self._ended.is_set():
                methods = self.tally.methods
                requests.create_task(self._ask(methods[self.tally.sent % len(methods)]))
                self.tally.sent += 1
                due += 1 / self.tally.rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
        for _, writer in self._idle:
            writer.close()

    async def _ask(self, method: str) -> None:
        try:
            async with asyncio.timeout(30):
                status, body = await self._exchange(method)
        except (OSError, ValueError, EOFError, TimeoutError) as error:
            self.tally.lost.append(f"{method}: {error!r}")
            return
        if status == 200:
            described = json.loads(body)
            self.tally.by_version[described["version"]] += 1
            self.tally.by_pid.setdefault(described["pid"], time.monotonic())
        else:
            self.tally.lost.append(f"{method}: {status} {body.decode()}")
            self.tally.refused[status] += 1

    def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """A connection that has been idle, and that the gateway has not closed meanwhile."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    async def _exchange(self, method: str) -> tuple[int, bytes]:
        """One request, sent once: unlike a general client this one never tries again by itself."""
        body = b"x" * 100 if method == "POST" else b""
        host, port = self._url.hostname, self._url.port
        reader, writer = self._connected() or await asyncio.open_connection(host, port)
        head = (
            f"{method} {self._url.path}?{self._url.query} HTTP/1.1\r\nHost: {host}:{port}\r\n"
            f"Authorization: {self._token}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        writer.write(head.encode() + body)
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        answer = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return int(lines[0].split()[1]), answer


@contextmanager
def steady_load(
    endpoint: str, token: str, methods: Sequence[str] = ("GET", "POST"), *, at_least_s: float = LOAD_S
) -> Iterator[Tally]:
    """Load during the block, for that long and for two seconds after its end; fails when a request was lost."""
    load = SteadyLoad(endpoint, token, methods)
    began = time.monotonic()
    load.start()
    try:
        yield load.tally
        time.sleep(max(2.0, began + at_least_s - time.monotonic()))
    finally:
        load.end()
    assert load.tally.lost == []
    assert load.tally.answered == load.tally.sent
    assert load.tally.sent > 0.8 * REQUESTS_A_SECOND * at_least_s, "the client could not keep up its rate"
