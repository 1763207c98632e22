"""When a forward pass starts, and with which images."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager

import numpy as np
import pytest
from numpy.typing import NDArray

from model.serving.batching import Batcher
from model.serving.images import Pixels

IMAGE = np.zeros((1, 2, 2), np.uint8)
FOREVER_S = 3600.0


class Passes:
    """A network that records its batches and works only while it is let."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.begun = threading.Semaphore(0)
        self.let = threading.Event()
        self.let.set()

    def __call__(self, images: Pixels) -> NDArray[np.float32]:
        self.sizes.append(len(images))
        self.begun.release()
        self.let.wait()
        return images.reshape(len(images), -1).astype(np.float32)


@asynccontextmanager
async def batching(
    classify: Callable[[Pixels], NDArray[np.float32]], *, max_batch: int = 4, max_wait_s: float = FOREVER_S
) -> AsyncIterator[Batcher]:
    with ThreadPoolExecutor(1) as thread:
        batcher = Batcher(thread, max_batch, max_wait_s)
        serving = asyncio.create_task(batcher.run(classify))
        yield batcher
        serving.cancel()


async def test_a_single_image_does_not_wait_for_company() -> None:
    passes = Passes()
    async with batching(passes) as batcher, asyncio.timeout(30):
        await batcher.classify([IMAGE])
    assert passes.sizes == [1]


async def test_what_arrives_during_a_pass_shares_the_next_up_to_the_largest_batch() -> None:
    passes = Passes()
    passes.let.clear()
    async with batching(passes) as batcher, asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(batcher.classify([IMAGE]))
        await asyncio.to_thread(passes.begun.acquire)
        for _ in range(6):
            tasks.create_task(batcher.classify([IMAGE]))
        while batcher.depth < 6:
            await asyncio.sleep(0)
        passes.let.set()
    assert passes.sizes == [1, 4, 2]


async def test_an_idle_network_waits_for_images_that_are_being_decoded() -> None:
    passes, decoded = Passes(), asyncio.Event()

    async def decode_and_classify(batcher: Batcher) -> None:
        with batcher.announced():
            await decoded.wait()
        await batcher.classify([IMAGE])

    async with batching(passes) as batcher, asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        tasks.create_task(decode_and_classify(batcher))
        await asyncio.sleep(0)
        tasks.create_task(batcher.classify([IMAGE]))
        while batcher.depth < 1:
            await asyncio.sleep(0)
        decoded.set()
    assert passes.sizes == [2]


async def test_the_wait_for_a_slow_decoder_ends() -> None:
    passes = Passes()
    async with batching(passes, max_wait_s=0.001) as batcher, asyncio.timeout(30):
        with batcher.announced():
            await batcher.classify([IMAGE])
    assert passes.sizes == [1]


async def test_each_image_gets_its_own_answer() -> None:
    async with batching(Passes()) as batcher, asyncio.timeout(30):
        answers = await batcher.classify([IMAGE + i for i in range(9)])
    assert [each[0] for each in answers] == list(range(9))


async def test_a_pass_that_fails_fails_its_images_and_no_others() -> None:
    def breaks_on_nines(images: Pixels) -> NDArray[np.float32]:
        if images.max() == 9:
            raise RuntimeError("nine")
        return images.reshape(len(images), -1).astype(np.float32)

    async with batching(breaks_on_nines) as batcher, asyncio.timeout(30):
        with pytest.raises(RuntimeError, match="nine"):
            await batcher.classify([IMAGE + 9])
        assert (await batcher.classify([IMAGE + 8]))[0][0] == 8
