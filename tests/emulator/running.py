"""An emulator in this process, on a real socket, whose answers are held against the vendor's SDKs."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn

from emulator.app import Emulator
from emulator.server import server
from emulator.state import Settings, State
from tests.emulator.contract import ContractChecked


@dataclass(frozen=True)
class RunningEmulator:
    """`url` is the bare endpoint, which is also the proxy's address."""

    url: str
    state: State

    @property
    def endpoint(self) -> str:
        """Host and port, as the SDKs' `endpoint` takes it."""
        return self.url.removeprefix("http://")


@contextmanager
def run_emulator(data_dir: Path) -> Iterator[RunningEmulator]:
    """An emulator over `data_dir` until the block ends; fails when it answered something that the SDK does not know."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    started: list[tuple[State, ContractChecked, uvicorn.Server]] = []

    def serve() -> None:
        # SQLite connections belong to the thread that opened them.
        state = State(Settings(data_dir=data_dir, port=port))
        checked = ContractChecked(Emulator(state))
        started.append((state, checked, server(checked)))
        started[0][-1].run([listener])

    thread = threading.Thread(target=serve)
    thread.start()
    while not (started and started[0][-1].started):
        assert thread.is_alive(), "the emulator did not start"
        time.sleep(0.001)
    state, checked, running = started[0]
    try:
        yield RunningEmulator(f"http://127.0.0.1:{port}", state)
    finally:
        running.should_exit = True
        thread.join()
    assert checked.problems == [], "answers that the SDK does not know"
