"""A replica as the cloud would run it: a process of its own, on a real socket, with its log."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from engine.environment import ROOT

START_TIMEOUT_S = 90


class Replica:
    """A running server. `log` grows by one parsed line for each that the process writes."""

    def __init__(self, model_dir: Path, options: Sequence[str] = (), environment: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "serving", "--model-dir", str(model_dir), "--port", "0", *options]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT / "model"), **(environment or {})},
        )
        self.log: list[dict[str, Any]] = []
        self._written = threading.Condition()
        self._ended = False
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.await_event('listening')['port']}"

    def await_event(self, event: str, **fields: object) -> dict[str, Any]:
        """The first log line with that event and those fields, now or as soon as it is written."""
        with self._written:
            self._written.wait_for(lambda: self._find(event, fields) or self._ended, START_TIMEOUT_S)
            found = self._find(event, fields)
        assert found, f"no {event!r} with {fields} in {self.log}"
        return found

    def await_metric(self, name: str, least: float) -> None:
        """Ask /metrics until the value of a line has got so far."""
        deadline = time.monotonic() + START_TIMEOUT_S
        while self.metric(name) < least:
            assert time.monotonic() < deadline, f"{name} stays at {self.metric(name)}"

    def metric(self, name: str) -> float:
        """The value of a line of /metrics, named with its labels."""
        values = dict(line.rsplit(" ", 1) for line in httpx.get(f"{self.url}/metrics").text.splitlines() if line)
        return float(values.get(name, 0))

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def wait(self) -> int:
        status = self.process.wait(START_TIMEOUT_S)
        self._reader.join()
        return status

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._written:
                self.log.append(json.loads(line))
                self._written.notify_all()
        with self._written:
            self._ended = True
            self._written.notify_all()

    def _find(self, event: str, fields: dict[str, object]) -> dict[str, Any] | None:
        wanted = {"event": event, **fields}
        return next((line for line in self.log if wanted.items() <= line.items()), None)


@contextmanager
def replica(
    model_dir: Path, options: Sequence[str] = (), environment: dict[str, str] | None = None
) -> Iterator[Replica]:
    """A replica that is ready, killed when the block ends."""
    running = Replica(model_dir, options, environment)
    try:
        running.await_event("ready")
        yield running
    finally:
        running.close()
