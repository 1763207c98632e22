"""Starting and stopping the emulator as a process of its own."""

import http.server
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.emulator import EmulatorProcess
from jobs.problem import JobError


@pytest.fixture
def process(tmp_path: Path) -> Iterator[EmulatorProcess]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = EmulatorProcess(f"http://127.0.0.1:{port}", tmp_path / "emulator")
    yield process
    process.stop()


def test_it_is_started_once_and_stopped_once(process: EmulatorProcess) -> None:
    assert process.pid() is None

    assert process.start()
    pid = process.pid()
    assert pid is not None
    assert not process.start()
    assert process.pid() == pid
    process.reset()

    assert process.stop()
    assert process.pid() is None
    assert not process.stop()


def test_one_that_belongs_to_another_checkout_is_told_apart(process: EmulatorProcess, tmp_path: Path) -> None:
    process.start()
    other = EmulatorProcess(process.url, tmp_path / "another")

    assert process.elsewhere() is None
    assert other.elsewhere() == process.data_dir.resolve()


def test_one_that_cannot_start_ends_with_its_own_words(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        mute.settimeout(0)
        process = EmulatorProcess(f"http://127.0.0.1:{mute.getsockname()[1]}", tmp_path / "emulator")

        with pytest.raises(JobError, match=r"ended with status 2:\n(.|\n)*cannot listen on 127.0.0.1"):
            process.start()


def test_resetting_one_that_does_not_run_says_how_to_start_it(process: EmulatorProcess) -> None:
    with pytest.raises(JobError, match=r"does not run at http://127.0.0.1:\d+: `paistack emulator start`"):
        process.reset()


def test_another_program_at_the_address_is_not_taken_for_it(tmp_path: Path) -> None:
    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        process = EmulatorProcess(f"http://127.0.0.1:{server.server_port}", tmp_path)
        with pytest.raises(JobError, match="something that is not the emulator answers at"):
            process.start()
        server.shutdown()
        thread.join()
