"""Instances of DSW, brought to life through the real SDK and the emulator."""

from typing import Any

import pytest
from alibabacloud_pai_dsw20220101 import models
from pulumi.dynamic import ConfigureRequest

from providers.base import CloudError, Props
from providers.dsw_instance import DswInstanceProvider
from tests.emulator.dsw.conftest import Dsw, body, over, start_command
from tests.emulator.running import RunningEmulator
from tests.providers.wire import on_the_wire

SETTINGS = {
    "EcsSpec": "ecs.c7.large",
    "ImageUrl": "registry/pai/python:3.11-cpu",
    "Accessibility": "PRIVATE",
    "Priority": 3,
    "Datasets": [{"Uri": "nas://0123-abc.cn-hangzhou.nas.aliyuncs.com/team/", "MountPath": "/mnt/nas"}],
    "UserCommand": start_command("echo $GREETING; sleep 600"),
}


def inputs(**changes: Any) -> Props:
    declared = {
        "workspace_id": "1000",
        "resource_id": "",
        "instance_name": "lab",
        "settings": SETTINGS,
        "environment": {"GREETING": "hello"},
        "labels": {"team": "vision"},
        "restart_to_update": False,
        "adopt": False,
        "timeout_s": 20,
    }
    return on_the_wire(**{**declared, **changes})


def settings(**changes: Any) -> dict[str, Any]:
    return {name: value for name, value in {**SETTINGS, **changes}.items() if value is not None}


@pytest.fixture
def dsw(emulator: RunningEmulator) -> Dsw:
    return over(emulator)


@pytest.fixture
def provider(configured: ConfigureRequest) -> DswInstanceProvider:
    provider = DswInstanceProvider()
    provider.poll_s = 0.05
    provider.configure(configured)
    return provider


def create(provider: DswInstanceProvider, **changes: Any) -> tuple[str, Props]:
    created = provider.create(inputs(**changes))
    return created.id, created.outs or {}


def update(provider: DswInstanceProvider, id_: str, outputs: Props, **changes: Any) -> Props:
    return provider.update(id_, outputs, inputs(**changes)).outs or {}


def test_what_is_created_runs_and_reads_back_the_same(provider: DswInstanceProvider, dsw: Dsw) -> None:
    id_, outputs = create(provider)

    assert outputs["status"] == "Running"
    assert outputs["url"] == dsw.get(id_).instance_url
    dsw.written(id_, "hello")
    read = provider.read(id_, outputs)
    assert read.inputs == inputs()
    assert (read.outs or {})["observed"] == outputs["observed"]


def test_an_instance_that_stops_itself_at_once_was_created(provider: DswInstanceProvider, dsw: Dsw) -> None:
    provider.poll_s = 1.0
    stop = {"EcsSpec": "ecs.c7.large", "ImageUrl": "registry/x:1"}
    id_, outputs = create(provider, settings=stop)
    dsw.client.stop_instance(id_, models.StopInstanceRequest())
    dsw.until(id_, "Stopped")

    read = provider.read(id_, outputs)

    assert read.inputs == inputs(settings=stop)
    assert (read.outs or {})["status"] == "Stopped"


def test_what_changes_while_it_runs_is_changed_without_a_stop(provider: DswInstanceProvider, dsw: Dsw) -> None:
    id_, outputs = create(provider)

    update(
        provider, id_, outputs, instance_name="renamed", labels={"owner": "me"},
        settings=settings(Accessibility="PUBLIC", Priority=9),
    )  # fmt: skip

    found = dsw.get(id_)
    assert (found.instance_name, found.accessibility, found.priority) == ("renamed", "PUBLIC", 9)
    assert [label.to_map() for label in found.labels] == [{"Key": "owner", "Value": "me"}]
    assert dsw.statuses(id_)[-1] == "Running"


def test_what_needs_a_stop_is_refused_unless_restarts_are_allowed(provider: DswInstanceProvider, dsw: Dsw) -> None:
    id_, outputs = create(provider)
    change = {"settings": settings(EcsSpec="ecs.c7.xlarge", Datasets=None), "environment": {}}

    with pytest.raises(CloudError, match=r"Datasets, EcsSpec, EnvironmentVariables can be changed only .* stopped"):
        update(provider, id_, outputs, **change)
    assert dsw.get(id_).ecs_spec == "ecs.c7.large"

    updated = update(provider, id_, outputs, **change, restart_to_update=True)
    found = dsw.get(id_)
    assert (updated["status"], found.ecs_spec, found.datasets) == ("Running", "ecs.c7.xlarge", [])
    assert found.environment_variables is None
    assert provider.read(id_, updated).inputs == inputs(**change, restart_to_update=True)


