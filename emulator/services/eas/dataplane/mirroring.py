"""Copies of requests to other services, whose answers nobody waits for."""

import asyncio
import time

from emulator.services.eas.dataplane import background
from emulator.services.eas.dataplane.admission import RejectedError
from emulator.services.eas.dataplane.exchange import Exchange
from emulator.services.eas.dataplane.routes import Access, Route, Routes
from emulator.services.eas.dataplane.upstream import BrokenError, UnreachableError, Upstream
from emulator.services.eas.records import ServiceKey

# A target that is slower than its copies come loses the copies, and nothing else does.
MOST_AT_ONCE = 64
PATIENCE_S = 30.0


class Mirroring:
    """Sends copies in the background, at most MOST_AT_ONCE at a time to each target."""

    def __init__(self, routes: Routes, upstream: Upstream) -> None:
        self._routes, self._upstream = routes, upstream
        self._under_way: dict[ServiceKey, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def copy(self, route: Route, exchange: Exchange, body: bytes) -> None:
        """Copies a request whose turn it is: with a ratio of 25, every fourth one.

        A request that arrives in pieces has no body to copy yet, and is left out.
        """
        if route.mirror is None or not route.mirrors_next():
            return
        for name in route.mirror.targets:
            target = self._routes.get(ServiceKey(route.key.region, name))
            if target is not None and self._under_way.get(target.key, 0) < MOST_AT_ONCE:
                task = background.start(self._send(target, exchange, body), f"mirror to {name}")
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    def close(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _send(self, target: Route, exchange: Exchange, body: bytes) -> None:
        self._under_way[target.key] = self._under_way.get(target.key, 0) + 1
        began = time.perf_counter()
        status, instance = 0, ""
        try:
            async with asyncio.timeout(PATIENCE_S):
                status, instance = await self._asked(target, exchange, body)
        except RejectedError as rejection:
            status = rejection.status
        except TimeoutError:
            status = 408
        except (UnreachableError, BrokenError):
            status = 502
        finally:
            self._under_way[target.key] -= 1
        path = exchange.target.decode("latin-1")
        latency_ms = (time.perf_counter() - began) * 1000
        target.accesses.append(
            Access(time.time(), exchange.method, path, status, latency_ms, instance, exchange.request_id)
        )

    async def _asked(self, target: Route, exchange: Exchange, body: bytes) -> tuple[int, str]:
        target.admit()
        backend = target.choose(())
        assert backend is not None  # noqa: S101 - none was tried before
        await backend.enter()
        try:
            connection = await self._upstream.send(
                backend.port, exchange.method.encode(), exchange.target, exchange.forwarded_headers(), body
            )
            try:
                while not connection.complete:
                    await connection.read()
            finally:
                self._upstream.release(connection)
            return connection.status, backend.name
        finally:
            backend.leave()
