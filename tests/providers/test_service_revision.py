"""A service's configuration, brought to EAS through the real SDK and the emulator."""

import json
from typing import Any

import pytest
from alibabacloud_eas20210701 import models
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.service_endpoint import EndpointProvider
from providers.service_revision import RevisionProvider
from tests.emulator.eas.conftest import STAND_IN, Eas, service_json
from tests.providers.wire import on_the_wire

CONFIG = service_json("svc", metadata={"rpc": {"keepalive": 9000}})
del CONFIG["containers"][0]["env"]


def inputs(config: dict[str, Any] = CONFIG, environment: dict[str, str] | None = None, timeout_s: int = 20) -> Props:
    return on_the_wire(
        cluster_id="cn-hangzhou",
        service_name="svc",
        config=config,
        environment={"VERSION": "1", "KEY": "opensesame"} if environment is None else environment,
        timeout_s=timeout_s,
    )


def with_metadata(**changes: Any) -> dict[str, Any]:
    return CONFIG | {"metadata": CONFIG["metadata"] | changes}


@pytest.fixture
def provider(configured: ConfigureRequest, eas: Eas) -> RevisionProvider:
    eas.deploy(service_json("svc", metadata={"rpc": {"keepalive": 9000}}, env={"VERSION": "1", "KEY": "opensesame"}))
    provider = RevisionProvider()
    provider.poll_s = 0.05
    provider.configure(configured)
    return provider


def create(provider: RevisionProvider, props: Props | None = None) -> tuple[str, Props]:
    created = provider.create(props or inputs())
    return created.id, created.outs or {}


def live_config(eas: Eas) -> dict[str, Any]:
    config: dict[str, Any] = json.loads(eas.describe()["ServiceConfig"])
    return config


def test_a_service_that_was_created_as_declared_is_left_alone(provider: RevisionProvider, eas: Eas) -> None:
    id_, outputs = create(provider)

    assert id_ == "cn-hangzhou/svc"
    assert outputs["current_version"] == eas.describe()["LatestVersion"] == 1


def test_what_is_created_reads_back_the_same(provider: RevisionProvider) -> None:
    id_, outputs = create(provider)

    read = provider.read(id_, outputs)
    assert read.inputs == inputs()
    assert read.outs == outputs


def test_a_change_is_through_when_replicas_run_it(provider: RevisionProvider, eas: Eas) -> None:
    id_, outputs = create(provider)

    updated = provider.update(id_, outputs, inputs(environment={"VERSION": "2"})).outs or {}

    assert updated["current_version"] == 2
    assert eas.ask().json()["version"] == "2"
    assert "KEY" not in eas.ask().json()["environment"]


def test_a_key_that_is_no_longer_declared_goes(provider: RevisionProvider, eas: Eas) -> None:
    id_, outputs = create(provider)
    without = {key: value for key, value in CONFIG["metadata"].items() if key != "rpc"}

    provider.update(id_, outputs, inputs(CONFIG | {"metadata": without}))

    assert "rpc" not in live_config(eas)["metadata"]


def test_what_others_put_there_survives_a_change_and_is_no_drift(provider: RevisionProvider, eas: Eas) -> None:
    id_, outputs = create(provider)
    token = eas.describe()["AccessToken"]
    eas.update("svc", {"metadata": {"enable_grpc": True}, "features": {"theirs": "kept"}})
    eas.wait()

    assert provider.read(id_, outputs).inputs == inputs()
    provider.update(id_, outputs, inputs(with_metadata(rpc={"keepalive": 7000})))
    assert live_config(eas)["metadata"]["enable_grpc"] is True
    assert live_config(eas)["metadata"]["rpc"] == {"keepalive": 7000}
    assert live_config(eas)["features"] == {"theirs": "kept"}
    assert eas.describe()["AccessToken"] == token


