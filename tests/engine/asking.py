"""Requests to what a stack has deployed."""

import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import httpx


def answer(client: httpx.Client, endpoint: str) -> str:
    """The LEVEL of the service that answered, or what came instead."""
    got = client.get(endpoint)
    return got.text.split()[-1] if got.status_code == 200 else f"{got.status_code} {got.text}"


@contextmanager
def trickle(known: Mapping[str, str]) -> Iterator[Counter[str]]:
    """One request after the other to an `endpoint` with its `token` during the block, counted by who answered."""
    counted: Counter[str] = Counter()
    ended = threading.Event()

    def ask() -> None:
        with httpx.Client(headers={"Authorization": known["token"]}, trust_env=False) as client:
            while not ended.wait(0.02):
                counted[answer(client, known["endpoint"])] += 1

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield counted
    finally:
        ended.set()
        thread.join()
