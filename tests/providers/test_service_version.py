"""Going back to a kept version, through the real SDK and the emulator."""

import json
from typing import Any

import pytest
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.service_revision import RevisionProvider
from providers.service_version import VersionProvider
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json
from tests.providers.wire import on_the_wire


def inputs(version: int) -> Props:
    return on_the_wire(cluster_id="cn-hangzhou", service_name="svc", version=version, timeout_s=20)


@pytest.fixture
def provider(configured: ConfigureRequest, eas: Eas) -> VersionProvider:
    """With a service that runs its third version."""
    eas.deploy(service_json(env={"VERSION": "1"}, metadata={"rpc": {"keepalive": 9000}}))
    for version in "23":
        eas.update("svc", service_json(env={"VERSION": version}), update_type="replace")
        eas.wait()
    provider = VersionProvider()
    provider.poll_s = 0.05
    provider.configure(configured)
    return provider


def test_the_service_runs_the_kept_version_once_it_is_through(provider: VersionProvider, eas: Eas) -> None:
    created = provider.create(inputs(1))

    assert eas.ask().json()["version"] == "1"
    assert created.outs == inputs(1) | on_the_wire(latest_version=3)
    assert provider.read(created.id, created.outs).inputs == inputs(1)


def test_a_second_time_nothing_is_changed(provider: VersionProvider, eas: Eas) -> None:
    provider.create(inputs(2))
    updates = len([each for each in call(eas, "DescribeServiceEvent", "svc")["Events"] if each["Reason"] == "Updating"])

    provider.create(inputs(2))

    again = [each for each in call(eas, "DescribeServiceEvent", "svc")["Events"] if each["Reason"] == "Updating"]
    assert len(again) == updates


def test_an_update_by_others_shows_as_drift_and_is_taken_back(provider: VersionProvider, eas: Eas) -> None:
    created = provider.create(inputs(1))
    eas.update("svc", service_json(env={"VERSION": "4"}), update_type="replace")
    eas.wait()

    read = provider.read(created.id, created.outs or {})
    assert read.inputs == inputs(4)
    provider.update(created.id, read.outs or {}, inputs(1))

    assert eas.ask().json()["version"] == "1"


@pytest.mark.parametrize(
    ("version", "problem"),
    [
        (9, "EAS keeps no version 9 of svc; there are 1, 2, 3"),
        (3, "svc runs version 2, and EAS goes back only, not forward to 3"),
    ],
)
def test_a_version_that_cannot_be_reached_is_refused(provider: VersionProvider, version: int, problem: str) -> None:
    provider.create(inputs(2))

    with pytest.raises(CloudError, match=problem):
        provider.create(inputs(version))


def test_a_version_from_before_the_group_is_refused_as_long_as_there_is_traffic(
    provider: VersionProvider, eas: Eas
) -> None:
    eas.update("svc", {"metadata": {"group": "shop"}})
    eas.wait()
    call(eas, "ReleaseService", "svc", TrafficState="grouping", Weight=100)

    with pytest.raises(CloudError, match="version 1 of svc is not in the group shop, whose traffic it gets"):
        provider.create(inputs(1))
    assert eas.ask().json()["version"] == "3"
    call(eas, "ReleaseService", "svc", TrafficState="standalone")
    provider.create(inputs(1))

    assert eas.ask().json()["version"] == "1"


def test_deleting_it_leaves_the_version_running(provider: VersionProvider, eas: Eas) -> None:
    created = provider.create(inputs(1))

    provider.delete(created.id, created.outs or {})

    assert (eas.status(), eas.describe()["CurrentVersion"]) == ("Running", 1)


def revision(provider: RevisionProvider, configured: ConfigureRequest, config: dict[str, Any], version: str) -> Props:
    provider.poll_s = 0.05
    provider.configure(configured)
    props = on_the_wire(
        cluster_id="cn-hangzhou", service_name="svc", config=config, environment={"VERSION": version}, timeout_s=20
    )
    return provider.create(props).outs or {}


def test_a_revision_after_it_runs_what_is_declared_without_a_rest_of_the_old_version(
    provider: VersionProvider, eas: Eas, configured: ConfigureRequest
) -> None:
    provider.create(inputs(1))
    declared = service_json()
    del declared["containers"][0]["env"]

    outputs = revision(RevisionProvider(), configured, declared, "3")

    assert outputs["current_version"] == 4
    assert eas.ask().json()["version"] == "3"
    assert "rpc" not in json.loads(eas.describe()["ServiceConfig"])["metadata"]


def test_a_revision_that_declares_what_runs_since_the_roll_back_is_at_rest_at_once(
    provider: VersionProvider, eas: Eas, configured: ConfigureRequest
) -> None:
    provider.create(inputs(2))
    declared = service_json()
    del declared["containers"][0]["env"]

    outputs = revision(RevisionProvider(), configured, declared, "2")

    assert eas.ask().json()["version"] == "2"
    assert outputs["current_version"] == eas.describe()["CurrentVersion"]
