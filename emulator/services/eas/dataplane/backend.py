"""An instance as the gateway sees it."""

import asyncio
from collections import deque

from emulator.services.eas.config.metadata import Rpc
from emulator.services.eas.dataplane.admission import Bucket, RejectedError
from emulator.services.eas.dataplane.faults import Faults

DEFAULT_WORKERS = 5
DEFAULT_QUEUE = 64


class Backend:
    """Where an instance listens, and the requests that it is working on.

    `rpc.worker_threads` requests are worked on at a time and `rpc.max_queue_size` more wait for them, 5 and 64 unless
    the other is declared alone. EAS documents the first for prebuilt processors and the second for queues, so an
    instance that declares neither takes every request at once.
    """

    def __init__(self, name: str, rpc: Rpc) -> None:
        self.name = name
        self.port = 0
        self.in_flight = 0
        self.faults: Faults | None = None
        bounded = rpc.worker_threads is not None or rpc.max_queue_size is not None
        self._workers = (rpc.worker_threads or DEFAULT_WORKERS) if bounded else 0
        self._longest_queue = rpc.max_queue_size or DEFAULT_QUEUE
        self._queue: deque[asyncio.Future[None]] = deque()
        self._working = 0
        self._idle: list[asyncio.Future[None]] = []
        self.rate = Bucket(rpc.rate_limit) if rpc.rate_limit else None

    def move(self, port: int) -> None:
        """The instance listens on `port` from now on."""
        self.port = port

    async def enter(self) -> None:
        """Counts a request in and waits for its turn; RejectedError with 450 when the queue is full.

        Each entered request must `leave`."""
        self.in_flight += 1
        if not self._workers:
            return
        if self._working < self._workers:
            self._working += 1
            return
        if len(self._queue) >= self._longest_queue:
            self._left()
            raise RejectedError(450, f"The queue of the instance is full ({self._longest_queue} requests wait)")
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._next()
            else:
                self._queue.remove(turn)
            self._left()
            raise

    def leave(self) -> None:
        if self._workers:
            self._next()
        self._left()

    async def idle(self) -> None:
        """Returns as soon as no request is in flight."""
        if self.in_flight:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._idle.append(waiter)
            await waiter

    def _next(self) -> None:
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._working -= 1

    def _left(self) -> None:
        self.in_flight -= 1
        if not self.in_flight:
            for waiter in self._idle:
                if not waiter.done():
                    waiter.set_result(None)
            self._idle.clear()
