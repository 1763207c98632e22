"""Locks through the real SDK and the emulator."""

from typing import Any

import pytest
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.service_safety_lock import SafetyLockProvider
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json
from tests.providers.wire import on_the_wire


def inputs(lock: str, **changes: Any) -> Props:
    return on_the_wire(cluster_id="cn-hangzhou", service_name="svc", **({"lock": lock, "adopt": False} | changes))


@pytest.fixture
def provider(configured: ConfigureRequest, eas: Eas) -> SafetyLockProvider:
    eas.create(service_json("svc", instance=0))
    provider = SafetyLockProvider()
    provider.configure(configured)
    return provider


def test_a_lock_is_put_on_changed_and_taken_off(provider: SafetyLockProvider, eas: Eas) -> None:
    created = provider.create(inputs("dangerous"))
    assert eas.describe()["SafetyLock"] == "dangerous"
    assert provider.read(created.id, created.outs or {}).inputs == inputs("dangerous")

    provider.update(created.id, created.outs or {}, inputs("all"))
    assert eas.describe()["SafetyLock"] == "all"

    provider.delete(created.id, created.outs or {})
    assert eas.describe()["SafetyLock"] == "none"


def test_a_lock_of_others_is_replaced_only_by_order(provider: SafetyLockProvider, eas: Eas) -> None:
    call(eas, "UpdateServiceSafetyLock", "svc", Lock="all")

    with pytest.raises(CloudError, match=r"there is already a safety lock \(all\) on svc"):
        provider.create(inputs("none"))
    assert eas.describe()["SafetyLock"] == "all"
    provider.create(inputs("none", adopt=True))

    assert eas.describe()["SafetyLock"] == "none"


def test_a_lock_that_somebody_took_off_shows_as_drift(provider: SafetyLockProvider, eas: Eas) -> None:
    created = provider.create(inputs("all"))
    call(eas, "UpdateServiceSafetyLock", "svc", Lock="none")

    assert provider.read(created.id, created.outs or {}).inputs == inputs("none")
