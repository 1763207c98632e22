"""An emulator of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emulator.running import RunningEmulator, run_emulator

__all__ = ["RunningEmulator"]


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[RunningEmulator]:
    with run_emulator(tmp_path / "emulator") as running:
        yield running
