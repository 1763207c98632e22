"""DswInstance: a notebook instance of DSW, for which alicloud has no resource."""

from typing import TYPE_CHECKING, Any

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import Resource
from typing_extensions import override

from providers.base import CloudError, Found, Immutable, Props, ResourceInputs, refuse_existing
from providers.documents import declared_part
from providers.dsw_live import (
    DOWN,
    DswProvider,
    LiveInstance,
    await_running,
    await_stopped,
)

if TYPE_CHECKING:
    from alibabacloud_pai_dsw20220101.models import UpdateInstanceRequest

# What DSW changes while an instance runs; for the rest it must be stopped.
_CHANGED_LIVE = frozenset({"InstanceName", "Accessibility", "Priority"})

# What only a switch of its own takes away from an instance.
_TAKEN_AWAY_BY = {
    "AssignNodeSpec": "disassociate_assign_node",
    "CredentialConfig": "disassociate_credential",
    "Datasets": "disassociate_datasets",
    "Driver": "disassociate_driver",
    "EnvironmentVariables": "disassociate_environment_variables",
    "SpotSpec": "disassociate_spot",
    "UserCommand": "disassociate_user_command",
    "UserVpc": "disassociate_vpc",
}

# What GetInstance does not tell, or hides.
_NEVER_TOLD = ("ImageAuth", "SpotSpec", "AssignNodeSpec", "OversoldType")


class DswInstanceInputs(ResourceInputs):
    """`settings` are the other parameters of CreateInstance, under their names in the API. `resource_id` is the quota,
    empty for pay-as-you-go. With `restart_to_update`, a running instance is stopped for changes that need it."""

    workspace_id: Immutable[str]
    resource_id: Immutable[str]
    instance_name: str
    settings: dict[str, Any]
    environment: dict[str, str]
    labels: dict[str, str]
    restart_to_update: bool
    adopt: bool
    timeout_s: int

    @property
    def document(self) -> dict[str, Any]:
        """What can be changed, in the form of CreateInstance."""
        variables = {"EnvironmentVariables": self.environment} if self.environment else {}
        return {"InstanceName": self.instance_name, **self.settings, **variables}


class DswInstanceProvider(DswProvider[DswInstanceInputs]):
    inputs = DswInstanceInputs

    @override
    def make(self, wanted: DswInstanceInputs) -> tuple[str, Props]:
        existing = LiveInstance.by_name(self.dsw, wanted.workspace_id, wanted.instance_name)
        if existing is not None:
            what = f"an instance {wanted.instance_name} in the workspace {wanted.workspace_id}"
            refuse_existing(what, wanted.adopt or _is_ours(existing, wanted))
            return existing.id, self._bring(existing, self._as_declared(existing, wanted), wanted)
        return self._create(wanted)

    @override
    def find(self, id_: str, known: DswInstanceInputs, outputs: Props) -> Found[DswInstanceInputs]:
        live = LiveInstance.get(self.dsw, id_)
        seen = self._outputs(live, known)
        there = self._as_declared(live, known)
        if seen["observed"] == outputs.get("observed"):
            there = there.model_copy(update={"settings": known.settings})
        return Found(there, seen)

    @override
    def change(self, id_: str, before: DswInstanceInputs, wanted: DswInstanceInputs) -> Props:
        return self._bring(LiveInstance.get(self.dsw, id_), before, wanted)

    @override
    def remove(self, id_: str, known: DswInstanceInputs) -> None:
        self.dsw.delete_instance(id_)
        self.await_gone(id_, timeout_s=known.timeout_s)

    def _as_declared(self, live: LiveInstance, declared: DswInstanceInputs) -> DswInstanceInputs:
        """What the instance has of what we declare. What DSW never tells is taken to be as declared."""
        hidden = {name: value for name, value in declared.settings.items() if name in _NEVER_TOLD}
        there = {
            "instance_name": live.name,
            "settings": self._outputs(live, declared)["observed"] | hidden,
            "environment": declared_part(live.environment, declared.environment),
            "labels": declared_part(live.labels, declared.labels),
        }
        return declared.model_copy(update=there)

    def _create(self, wanted: DswInstanceInputs) -> tuple[str, Props]:
        from alibabacloud_pai_dsw20220101.models import CreateInstanceRequest

        document = {
            **wanted.document,
            "WorkspaceId": wanted.workspace_id,
            "Labels": [{"Key": key, "Value": value} for key, value in sorted(wanted.labels.items())],
        }
        if wanted.resource_id:
            document["ResourceId"] = wanted.resource_id
        request = _filled(CreateInstanceRequest(), document)
        instance_id = self.dsw.create_instance(request).body.instance_id
        live = self._started(instance_id, wanted, was_stopped=False)
        return instance_id, self._outputs(live, wanted)

    def _bring(self, live: LiveInstance, before: DswInstanceInputs, wanted: DswInstanceInputs) -> Props:
        """Changes what differs between `before` and `wanted`, and leaves the instance running if it ran."""
        old, new = before.document, wanted.document
        changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
        if changed:
            request = _update(changed, new)
            if changed <= _CHANGED_LIVE or live.status in DOWN:
                self.dsw.update_instance(live.id, request)
            else:
                self._update_stopped(live, request, sorted(changed - _CHANGED_LIVE), wanted)
        self._relabel(live.id, before.labels, wanted.labels)
        return self._outputs(LiveInstance.get(self.dsw, live.id), wanted)

    def _update_stopped(
        self, live: LiveInstance, request: "UpdateInstanceRequest", names: list[str], wanted: DswInstanceInputs
    ) -> None:
        from alibabacloud_pai_dsw20220101.models import StopInstanceRequest

        if not wanted.restart_to_update:
            raise CloudError(
                f"{live.name} is {live.status}, and {', '.join(names)} can be changed only while it is stopped: stop "
                "it first, or set restart_to_update, which stops it, ends what runs in it, and starts it again"
            )
        self.dsw.stop_instance(live.id, StopInstanceRequest())
        await_stopped(self.dsw, live.id, timeout_s=wanted.timeout_s, poll_s=self.poll_s)
        request.start_instance = True
        self.dsw.update_instance(live.id, request)
        self._started(live.id, wanted, was_stopped=True)

    def _started(self, instance_id: str, wanted: DswInstanceInputs, *, was_stopped: bool) -> LiveInstance:
        return await_running(
            self.dsw, instance_id, was_stopped=was_stopped, timeout_s=wanted.timeout_s, poll_s=self.poll_s
        )

    def _relabel(self, instance_id: str, before: dict[str, str], wanted: dict[str, str]) -> None:
        from alibabacloud_pai_dsw20220101.models import DeleteInstanceLabelsRequest, UpdateInstanceLabelsRequest

        if gone := sorted(before.keys() - wanted.keys()):
            self.dsw.delete_instance_labels(instance_id, DeleteInstanceLabelsRequest(label_keys=",".join(gone)))
        if changed := {key: value for key, value in wanted.items() if before.get(key) != value}:
            labels = [{"Key": key, "Value": value} for key, value in sorted(changed.items())]
            request = UpdateInstanceLabelsRequest().from_map({"Labels": labels})
            self.dsw.update_instance_labels(instance_id, request)

    def _outputs(self, live: LiveInstance, wanted: DswInstanceInputs) -> Props:
        """`observed` is what DSW made of our declaration: should it write keys differently, that is no drift."""
        document = live.document
        if "UserCommand" in wanted.settings:
            document = document | {"UserCommand": self._user_command(live)}
        return {
            "url": live.url,
            "status": live.status,
            "accumulated_running_time_ms": live.accumulated_ms,
            "observed": declared_part(document, wanted.settings),
        }

    def _user_command(self, live: LiveInstance) -> dict[str, Any]:
        """GetInstance tells only that there is one."""
        from alibabacloud_pai_dsw20220101.models import GetUserCommandRequest

        if not live.user_command_id:
            return {}
        request = GetUserCommandRequest(instance_id=live.id)
        on_start = self.dsw.get_user_command(live.user_command_id, request).body.on_start
        return {"OnStart": on_start.to_map()} if on_start else {}


