"""An instance as DSW has it at this moment, and what the resources around it have in common."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self, TypeVar

from Tea.exceptions import TeaException
from typing_extensions import override

from cloud.dsw import dsw_client
from providers.base import CloudError, DeclaredProvider, ResourceInputs, wait_until

if TYPE_CHECKING:
    from alibabacloud_pai_dsw20220101.client import Client

Inputs = TypeVar("Inputs", bound=ResourceInputs)

DOWN = ("Stopped", "Failed")
_TOLD_EVENTS = 3


class DswProvider(DeclaredProvider[Inputs]):
    """A provider with a client of DSW."""

    poll_s = 2.0

    @cached_property
    def dsw(self) -> "Client":
        """Built when it is first used, which is not in a preview: importing the SDK takes a second."""
        return dsw_client(self.target, self.credentials)

    @override
    def is_gone(self, error: TeaException) -> bool:
        """DSW documents the same code, ValidationError, for what is wrong and for what is not there."""
        return getattr(error, "status_code", None) == 404

    def await_gone(self, instance_id: str, *, timeout_s: float) -> None:
        """Returns when DSW knows the instance no more."""
        wait_until(
            lambda: self.there(lambda: LiveInstance.get(self.dsw, instance_id)),
            lambda live: live is None,
            timeout_s=timeout_s,
            poll_s=self.poll_s,
            late=lambda live: _late(self.dsw, live, "go") if live else "",
        )


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
    seen = [] if was_stopped else ["Stopped"]

    def runs_or_ran(live: LiveInstance) -> bool:
        if live.status == "Failed":
            raise CloudError(f"{live.name} failed to start{_told(client, live)}")
        ran = bool(seen) and live.status == "Stopped"
        if live.status != "Stopped":
            seen.append(live.status)
        return live.status == "Running" or ran

    return wait_until(
        lambda: LiveInstance.get(client, instance_id),
        runs_or_ran,
        timeout_s=timeout_s,
        poll_s=poll_s,
        late=lambda live: _late(client, live, "run"),
    )


def await_stopped(client: "Client", instance_id: str, *, timeout_s: float, poll_s: float) -> LiveInstance:
    """The instance once it is stopped, or has failed."""
    return wait_until(
        lambda: LiveInstance.get(client, instance_id),
        lambda live: live.status in DOWN,
        timeout_s=timeout_s,
        poll_s=poll_s,
        late=lambda live: _late(client, live, "stop"),
    )


def _late(client: "Client", live: LiveInstance, what: str) -> str:
    return (
        f"{live.name} to {what}; it is {live.status}{_told(client, live)}. "
        "DSW goes on trying; wait, then run `pulumi up` again, or raise timeout_min of the notebook"
    )


def _told(client: "Client", live: LiveInstance) -> str:
    """Why, as far as DSW tells: the reason is often empty, and the events say what it was."""
    from alibabacloud_pai_dsw20220101.models import GetInstanceEventsRequest

    events = client.get_instance_events(live.id, GetInstanceEventsRequest()).body.events or []
    told = [live.reason, *events[-_TOLD_EVENTS:]]
    return "".join(f"; {text}" for text in told if text)
