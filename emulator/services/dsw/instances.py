"""Creating, reading, listing, updating, starting, stopping and deleting instances."""

import secrets
from typing import Any

from pydantic import Field, ValidationError

from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.dsw.description import described
from emulator.services.dsw.parameters import CreateInstance, UpdateInstance, WholeSettings
from emulator.services.dsw.product import INSTANCE, INSTANCES, dsw, refusal, succeeded
from emulator.services.dsw.records import DOWN, Instance
from emulator.services.dsw.specs import SPECS
from emulator.services.dsw.state import DswState

# What can be changed while an instance runs. Alibaba Cloud says that some parameters can and others need `Stopped`,
# but not which; what the machine or its container is made of cannot be among the first.
CHANGEABLE_WHILE_UP = frozenset({"InstanceName", "Accessibility", "Priority", "UserId"})

# What GetInstance tells and ListInstances does not.
ONLY_OF_ONE = ("AccessRestrictionRules", "DockerConfig", "MigrationOptions")
NO_NODE_ERROR = {"enableAutoSwitchOnNodeError": False, "hasNodeError": False}


@dsw.operation("CreateInstance", "POST", INSTANCES)
def create_instance(state: DswState, call: Call, body: CreateInstance) -> Answer:
    given = _sent(body, but={"labels", "tag"})
    settings = {"Accessibility": "PRIVATE", **given}
    _check(state, settings)
    _check_name(state, call.region, settings["WorkspaceId"], settings["InstanceName"])
    instance = Instance(
        id=f"dsw-{secrets.token_hex(8)}",
        region=call.region,
        user_id=body.user_id or call.caller.principal_id,
        settings=settings,
        labels={label.key: label.value for label in body.labels},
        tags={tag.key: tag.value for tag in body.tag},
        created_at=call.now,
        modified_at=call.now,
        token=secrets.token_hex(24),
    )
    state.add(instance)
    return succeeded(InstanceId=instance.id)


class GetInstance(Parameters):
    """`token` is of a shared link; whoever can sign a request needs none."""

    token: str | None = Field(None, alias="Token")


@dsw.operation("GetInstance", "GET", INSTANCE)
def get_instance(state: DswState, call: Call, instance_id: str, query: GetInstance) -> Answer:  # noqa: ARG001
    instance = state.find(call.region, instance_id)
    answer = described(state, instance) | {"NodeErrorRecovery": NO_NODE_ERROR}
    further = {name: instance.settings[name] for name in ONLY_OF_ONE if name in instance.settings}
    if instance.user_command_id:
        further["UserCommandId"] = instance.user_command_id
    return succeeded(**answer, **further)


@dsw.operation("UpdateInstance", "PUT", INSTANCE)
def update_instance(state: DswState, call: Call, instance_id: str, body: UpdateInstance) -> Answer:
    """Changes what is given and takes away what is disassociated; the rest stays."""
    instance = state.find(call.region, instance_id)
    settings = {key: value for key, value in instance.settings.items() if key not in body.removed()}
    given = _sent(body, but={name for name in UpdateInstance.model_fields if name.startswith(("dis", "start"))})
    settings |= given
    if "ImageId" in given or "ImageUrl" in given:
        settings = {key: value for key, value in settings.items() if key in given or not key.startswith("Image")}
    if body.disassociate_forward_infos and "UserVpc" in settings:
        settings["UserVpc"] = {key: value for key, value in settings["UserVpc"].items() if key != "ForwardInfos"}
    changed = {
        key for key in settings.keys() | instance.settings.keys() if settings.get(key) != instance.settings.get(key)
    }
    if instance.status not in DOWN and (fixed := sorted(changed - CHANGEABLE_WHILE_UP)):
        raise refusal(f"{', '.join(fixed)} can be changed only while the instance is stopped; it is {instance.status}.")
    _check(state, settings)
    if "InstanceName" in changed:
        _check_name(state, call.region, instance.workspace_id, settings["InstanceName"])
    updated = instance.model_copy(update={"settings": settings, "user_id": settings.get("UserId", instance.user_id)})
    if body.start_instance and updated.status in DOWN:
        state.start_instance(updated)
    else:
        state.put(updated)
    return succeeded(InstanceId=instance.id)


