"""One instance of a stress test, a process of its own: `python -m emulator.services.eas.benchmark.agent`.

It reads an Errand as JSON from its input, sends the requests, and writes one Second as JSON to its output after each
second; at the end of its input it stops. Latency counts from when a request was due, so that requests which had to
wait for their turn are not made to look fast.
"""

import asyncio
import sys
from collections import Counter

from pydantic import BaseModel, ConfigDict

from emulator.services.eas.benchmark.pressure import Interval, Pressure
from emulator.services.eas.benchmark.settings import BenchmarkSettings
from emulator.services.eas.dataplane.upstream import BrokenError, UnreachableError, Upstream

# In `scan` and `auto`; requests above them wait until one is answered.
MOST_AT_ONCE = 512
# What EAS's own tool answers for a request that took longer than its timeout, as the console's page says.
TIMED_OUT = 512
UNREACHABLE = 502
# What is left of a second at the end is told as one when it is most of one.
LEAST_OF_A_SECOND = 0.5
LONGEST_ERRAND = 256 * 1024 * 1024


class Errand(BaseModel):
    """Where to send what; `bodies` by turns."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    port: int
    path: str
    token: str
    bodies: list[bytes]
    settings: BenchmarkSettings


class Second(BaseModel):
    """What was answered during a second, or another time: latencies in milliseconds, and answers by status."""

    latencies_ms: list[float] = []
    statuses: Counter[int] = Counter()
    sent: int = 0
    received: int = 0

    def add(self, latency_ms: float, status: int, sent: int, received: int) -> None:
        self.latencies_ms.append(round(latency_ms, 3))
        self.statuses[status] += 1
        self.sent += sent
        self.received += received


class Agent:
    def __init__(self, errand: Errand) -> None:
        settings = errand.settings
        self._errand, self._settings = errand, settings
        headers = [tuple(line.split(":", 1)) for line in settings.http.headers]
        named = {name.lower().encode(): value.strip().encode() for name, value in headers}
        self._headers = [*({b"host": b"127.0.0.1", b"authorization": errand.token.encode()} | named).items()]
        self._upstream, self._second, self._interval = Upstream(), Second(), Second()
        self._number, self._told_at = 0, 0.0
        self._under_way: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        self._told_at = loop.time()
        told = asyncio.create_task(self._tell_every_second())
        sending = self._work() if self._settings.optional.mode == "manual" else self._press()
        try:
            async with asyncio.timeout(self._settings.duration_s):
                await sending
        except TimeoutError:
            pass
        finally:
            told.cancel()
            if loop.time() - self._told_at > LEAST_OF_A_SECOND:
                self._tell()
            for task in self._under_way:
                task.cancel()
            self._upstream.close()

    async def _work(self) -> None:
        """So many requests at a time, each followed by the next."""
        loop = asyncio.get_running_loop()

        async def worker() -> None:
            while True:
                await self._request(loop.time())

        await asyncio.gather(*(worker() for _ in range(self._settings.concurrency)))

    async def _press(self) -> None:
        """Requests at equal distances, whether those before are answered or not."""
        loop, pressure = asyncio.get_running_loop(), Pressure(self._settings)
        due = loop.time()
        judged = due + self._settings.optional.adjust_interval
        while True:
            await asyncio.sleep(max(0.0, due - loop.time()))
            while len(self._under_way) >= MOST_AT_ONCE:
                await asyncio.wait(self._under_way, return_when=asyncio.FIRST_COMPLETED)
            task = asyncio.create_task(self._request(due))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            due += 1 / pressure.qps
            if loop.time() >= judged:
                pressure.judge(self._ended_interval())
                judged += self._settings.optional.adjust_interval
                due = max(due, loop.time())  # what was not sent in time is not sent at the new load

    def _ended_interval(self) -> Interval:
        ended, self._interval = self._interval, Second()
        good = ended.statuses[200]
        return Interval(ended.latencies_ms, good, ended.statuses.total() - good)

    async def _request(self, due: float) -> None:
        body = self._errand.bodies[self._number % len(self._errand.bodies)]
        self._number += 1
        received = 0
        try:
            async with asyncio.timeout(self._settings.http.timeout / 1000):
                status, received = await self._answered(body)
        except TimeoutError:
            status = TIMED_OUT
        except (UnreachableError, BrokenError):
            status = UNREACHABLE
        latency_ms = (asyncio.get_running_loop().time() - due) * 1000
        for measured in (self._second, self._interval):
            measured.add(latency_ms, status, len(body), received)

    async def _answered(self, body: bytes) -> tuple[int, int]:
        method = self._settings.http.method.encode()
        connection = await self._upstream.send(
            self._errand.port, method, self._errand.path.encode(), self._headers, body
        )
        received = 0
        try:
            while not connection.complete:
                received += len(await connection.read())
        finally:
            self._upstream.release(connection)
        return connection.status, received

    async def _tell_every_second(self) -> None:
        """By the clock, also when telling takes a while."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._told_at + 1 - loop.time())
            self._tell()

    def _tell(self) -> None:
        ended, self._second = self._second, Second()
        sys.stdout.write(f"{ended.model_dump_json()}\n")
        sys.stdout.flush()
        self._told_at += 1


async def main() -> None:
    """Until the errand is done, or its input ends."""
    reader = asyncio.StreamReader(limit=LONGEST_ERRAND)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    errand = Errand.model_validate_json(await reader.readline())
    run, ended = asyncio.create_task(Agent(errand).run()), asyncio.create_task(reader.read())
    await asyncio.wait([run, ended], return_when=asyncio.FIRST_COMPLETED)
    if run.done():
        run.result()
    else:
        run.cancel()
        await asyncio.wait([run])


if __name__ == "__main__":
    asyncio.run(main())
