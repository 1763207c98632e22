"""A bounded load on one URL of the loopback; prints the seconds it took and the latencies in milliseconds as JSON.

`rate` requests a second are sent on schedule, whether or not earlier ones were answered; without a rate, each of
`workers` sends its next request when the last one is answered.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

import aiohttp


async def main(url: str, token: str, body: bytes, requests: int, workers: int, rate: float | None) -> None:
    latencies: list[float] = []
    numbers = iter(range(requests))
    began = time.perf_counter()

    async def send(session: aiohttp.ClientSession) -> None:
        sent = time.perf_counter()
        async with session.post(url, data=body) as answer:
            await answer.read()
            answer.raise_for_status()
        latencies.append((time.perf_counter() - sent) * 1000)

    async def work(session: aiohttp.ClientSession) -> None:
        for number in numbers:
            if rate is not None:
                await asyncio.sleep(max(0.0, began + number / rate - time.perf_counter()))
            await send(session)

    headers = {"Authorization": token, "Content-Type": "image/png"}
    async with aiohttp.ClientSession(headers=headers, connector=aiohttp.TCPConnector(limit=workers)) as session:
        await asyncio.gather(*(work(session) for _ in range(workers)))
    json.dump({"seconds": time.perf_counter() - began, "latencies_ms": latencies}, sys.stdout)


if __name__ == "__main__":
    _, target, secret, image, total, parallel, per_second = sys.argv
    asyncio.run(main(target, secret, Path(image).read_bytes(), int(total), int(parallel), float(per_second) or None))
