"""Staged updates through the real SDK and the emulator."""

from collections import Counter
from typing import Any

import pytest
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.service_rollout import RolloutProvider
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.providers.wire import on_the_wire


def inputs(**changes: Any) -> Props:
    batch = {"batch_size": "1", "interval_s": 600, "partition": "", "paused": False, "adopt": False, "timeout_s": 20}
    return on_the_wire(cluster_id="cn-hangzhou", service_name="svc", **(batch | changes))


def partition(held: str, **changes: Any) -> Props:
    return inputs(batch_size="", interval_s=0, partition=held, **changes)


@pytest.fixture
def provider(configured: ConfigureRequest, eas: Eas) -> RolloutProvider:
    eas.deploy(service_json(instance=2))
    provider = RolloutProvider()
    provider.poll_s = 0.05
    provider.configure(configured)
    return provider


def versions(eas: Eas) -> Counter[str]:
    running = [each for each in eas.instances() if each["Status"] == "Running"]
    return Counter("new" if each["IsLatest"] else "old" for each in running)


def change(eas: Eas) -> None:
    eas.update("svc", {"labels": {"release": "next"}})


@pytest.mark.parametrize("declared", [inputs(), inputs(batch_size="25%", interval_s=0), partition("50%")])
def test_what_is_created_reads_back_the_same(provider: RolloutProvider, declared: Props) -> None:
    created = provider.create(declared)

    assert provider.read(created.id, created.outs or {}).inputs == declared


def test_a_partition_that_is_lowered_is_through_when_the_replicas_are_new(provider: RolloutProvider, eas: Eas) -> None:
    created = provider.create(partition("1"))
    change(eas)
    until(lambda: versions(eas) == {"old": 1, "new": 1} and eas.status() == "Running", "one of each")

    provider.update(created.id, created.outs or {}, partition("0"))

    assert versions(eas) == {"new": 2}


def test_a_pause_is_held_and_its_end_awaited(provider: RolloutProvider, eas: Eas) -> None:
    created = provider.create(inputs(interval_s=0, paused=True))
    change(eas)
    eas.wait()
    assert versions(eas) == {"old": 2}
    assert provider.read(created.id, created.outs or {}).inputs == inputs(interval_s=0, paused=True)

    provider.update(created.id, created.outs or {}, inputs(interval_s=0))

    assert versions(eas) == {"new": 2}
    assert provider.read(created.id, inputs(interval_s=0)).inputs == inputs(interval_s=0)


def test_a_pause_while_nothing_is_updated_is_no_drift(provider: RolloutProvider) -> None:
    created = provider.create(inputs(paused=True))

    assert provider.read(created.id, created.outs or {}).inputs == inputs(paused=True)


def test_drift_shows(provider: RolloutProvider, eas: Eas) -> None:
    created = provider.create(inputs())
    call(eas, "UpdateServiceRollout", "svc", Batch={"BatchSize": "2", "Interval": "5m"})

    assert provider.read(created.id, created.outs or {}).inputs == inputs(batch_size="2", interval_s=300)


def test_a_rollout_that_is_there_is_taken_over_only_by_order(provider: RolloutProvider, eas: Eas) -> None:
    call(eas, "CreateServiceRollout", "svc", Partition={"Partition": "1"})

    with pytest.raises(CloudError, match="there is already a rollout of svc"):
        provider.create(inputs())
    provider.create(inputs(adopt=True))

    strategy = call(eas, "DescribeServiceRollout", "svc")["Rollout"]["Strategy"]
    assert strategy == {"Batch": {"BatchSize": "1", "Interval": "600s"}}


def test_without_it_the_update_goes_on_by_itself(provider: RolloutProvider, eas: Eas) -> None:
    created = provider.create(partition("100%"))
    change(eas)
    eas.wait()
    assert versions(eas) == {"old": 2}

    provider.delete(created.id, created.outs or {})
    provider.delete(created.id, created.outs or {})

    until(lambda: versions(eas) == {"new": 2}, "all new")
    assert provider.read(created.id, created.outs or {}).id == ""


def test_an_update_that_does_not_come_through_ends_the_wait(provider: RolloutProvider, eas: Eas) -> None:
    created = provider.create(inputs(paused=True))
    change(eas)
    eas.wait()

    with pytest.raises(CloudError, match=r"waited 1 s for svc to run version 2; it is Updating"):
        provider.update(created.id, created.outs or {}, inputs(timeout_s=1))