@dsw.operation("StartInstance", "PUT", f"{INSTANCE}/start")
def start_instance(state: DswState, call: Call, instance_id: str) -> Answer:
    """Only a stopped or failed instance can be started."""
    instance = state.find(call.region, instance_id)
    if instance.status not in DOWN:
        raise refusal(f"The instance can be started when it is Stopped or Failed; it is {instance.status}.")
    state.start_instance(instance)
    return succeeded(InstanceId=instance.id)


class StopInstance(Parameters):
    save_image: bool = Field(False, alias="SaveImage")


@dsw.operation("StopInstance", "PUT", f"{INSTANCE}/stop")
def stop_instance(state: DswState, call: Call, instance_id: str, query: StopInstance) -> Answer:
    """Stopping what is stopped changes nothing. With `SaveImage`, an image of it is made first."""
    instance = state.find(call.region, instance_id)
    _refuse_when_going(instance)
    state.stop_instance(instance, save=query.save_image)
    return succeeded(InstanceId=instance.id)


@dsw.operation("DeleteInstance", "DELETE", INSTANCE)
def delete_instance(state: DswState, call: Call, instance_id: str) -> Answer:
    """In whatever status it is; its working directory goes with it, what is mounted stays."""
    instance = state.find(call.region, instance_id)
    state.delete_instance(instance)
    return succeeded(InstanceId=instance.id)


class Batch(Parameters):
    instance_ids: list[str] = Field(alias="InstanceIds", min_length=1)


@dsw.operation("StopInstances", "PUT", "/api/v2/batch/instances/stop")
def stop_instances(state: DswState, call: Call, body: Batch) -> Answer:
    """All of them, or none when one cannot be stopped."""
    instances = [state.find(call.region, instance_id) for instance_id in body.instance_ids]
    for instance in instances:
        _refuse_when_going(instance)
    for instance in instances:
        state.stop_instance(instance)
    return succeeded(InstanceIds=body.instance_ids)


@dsw.operation("DeleteInstances", "PUT", "/api/v2/batch/instances/delete")
def delete_instances(state: DswState, call: Call, body: Batch) -> Answer:
    """All of them, or none when one is not there."""
    for instance in [state.find(call.region, instance_id) for instance_id in body.instance_ids]:
        state.delete_instance(instance)
    return succeeded(InstanceIds=body.instance_ids)


def _refuse_when_going(instance: Instance) -> None:
    if instance.target == "deleted":
        raise refusal(f"The instance {instance.id} is being deleted.")


def _sent(body: Parameters, but: set[str]) -> dict[str, Any]:
    """What a body gives, under the names of the API."""
    return body.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True, exclude=but)


def _check(state: DswState, settings: dict[str, Any]) -> None:
    """ApiError unless these can be the settings of an instance."""
    try:
        whole = WholeSettings.model_validate(settings)
    except ValidationError as error:
        raise refusal(f"{error.errors()[0]['msg'].removeprefix('Value error, ')}.") from None
    if whole.ecs_spec is not None and whole.ecs_spec not in SPECS:
        raise refusal(f"There is no EcsSpec {whole.ecs_spec}; ListEcsSpecs names those there are.")
    try:
        state.workspaces.workspace(whole.workspace_id)
        for dataset in whole.datasets or []:
            state.mount_source(dataset)
    except ApiError as error:
        raise refusal(error.message) from None
    except ValueError as error:
        raise refusal(f"{error}.") from None


def _check_name(state: DswState, region: str, workspace_id: str, name: str) -> None:
    for other in state.instances.values():
        if (other.region, other.workspace_id, other.name) == (region, workspace_id, name):
            raise refusal(f"The workspace {workspace_id} already has an instance with the name {name}.")
