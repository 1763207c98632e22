"""Operations of the SDK by name and document, and load on services."""

import inspect
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from alibabacloud_eas20210701 import models

from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.conftest import REGION, Eas


def call(eas: Eas, operation: str, *path: str, **document: Any) -> dict[str, Any]:
    """Calls `CreateServiceMirror`, say, with the names on the wire as keywords; `path` comes behind the region."""
    method = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in operation).lstrip("_")
    method = method.replace("_d_link", "_dlink")
    function = getattr(eas.client, method)
    parameters = list(inspect.signature(function).parameters)
    arguments: list[Any] = list(path)
    if "cluster_id" in parameters:
        arguments.insert(parameters.index("cluster_id"), REGION)  # not always the first one
    if "request" in parameters:
        arguments.append(getattr(models, f"{operation}Request")().from_map(document))
    return dict(function(*arguments).body.to_map())


def advance(emulator: RunningEmulator, seconds: float) -> None:
    """Moves the emulator's clock."""
    httpx.post(f"{emulator.url}/_emulator/clock", json={"advance_s": seconds}).raise_for_status()


@contextmanager
def load(endpoint: str, token: str, requests_a_second: float) -> Iterator[list[int]]:
    """Asks for `endpoint` all the time; the statuses of the answers."""
    statuses: list[int] = []
    ended = threading.Event()

    def ask() -> None:
        with httpx.Client(headers={"Authorization": token}, timeout=10) as client:
            due = time.monotonic()
            while not ended.wait(max(0.0, due - time.monotonic())):
                statuses.append(client.get(endpoint).status_code)
                due += 1 / requests_a_second

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield statuses
    finally:
        ended.set()
        thread.join()
