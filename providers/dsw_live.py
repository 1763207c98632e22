"""An instance as DSW has it at this moment, and what the resources around it have in common."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self, TypeVar

from pulumi.dynamic import ConfigureRequest
from Tea.exceptions import TeaException
from typing_extensions import override

from cloud.dsw import dsw_client
from providers.base import CloudError, DeclaredProvider, ResourceInputs

if TYPE_CHECKING:
    from alibabacloud_pai_dsw20220101.client import Client

Inputs = TypeVar("Inputs", bound=ResourceInputs)

DOWN = ("Stopped", "Failed")
_TOLD_EVENTS = 3


class DswProvider(DeclaredProvider[Inputs]):
    """A provider with a client of DSW."""

    poll_s = 2.0

    @override
    def configure(self, req: ConfigureRequest) -> None:
        super().configure(req)
        self.dsw = dsw_client(self.target, self.credentials)

    @override
    def is_gone(self, error: TeaException) -> bool:
        """DSW documents the same code, ValidationError, for what is wrong and for what is not there."""
        return is_not_found(error)


def is_not_found(error: TeaException) -> bool:
    return getattr(error, "status_code", None) == 404


def found(ask: Callable[[], Any]) -> Any:
    """What `ask` answers, None when DSW says that there is no such thing."""
    try:
        return ask()
    except TeaException as error:
        if not is_not_found(error):
            raise
        return None


def refuse_existing(what: str, adopt: bool) -> None:
    """CloudError unless what exists is to be taken over."""
    if not adopt:
        raise CloudError(f"there is already {what}; delete it, or set adopt to take it over")


@dataclass(frozen=True)
class LiveInstance:
    """What GetInstance answers. `document` has it all, under the names of the API; it holds secrets."""

    id: str
    name: str
    status: str
    reason: str
    url: str
    user_command_id: str
    accumulated_ms: int
    labels: dict[str, str]
    environment: dict[str, str]
    document: dict[str, Any]

    @classmethod
    def get(cls, client: "Client", instance_id: str) -> Self:
        """Raises Tea's exception with the status 404 when there is no such instance."""
        from alibabacloud_pai_dsw20220101.models import GetInstanceRequest

        body = client.get_instance(instance_id, GetInstanceRequest()).body
        return cls(
            id=instance_id,
            name=body.instance_name or "",
            status=body.status or "",
            reason=": ".join(part for part in (body.reason_code, body.reason_message) if part),
            url=body.instance_url or "",
            user_command_id=body.user_command_id or "",
            accumulated_ms=body.accumulated_running_time_in_ms or 0,
            labels={label.key: label.value for label in body.labels or []},
            environment=dict(body.environment_variables or {}),
            document=body.to_map(),
        )

    @classmethod
    def by_name(cls, client: "Client", workspace_id: str, name: str) -> Self | None:
        """DSW lists every instance whose name contains `name`."""
        from alibabacloud_pai_dsw20220101.models import ListInstancesRequest

        request = ListInstancesRequest(workspace_id=workspace_id, instance_name=name, resource_id="ALL", page_size=100)
        for instance in client.list_instances(request).body.instances or []:
            if instance.instance_name == name:
                return cls.get(client, instance.instance_id)
        return None


def await_running(
    client: "Client", instance_id: str, *, was_stopped: bool, timeout_s: float, poll_s: float
) -> LiveInstance:
    """The instance once it runs, or has run: a start command may have stopped it again.

    CloudError when it fails, or `timeout_s` is over. With `was_stopped`, the status `Stopped` counts only after another
    one: it may lag behind a start that was just accepted.
    """
    deadline = time.monotonic() + timeout_s
    on_its_way = not was_stopped
    while True:
        time.sleep(poll_s)
        live = LiveInstance.get(client, instance_id)
        if live.status == "Running" or (live.status == "Stopped" and on_its_way):
            return live
        if live.status == "Failed":
            raise CloudError(f"{live.name} failed to start{_told(client, live)}")
        on_its_way = on_its_way or live.status != "Stopped"
        _check_deadline(client, live, "run", deadline, timeout_s)


def await_stopped(client: "Client", instance_id: str, *, timeout_s: float, poll_s: float) -> LiveInstance:
    """The instance once it is stopped, or has failed."""
    deadline = time.monotonic() + timeout_s
    while True:
        live = LiveInstance.get(client, instance_id)
        if live.status in DOWN:
            return live
        _check_deadline(client, live, "stop", deadline, timeout_s)
        time.sleep(poll_s)


def await_gone(client: "Client", instance_id: str, *, timeout_s: float, poll_s: float) -> None:
    """Returns when DSW knows the instance no more."""
    deadline = time.monotonic() + timeout_s
    while live := found(lambda: LiveInstance.get(client, instance_id)):
        _check_deadline(client, live, "go", deadline, timeout_s)
        time.sleep(poll_s)


def _check_deadline(client: "Client", live: LiveInstance, what: str, deadline: float, timeout_s: float) -> None:
    if time.monotonic() > deadline:
        raise CloudError(
            f"waited {timeout_s:.0f} s for {live.name} to {what}; it is {live.status}{_told(client, live)}. "
            "DSW goes on trying; wait, then run `pulumi up` again, or raise timeout_min of the notebook"
        )


def _told(client: "Client", live: LiveInstance) -> str:
    """Why, as far as DSW tells: the reason is often empty, and the events say what it was."""
    from alibabacloud_pai_dsw20220101.models import GetInstanceEventsRequest

    events = client.get_instance_events(live.id, GetInstanceEventsRequest()).body.events or []
    told = [live.reason, *events[-_TOLD_EVENTS:]]
    return "".join(f"; {text}" for text in told if text)
