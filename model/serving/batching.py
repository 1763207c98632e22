"""Micro-batches: what waits at one time goes through the network together."""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .images import Pixels
from .metrics import Histogram


class Batcher:
    """Puts the images that wait at one time into one forward pass, on one thread.

    While a pass runs, what arrives waits for the next. An idle network waits, `max_wait_s` at most, only while other
    requests are being decoded; a single request never waits.
    """

    def __init__(self, thread: ThreadPoolExecutor, max_batch: int, max_wait_s: float) -> None:
        self.decoding = 0
        self.sizes = Histogram((1, 2, 4, 8, 16, 32, 64))
        self.seconds = Histogram((0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1))
        self._waiting: deque[tuple[Pixels, asyncio.Future[NDArray[np.float32]]]] = deque()
        self._changed = asyncio.Event()
        self._thread, self._max_batch, self._max_wait_s = thread, max_batch, max_wait_s

    @property
    def depth(self) -> int:
        """Images that wait for a forward pass."""
        return len(self._waiting)

    @contextlib.contextmanager
    def announced(self) -> Any:
        """While inside, an image is on its way."""
        self.decoding += 1
        try:
            yield
        finally:
            self.decoding -= 1
            self._changed.set()

    async def classify(self, images: Sequence[Pixels]) -> list[NDArray[np.float32]]:
        """The probabilities for each image, float32 (classes,)."""
        loop = asyncio.get_running_loop()
        answers: list[asyncio.Future[NDArray[np.float32]]] = [loop.create_future() for _ in images]
        self._waiting.extend(zip(images, answers, strict=True))
        self._changed.set()
        return await asyncio.gather(*answers)

    async def run(self, classify: Callable[[Pixels], NDArray[np.float32]]) -> None:
        """Serve batches until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._until(lambda: self.depth > 0)
            with contextlib.suppress(TimeoutError):
                await self._until(self._worth_starting, self._max_wait_s)
            batch = [self._waiting.popleft() for _ in range(min(self.depth, self._max_batch))]
            started = time.perf_counter()
            passed = loop.run_in_executor(self._thread, classify, np.stack([image for image, _ in batch]))
            await asyncio.wait([passed])
            self.sizes.observe(len(batch))
            self.seconds.observe(time.perf_counter() - started)
            self._answer([answer for _, answer in batch], passed)

    def _worth_starting(self) -> bool:
        return self.decoding == 0 or self.depth >= self._max_batch

    async def _until(self, holds: Callable[[], bool], timeout_s: float | None = None) -> None:
        async with asyncio.timeout(timeout_s):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    @staticmethod
    def _answer(answers: Sequence[asyncio.Future[Any]], passed: asyncio.Future[NDArray[np.float32]]) -> None:
        error = passed.exception()
        for i, answer in enumerate(answers):
            if answer.done():
                continue
            if error:
                answer.set_exception(error)
            else:
                answer.set_result(passed.result()[i])
