"""The vendor's SDK clients, pointed at an emulator."""

from typing import Any, TypeVar

from alibabacloud_tea_openapi.utils_models import Config

from emulator.credentials import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from tests.emulator.conftest import RunningEmulator

Client = TypeVar("Client")


def connect(client: type[Client], emulator: RunningEmulator, **config: Any) -> Client:
    """A client of the class `client` that calls the emulator's bare endpoint; `config` changes its configuration."""
    settings = {
        "access_key_id": ACCESS_KEY_ID,
        "access_key_secret": ACCESS_KEY_SECRET,
        "endpoint": emulator.endpoint,
        "protocol": "HTTP",
        "region_id": "cn-hangzhou",
    }
    return client(Config(**{**settings, **config}))  # type: ignore[call-arg]
