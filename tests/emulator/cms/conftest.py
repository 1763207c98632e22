"""CloudMonitor through the vendor's SDK."""

import pytest
from alibabacloud_cms20190101 import models
from alibabacloud_cms20190101.client import Client

from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.conftest import eas
from tests.emulator.sdk import connect

__all__ = ["eas"]


@pytest.fixture
def cms(emulator: RunningEmulator) -> Client:
    return connect(Client, emulator)


def put_contact(cms: Client, name: str = "anna", **changes: object) -> None:
    settings = {"describe": "on call", "channels": models.PutContactRequestChannels(mail="anna@example.com"), **changes}
    cms.put_contact(models.PutContactRequest(contact_name=name, **settings))


def put_group(cms: Client, name: str = "on-call", **changes: object) -> None:
    cms.put_contact_group(
        models.PutContactGroupRequest(contact_group_name=name, **{"contact_names": ["anna"], **changes})
    )
