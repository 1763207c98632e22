"""What a run prints is in the file while the run goes on, and whole when it has ended."""

import os
import threading
from pathlib import Path

import pytest

from bench.measure import until
from model.record import record


@pytest.fixture
def pipe() -> tuple[int, int]:
    return os.pipe()


def test_what_was_printed_is_there_before_the_end_and_after_it(tmp_path: Path, pipe: tuple[int, int]) -> None:
    source, sink = pipe
    file = tmp_path / "log"
    file.write_text("of the run before")
    copying = threading.Thread(target=record, args=(source, file, 0.05), daemon=True)
    copying.start()
    os.write(sink, b"epoch 1\n")
    os.write(sink, b"epoch 2\n")
    until(lambda: file.read_bytes() == b"epoch 1\nepoch 2\n", limit_s=10)
    os.write(sink, b"done\n")
    os.close(sink)
    copying.join(10)
    assert file.read_text() == "epoch 1\nepoch 2\ndone\n"


def test_additions_are_few(tmp_path: Path, pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    source, sink = pipe
    opened: list[str] = []
    whole = Path.open

    def counted(path: Path, mode: str) -> object:
        opened.append(mode)
        return whole(path, mode)

    monkeypatch.setattr(Path, "open", counted)
    for number in range(1000):
        os.write(sink, b"%d\n" % number)
    os.close(sink)
    monkeypatch.setattr(Path, "write_bytes", lambda path, content: path.touch() or len(content))
    record(source, tmp_path / "log", 3600)
    assert opened.count("ab") <= 2


def test_a_file_that_cannot_be_written_for_a_while_misses_nothing(
    tmp_path: Path, pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, sink = pipe
    file = tmp_path / "log"
    whole, failures = Path.open, iter([OSError("the mount hangs")])

    def failing(path: Path, mode: str) -> object:
        if mode == "ab" and (failure := next(failures, None)):
            raise failure
        return whole(path, mode)

    monkeypatch.setattr(Path, "open", failing)
    file.touch()
    copying = threading.Thread(target=record, args=(source, file, 0.05), daemon=True)
    copying.start()
    os.write(sink, b"first\n")
    until(lambda: file.read_bytes() == b"first\n", limit_s=10)
    os.close(sink)
    copying.join(10)
    assert file.read_bytes() == b"first\n"
