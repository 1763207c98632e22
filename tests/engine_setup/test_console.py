import fcntl
import io
import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from engine.setup.console import Console, Stage, told
from engine.setup.project import SetupError


def shell(script: str) -> list[str | Path]:
    return ["sh", "-c", script]


def test_output_is_returned_and_logged_with_its_command(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert Stage("engine", log).run(shell("echo out; echo err >&2")) == "out\nerr\n"
    assert log.read_text() == "\n$ sh -c 'echo out; echo err >&2'\nout\nerr\n"


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (shell("echo one; echo two; echo three; echo four; exit 3"), "exit status 3: two three four"),
        (shell("exit 3"), "exit status 3: it printed nothing"),
        (shell("kill -TERM $$"), "was ended by SIGTERM"),
        (["/does/not/exist"], "`exist` cannot be run: No such file or directory"),
    ],
)
def test_a_failure_says_what_ended_how(tmp_path: Path, command: list[str | Path], error: str) -> None:
    with pytest.raises(SetupError, match=re.escape(error)):
        Stage("engine", tmp_path / "log").run(command)


def test_a_command_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="was ended by SIGKILL"):
        Stage("engine", tmp_path / "log").run(["sleep", "60"], timeout_s=0.1)


def test_the_name_of_the_stage_is_told_with_its_error(tmp_path: Path) -> None:
    def fail(_stage: Stage) -> str:
        raise SetupError("no route")

    with pytest.raises(SetupError, match=r"^engine: no route$"):
        Console(tmp_path / "log", io.StringIO()).run("engine", fail)


def test_a_stage_is_one_line_with_its_time(tmp_path: Path) -> None:
    out = io.StringIO()
    times = iter((10.0, 10.0, 263.5))
    Console(tmp_path / "log", out, clock=lambda: next(times, 0.0)).run("engine", lambda _: "built")
    assert " ".join(out.getvalue().split()) == "engine built 253.5 s"


class Heard(io.StringIO):
    """A stream that says when something was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.something = threading.Event()

    def write(self, text: str, /) -> int:
        length = super().write(text)
        self.something.set()
        return length


def test_a_long_stage_gives_signs_of_life_in_a_log(tmp_path: Path) -> None:
    out = Heard()

    def work(stage: Stage) -> str:
        stage.hint = "\x1b[1m213 modules\x1b[0m downloaded\n"
        assert out.something.wait(10)
        return "built"

    Console(tmp_path / "log", out, heartbeat_s=0.01).run("engine", work)
    first, last = out.getvalue().splitlines()[0], out.getvalue().splitlines()[-1]
    assert first.startswith("engine      213 modules downloaded")
    assert "built" in last
    assert "\x1b" not in out.getvalue()


def test_an_error_is_one_paragraph_with_the_log(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"

    def fail() -> None:
        log.write_text("everything")
        raise SetupError("engine: no route.")

    assert told("make setup", log, fail) == 1
    assert capsys.readouterr().err == f"make setup: engine: no route. The whole output is in {log}.\n"


def test_a_full_disk_is_not_a_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        raise OSError(28, "No space left on device", "/somewhere")

    assert told("make setup", tmp_path / "log", fail) == 1
    assert capsys.readouterr().err == "make setup: [Errno 28] No space left on device: '/somewhere'.\n"


def test_an_interruption_ends_the_command_that_runs(tmp_path: Path) -> None:
    """A subprocess is interrupted as by Ctrl-C, and must take its own child along."""
    code = (
        "import signal, sys; from pathlib import Path; from engine.setup.console import Stage, told\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # which is ignored in background jobs of a shell\n"
        "log = Path(sys.argv[1])\n"
        "sys.exit(told('make setup', log, lambda: Stage('engine', log).run(['sh', '-c', 'echo $$; exec sleep 60'],"
        " hint=lambda line: print(line, flush=True) or '') and None))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path / "log")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path.cwd())},
    ) as outer:
        assert outer.stdout is not None
        child = psutil.Process(int(outer.stdout.readline()))
        outer.send_signal(signal.SIGINT)
        _, error = outer.communicate(timeout=20)
    assert outer.returncode == 130
    assert "interrupted. What is done is kept" in error
    assert not child.is_running()


def test_a_lock_outlives_a_killed_set_up_until_its_command_has_ended(tmp_path: Path) -> None:
    lock, started, finish = (tmp_path / name for name in ("lock", "started", "finish"))
    os.mkfifo(started)
    os.mkfifo(finish)
    code = (
        "import fcntl, sys; from pathlib import Path; from engine.setup.console import Stage\n"
        "lock = open(sys.argv[1], 'w'); fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "Stage('engine', Path(sys.argv[1] + '.log'), (lock.fileno(),)).run(['sh', '-c', sys.argv[2]])"
    )
    arguments = [sys.executable, "-c", code, str(lock), f"echo > {started}; cat {finish}"]
    with subprocess.Popen(arguments, env={**os.environ, "PYTHONPATH": str(Path.cwd())}) as outer:
        started.read_text()
        outer.kill()
    with lock.open() as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finish.write_text("go on\n")
        fcntl.flock(file, fcntl.LOCK_EX)  # ends when the command has
