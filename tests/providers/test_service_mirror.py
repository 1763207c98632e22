"""Copied requests through the real SDK and the emulator."""

from typing import Any

import pytest
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.service_mirror import MirrorProvider
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json
from tests.providers.wire import on_the_wire


def inputs(**changes: Any) -> Props:
    whole = {"targets": ["shadow"], "percent": 25, "adopt": False} | changes
    return on_the_wire(cluster_id="cn-hangzhou", service_name="svc", **whole)


@pytest.fixture
def provider(configured: ConfigureRequest, eas: Eas) -> MirrorProvider:
    for name in ("svc", "shadow", "other"):
        eas.create(service_json(name, instance=0))
    provider = MirrorProvider()
    provider.configure(configured)
    return provider


def mirror(eas: Eas) -> tuple[str, str]:
    described = call(eas, "DescribeServiceMirror", "svc")
    return described["Ratio"], described["Target"]


def test_a_mirror_is_made_changed_and_removed(provider: MirrorProvider, eas: Eas) -> None:
    created = provider.create(inputs())
    assert mirror(eas) == ("25", "shadow")
    assert provider.read(created.id, created.outs or {}).inputs == inputs()

    provider.update(created.id, created.outs or {}, inputs(percent=100, targets=["other", "shadow"]))
    assert mirror(eas) == ("100", "other,shadow")

    provider.delete(created.id, created.outs or {})
    provider.delete(created.id, created.outs or {})
    assert provider.read(created.id, created.outs or {}).id == ""


def test_a_mirror_that_is_there_is_taken_over_only_by_order(provider: MirrorProvider, eas: Eas) -> None:
    call(eas, "CreateServiceMirror", "svc", Ratio=1, Target=["other"])

    with pytest.raises(CloudError, match="there is already a mirror of svc"):
        provider.create(inputs())
    assert mirror(eas) == ("1", "other")
    provider.create(inputs(adopt=True))

    assert mirror(eas) == ("25", "shadow")


def test_drift_shows_and_another_order_of_targets_is_none(provider: MirrorProvider, eas: Eas) -> None:
    created = provider.create(inputs(targets=["shadow", "other"]))
    call(eas, "UpdateServiceMirror", "svc", Ratio=25, Target=["other", "shadow"])
    assert provider.read(created.id, created.outs or {}).inputs == inputs(targets=["shadow", "other"])

    call(eas, "UpdateServiceMirror", "svc", Ratio=30, Target=["other"])

    assert provider.read(created.id, created.outs or {}).inputs == inputs(targets=["other"], percent=30)


def test_the_clouds_refusal_reaches_the_user(provider: MirrorProvider) -> None:
    with pytest.raises(CloudError, match=r"InvalidParameter: .*its own mirror target"):
        provider.create(inputs(targets=["svc"]))
