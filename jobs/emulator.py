"""Starting and stopping the emulator, which is a program of its own: `python -m emulator`."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx

from engine.environment import ROOT, pulumi_environment
from jobs.problem import JobError

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 30.0

# They outlive this process, which Python takes for an oversight once nothing refers to them.
_STARTED: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class EmulatorProcess:
    """The emulator at `url`, running or not; what it keeps, and its log, lie in `data_dir`."""

    url: str
    data_dir: Path = ROOT / ".paistack" / "emulator"

    def pid(self) -> int | None:
        """The process that answers at the address, None when nobody does; JobError when it is another program."""
        health = self._health()
        return None if health is None else int(health["pid"])

    def elsewhere(self) -> Path | None:
        """Where the emulator at the address keeps its data, when that is not `data_dir`."""
        health = self._health()
        kept = None if health is None else Path(health["data_dir"])
        return None if kept == self.data_dir.resolve() else kept

    def _health(self) -> dict[str, str] | None:
        try:
            health = httpx.get(f"{self.url}/health", trust_env=False, timeout=5.0).json()
            return {name: str(health[name]) for name in ("pid", "data_dir")}
        except httpx.TransportError:
            return None
        except (KeyError, TypeError, ValueError):
            raise JobError(
                f"something that is not the emulator answers at {self.url}: stop it, or choose another port in "
                "paistack:target.emulator"
            ) from None

    def start(self) -> bool:
        """Starts it unless it runs, and waits until it answers; whether it was started now."""
        if self.pid() is not None:
            return False
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            process = subprocess.Popen(  # noqa: S603 our own program
                [sys.executable, "-m", "emulator", "--port", self._port, "--data-dir", str(self.data_dir)],
                cwd=ROOT,
                env=_plain_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # it outlives this command and its terminal
            )
        _STARTED.append(process)
        _await(
            lambda: self.pid() is not None or process.poll() is not None,
            START_TIMEOUT_S,
            f"the emulator did not answer at {self.url}; see {self.log}",
        )
        if process.poll() is not None:
            raise JobError(f"the emulator ended with status {process.returncode}:\n{self._last_words()}")
        return True

    def stop(self) -> bool:
        """Ends it in order, with its replicas; whether it ran."""
        pid = self.pid()
        if pid is None:
            return False
        os.kill(pid, signal.SIGTERM)
        _await(lambda: not _alive(pid), STOP_TIMEOUT_S, f"the emulator (process {pid}) does not end")
        return True

    def reset(self) -> None:
        """Forgets everything that was ever created; JobError when it does not run."""
        if self.pid() is None:
            raise JobError(f"the emulator does not run at {self.url}: `paistack emulator start`")
        httpx.post(f"{self.url}/_emulator/reset", trust_env=False, timeout=STOP_TIMEOUT_S).raise_for_status()

    @property
    def log(self) -> Path:
        return self.data_dir / "emulator.log"

    @property
    def _port(self) -> str:
        return str(urlsplit(self.url).port)

    def _last_words(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])


def _plain_environment() -> dict[str, str]:
    """Without proxies and keys: it calls nobody, and its replicas need none."""
    environment = pulumi_environment()
    unwanted = ("PROXY", "ALICLOUD_", "ALIBABA_CLOUD_", "PULUMI_")
    return {name: value for name, value in environment.items() if not any(part in name.upper() for part in unwanted)}


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """A child of this process that ended and was not waited for."""
    try:
        ended, _ = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return False
    return ended == pid


def _await(condition: Callable[[], bool], timeout_s: float, otherwise: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise JobError(f"{otherwise} (waited {timeout_s:.0f} s)")
        time.sleep(0.05)
