"""RAM through the vendor's SDK."""

import json

import pytest
from alibabacloud_ram20150501.client import Client

from tests.emulator.conftest import RunningEmulator
from tests.emulator.sdk import connect

POLICY = json.dumps({"Version": "1", "Statement": [{"Effect": "Allow", "Action": "oss:Get*", "Resource": "*"}]})


def trust(**principal: object) -> str:
    """A trust policy for this principal; for the whole account when none is given."""
    named = principal or {"RAM": ["acs:ram::1234567890123456:root"]}
    return json.dumps(
        {"Version": "1", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": named}]}
    )


@pytest.fixture
def ram(emulator: RunningEmulator) -> Client:
    return connect(Client, emulator)