def test_a_stopped_instance_is_changed_and_stays_stopped(provider: DswInstanceProvider, dsw: Dsw) -> None:
    id_, outputs = create(provider)
    dsw.client.stop_instance(id_, models.StopInstanceRequest())
    dsw.until(id_, "Stopped")

    updated = update(provider, id_, outputs, settings=settings(EcsSpec="ecs.c7.xlarge"))

    assert (updated["status"], dsw.get(id_).ecs_spec) == ("Stopped", "ecs.c7.xlarge")


def test_what_cannot_be_taken_away_is_said(provider: DswInstanceProvider) -> None:
    id_, outputs = create(provider)

    with pytest.raises(CloudError, match="DSW cannot take Priority away"):
        update(provider, id_, outputs, settings=settings(Priority=None))


def test_drift_shows_in_what_is_declared_and_only_there(provider: DswInstanceProvider, dsw: Dsw) -> None:
    id_, outputs = create(provider)
    theirs = [models.UpdateInstanceLabelsRequestLabels(key="theirs", value="kept")]
    dsw.client.update_instance_labels(id_, models.UpdateInstanceLabelsRequest(labels=theirs))
    assert provider.read(id_, outputs).inputs == inputs()

    dsw.client.update_instance(id_, models.UpdateInstanceRequest(priority=7))

    assert provider.read(id_, outputs).inputs == inputs(settings=settings(Priority=7))


def test_what_exists_is_taken_over_only_when_asked_and_then_brought_to_what_is_wanted(
    provider: DswInstanceProvider, dsw: Dsw
) -> None:
    theirs = dsw.running(InstanceName="lab_2")
    theirs = dsw.running(**body(InstanceName="lab"))

    with pytest.raises(CloudError, match=r"already an instance lab in the workspace 1000; .* set adopt"):
        create(provider)
    id_, _ = create(provider, adopt=True, restart_to_update=True)

    assert id_ == theirs
    dsw.written(id_, "hello")
    assert dsw.get(id_).priority == 3


def test_a_run_after_a_cut_one_takes_what_it_had_created(provider: DswInstanceProvider) -> None:
    id_, outputs = create(provider)

    again = create(provider)

    assert again[0] == id_
    assert again[1]["observed"] == outputs["observed"]


def test_why_an_instance_does_not_start_is_told(provider: DswInstanceProvider) -> None:
    nowhere = [{"Uri": "oss://no-such-bucket/x/", "MountPath": "/mnt/x"}]

    with pytest.raises(CloudError, match=r"lab failed to start; FailedMount: .*NoSuchBucket"):
        create(provider, settings=settings(Datasets=nowhere))


def test_a_wait_that_is_too_long_says_for_what(provider: DswInstanceProvider) -> None:
    id_, outputs = create(provider)

    with pytest.raises(CloudError, match=r"waited 0 s for lab to stop; it is Stopping"):
        update(provider, id_, outputs, settings=settings(EcsSpec="ecs.c7.xlarge"), restart_to_update=True, timeout_s=0)


def test_a_refusal_is_told_in_the_clouds_words(provider: DswInstanceProvider) -> None:
    with pytest.raises(CloudError, match=r"ValidationError: .*There is no EcsSpec ecs.z9.huge"):
        create(provider, settings=settings(EcsSpec="ecs.z9.huge"))


def test_what_is_deleted_is_gone_and_deletes_again(provider: DswInstanceProvider, dsw: Dsw) -> None:
    id_, outputs = create(provider)

    provider.delete(id_, outputs)

    assert dsw.gone(id_)
    assert provider.read(id_, outputs).id == ""
    provider.delete(id_, outputs)


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        ({"workspace_id": "1001"}, ["workspace_id"]),
        ({"resource_id": "quota1"}, ["resource_id"]),
        ({"instance_name": "other"}, []),
        ({"settings": {}}, []),
    ],
)
def test_only_workspace_and_quota_replace_an_instance(
    provider: DswInstanceProvider, change: Props, replaces: list[str]
) -> None:
    assert provider.diff("id", inputs(), inputs(**change)).replaces == replaces