@pytest.mark.parametrize(
    ("change", "drifted"),
    [
        ({"metadata": {"rpc": {"keepalive": 1}}}, ("config", "metadata", "rpc", "keepalive", 1)),
        ({"metadata": {"instance": 2}}, ("config", "metadata", "instance", 2)),
        (
            {"containers": [CONFIG["containers"][0] | {"env": [{"name": "VERSION", "value": "9"}]}]},
            ("environment", {"VERSION": "9"}),
        ),
    ],
    ids=["a setting", "replicas", "the environment"],
)
def test_drift_in_what_is_declared_shows_and_is_put_right(
    provider: RevisionProvider, eas: Eas, change: dict[str, Any], drifted: tuple[Any, ...]
) -> None:
    id_, outputs = create(provider)
    eas.update("svc", change)
    eas.wait()

    read = provider.read(id_, outputs)
    *path, expected = drifted
    found: Any = read.inputs
    for key in path:
        found = found[key]
    assert found == expected
    provider.update(id_, read.outs or {}, inputs())
    assert provider.read(id_, outputs).inputs == inputs()


def test_a_change_that_was_cut_off_is_repeated_without_another_version(provider: RevisionProvider, eas: Eas) -> None:
    id_, outputs = create(provider)
    wanted = inputs(environment={"VERSION": "2"})
    provider.update(id_, outputs, wanted)

    provider.update(id_, outputs, wanted)

    assert eas.describe()["LatestVersion"] == 2


def test_another_number_of_replicas_is_no_new_version(provider: RevisionProvider, eas: Eas) -> None:
    id_, outputs = create(provider)

    updated = provider.update(id_, outputs, inputs(with_metadata(instance=2))).outs or {}

    assert updated["current_version"] == 1
    assert eas.describe()["RunningInstance"] == 2


def test_replicas_that_do_not_start_end_the_wait_with_what_was_waited_for(provider: RevisionProvider) -> None:
    id_, outputs = create(provider)
    slow = CONFIG | {"containers": [CONFIG["containers"][0] | {"command": f"python {STAND_IN} 8000 60"}]}

    with pytest.raises(CloudError, match=r"waited 1 s for svc to run version 2; it is .* raise timeouts.update_min"):
        provider.update(id_, outputs, inputs(slow, timeout_s=1))


def test_replicas_that_break_end_the_wait_at_once(provider: RevisionProvider) -> None:
    id_, outputs = create(provider)
    broken = CONFIG | {"containers": [CONFIG["containers"][0] | {"command": f"python {STAND_IN}.nowhere"}]}

    with pytest.raises(CloudError, match=r"could not bring up version 2 of svc: .*exited with code 2"):
        provider.update(id_, outputs, inputs(broken, timeout_s=60))


def test_the_clouds_refusal_reaches_the_user(provider: RevisionProvider) -> None:
    id_, outputs = create(provider)

    with pytest.raises(CloudError, match=r"InvalidParameter: .*colour"):
        provider.update(id_, outputs, inputs(CONFIG | {"colour": "blue"}))


def test_a_service_that_is_gone_reads_as_gone(provider: RevisionProvider, eas: Eas) -> None:
    id_, outputs = create(provider)
    eas.client.delete_service("cn-hangzhou", "svc", models.DeleteServiceRequest())

    while not eas.gone():
        pass
    assert provider.read(id_, outputs).id == ""
    provider.delete(id_, outputs)


def test_only_another_service_is_another_resource(provider: RevisionProvider) -> None:
    renamed = provider.diff("id", inputs(), inputs() | on_the_wire(service_name="other"))
    changed = provider.diff("id", inputs(), inputs(with_metadata(instance=9)))

    assert renamed.replaces == ["service_name"]
    assert (changed.changes, changed.replaces) == (True, [])


def test_the_endpoint_gives_out_addresses_and_token(configured: ConfigureRequest, eas: Eas) -> None:
    eas.deploy(service_json("svc"))
    endpoints = EndpointProvider()
    endpoints.configure(configured)
    created = endpoints.create(on_the_wire(cluster_id="cn-hangzhou", service_name="svc"))

    described = eas.describe()
    assert created.outs == endpoints.read(created.id, created.outs or {}).outs
    assert created.outs == {
        "cluster_id": "cn-hangzhou",
        "service_name": "svc",
        "internet_endpoint": described["InternetEndpoint"],
        "intranet_endpoint": described["IntranetEndpoint"],
        "access_token": described["AccessToken"],
    }
