"""What a person sees of a set-up: one line per stage, and a sign of life while a long one runs."""

import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from engine.setup.project import SetupError

HEARTBEAT_S = 30.0  # where a line cannot be redrawn
REDRAW_S = 1.0
WIDTH = 100
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x1f]")


class Stage:
    """A stage at work. Its commands' output goes to the log file; the latest line shows that it is alive.

    Commands inherit the file descriptors `held`: a lock on one of them lasts until the last command has ended, also
    where this process is killed and they go on.
    """

    def __init__(self, name: str, log: Path, held: tuple[int, ...] = ()) -> None:
        self.name = name
        self.hint = ""
        self._log = log
        self._held = held

    def run(
        self,
        command: list[str | Path],
        *,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        hint: Callable[[str], str] = str.strip,
        timeout_s: float = threading.TIMEOUT_MAX,
    ) -> str:
        """Run a command to its end and return what it printed. `hint` makes the sign of life from a line of output.

        Raises SetupError if it cannot be run, fails, or takes longer than `timeout_s`.
        """
        words = [str(part) for part in command]
        shown = shlex.join([Path(words[0]).name, *words[1:3]]) + (" …" if len(words) > 3 else "")
        try:
            child = subprocess.Popen(  # noqa: S603 the commands are written in this package
                words,
                cwd=cwd,
                env=env,
                text=True,
                errors="replace",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=self._held,
            )
        except OSError as error:
            raise SetupError(f"`{shown}` cannot be run: {error.strerror}.") from error
        with _limited(child, timeout_s):
            lines = list(self._follow(child, shlex.join(words), hint))
        if child.returncode:
            said = " ".join(line.strip() for line in deque(filter(str.strip, lines), maxlen=3))
            raise SetupError(f"`{shown}` {_ending(child.returncode)}: {said or 'it printed nothing'}")
        return "".join(lines)

    def _follow(self, child: "subprocess.Popen[str]", title: str, hint: Callable[[str], str]) -> Iterator[str]:
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("a", encoding="utf-8") as log:
            log.write(f"\n$ {title}\n")
            for line in child.stdout or ():
                log.write(line)
                log.flush()
                self.hint = hint(line) or self.hint
                yield line


@contextmanager
def _limited(child: "subprocess.Popen[str]", timeout_s: float) -> Iterator[None]:
    """Wait for a child at the end of the body; kill it when time is up, and when the body is cut off."""
    timer = threading.Timer(timeout_s, child.kill)
    timer.daemon = True
    timer.start()
    try:
        with child:
            try:
                yield
            except BaseException:
                child.kill()
                raise
    finally:
        timer.cancel()


def _ending(status: int) -> str:
    return f"failed with exit status {status}" if status > 0 else f"was ended by {signal.Signals(-status).name}"


def told(command: str, log: Path, work: Callable[[], None]) -> int:
    """Do a command's work and return its exit status; what stops it is told in one paragraph, not in a traceback."""
    try:
        work()
    except (SetupError, OSError) as error:
        whole = f" The whole output is in {log}." if log.exists() else ""
        sys.stderr.write(f"{command}: {str(error).rstrip('.')}.{whole}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write(f"\n{command}: interrupted. What is done is kept; run it again to go on.\n")
        return 130
    return 0


class Console:
    """Writes the stages' lines to a stream; a terminal gets a line that is redrawn, a log a heartbeat."""

    def __init__(
        self,
        log: Path,
        stream: TextIO = sys.stdout,
        *,
        held: tuple[int, ...] = (),
        clock: Callable[[], float] = time.monotonic,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        log.unlink(missing_ok=True)  # what an earlier run did is of no interest any more
        self._log = log
        self._held = held
        self._stream = stream
        self._clock = clock
        self._interval_s = REDRAW_S if stream.isatty() else heartbeat_s

    def say(self, name: str, text: str, took: str = "") -> None:
        """Write a stage's line: its name, what is there now, how long that took."""
        self._write(f"{name:<12}{text:<{WIDTH - 24}} {took:>10}".rstrip() + "\n")

    @contextmanager
    def stage(self, name: str) -> Iterator[Stage]:
        """Show signs of life while the body runs; a SetupError of the body gets the stage's name and the log's."""
        stage = Stage(name, self._log, self._held)
        ended = threading.Event()
        ticker = threading.Thread(target=self._tick, args=(stage, ended), daemon=True)
        ticker.start()
        try:
            yield stage
        except SetupError as error:
            raise SetupError(f"{name}: {error}") from error
        finally:
            ended.set()
            ticker.join()
            if self._stream.isatty():
                self._write("\r\x1b[K")

    def run(self, name: str, work: Callable[[Stage], str]) -> None:
        """Run a stage; what `work` returns says in a few words what is there now."""
        start = self._clock()
        with self.stage(name) as stage:
            done = work(stage)
        self.say(name, done, f"{self._clock() - start:.1f} s")

    def _tick(self, stage: Stage, ended: threading.Event) -> None:
        start = self._clock()
        redraw = self._stream.isatty()
        while not ended.wait(self._interval_s):
            elapsed = f"{self._clock() - start:.0f} s"
            hint = CONTROL.sub("", stage.hint)[: WIDTH - 24]
            line = f"{stage.name:<12}{hint:<{WIDTH - 24}} {elapsed:>10}"
            self._write(f"\r\x1b[K{line}" if redraw else f"{line} …\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()
