"""AIWorkSpace through the vendor's SDK."""

import pytest
from alibabacloud_aiworkspace20210204.client import Client

from tests.emulator.conftest import RunningEmulator
from tests.emulator.sdk import connect


@pytest.fixture
def workspace(emulator: RunningEmulator) -> Client:
    return connect(Client, emulator)