class DswInstance(Resource, module="dsw", name="DswInstance"):
    """Its id is DSW's."""

    url: Output[str]
    """Where the notebook is."""
    status: Output[str]
    accumulated_running_time_ms: Output[int]

    def __init__(
        self,
        name: str,
        *,
        workspace_id: Input[str],
        resource_id: Input[str],
        instance_name: Input[str],
        settings: Input[dict[str, Any]],
        environment: Input[dict[str, Input[str]]],
        labels: Input[dict[str, str]],
        restart_to_update: Input[bool],
        adopt: Input[bool],
        timeout_s: Input[int],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "workspace_id": workspace_id,
            "resource_id": resource_id,
            "instance_name": instance_name,
            "settings": settings,
            "environment": environment,
            "labels": labels,
            "restart_to_update": restart_to_update,
            "adopt": adopt,
            "timeout_s": timeout_s,
            "url": None,
            "status": None,
            "accumulated_running_time_ms": None,
        }
        super().__init__(DswInstanceProvider(), name, props, opts)


def _update(changed: set[str], new: dict[str, Any]) -> "UpdateInstanceRequest":
    """UpdateInstance's body; CloudError when something is to go that DSW cannot take away."""
    from alibabacloud_pai_dsw20220101.models import UpdateInstanceRequest

    request = _filled(UpdateInstanceRequest(), {name: new[name] for name in changed if name in new})
    for name in sorted(changed - new.keys()):
        # The other one of image id and URL, and the password of an image, go with a new image.
        if name.startswith("Image") and any(other.startswith("Image") for other in changed & new.keys()):
            continue
        if name not in _TAKEN_AWAY_BY:
            raise CloudError(f"DSW cannot take {name} away from an instance: give it another value, or replace it")
        setattr(request, _TAKEN_AWAY_BY[name], True)
    return request


def _is_ours(existing: LiveInstance, wanted: DswInstanceInputs) -> bool:
    """Whether a run that was cut off created it: it carries all the labels, among them the mark of the stack."""
    return bool(wanted.labels) and wanted.labels.items() <= existing.labels.items()


def _filled(request: Any, document: dict[str, Any]) -> Any:
    """`request` with what `document` says. The SDK would send a list that is not in it as an empty one."""
    request.from_map(document)
    for name, value in vars(request).items():
        if value == []:
            setattr(request, name, None)
    return request
