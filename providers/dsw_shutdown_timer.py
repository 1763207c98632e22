"""ShutdownTimer: stops a DSW instance a while after it was started, whatever it does then."""

from typing import Any

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import Resource
from pydantic import Field
from typing_extensions import override

from providers.base import Found, Immutable, Props, ResourceInputs, refuse_existing
from providers.dsw_live import DswProvider, LiveInstance


class ShutdownTimerInputs(ResourceInputs):
    """The time counts from the timer's creation, and anew when `after_minutes` changes."""

    instance_id: Immutable[str]
    after_minutes: int = Field(ge=1)
    adopt: bool


class ShutdownTimerProvider(DswProvider[ShutdownTimerInputs]):
    inputs = ShutdownTimerInputs

    @override
    def make(self, wanted: ShutdownTimerInputs) -> tuple[str, Props]:
        if self.there(lambda: self._get(wanted.instance_id)) is not None:
            refuse_existing(f"a shutdown timer of {wanted.instance_id}", wanted.adopt)
            self.dsw.delete_instance_shutdown_timer(wanted.instance_id)
        return wanted.instance_id, self._create(wanted)

    @override
    def find(self, id_: str, known: ShutdownTimerInputs, outputs: Props) -> Found[ShutdownTimerInputs]:
        """A timer that has stopped its instance is gone from DSW, but it has done what it was declared for: it counts
        as there until the instance runs again."""
        live = self.there(lambda: self._get(id_))
        if live is None and LiveInstance.get(self.dsw, id_).status == "Running":
            live = self._get(id_)
        return Found(known, {"due": live.due_time if live else outputs.get("due", "")})

    @override
    def change(self, id_: str, before: ShutdownTimerInputs, wanted: ShutdownTimerInputs) -> Props:
        """DSW has no operation for it, so there is none for a moment."""
        if self.there(lambda: self._get(id_)) is not None:
            self.dsw.delete_instance_shutdown_timer(id_)
        return self._create(wanted)

    @override
    def remove(self, id_: str, known: ShutdownTimerInputs) -> None:
        self.dsw.delete_instance_shutdown_timer(id_)

    def _get(self, instance_id: str) -> Any:
        return self.dsw.get_instance_shutdown_timer(instance_id).body

    def _create(self, wanted: ShutdownTimerInputs) -> Props:
        from alibabacloud_pai_dsw20220101.models import CreateInstanceShutdownTimerRequest

        request = CreateInstanceShutdownTimerRequest(remaining_time_in_ms=wanted.after_minutes * 60_000)
        self.dsw.create_instance_shutdown_timer(wanted.instance_id, request)
        return {"due": self._get(wanted.instance_id).due_time}


class ShutdownTimer(Resource, module="dsw", name="ShutdownTimer"):
    due: Output[str]
    """When the instance is stopped, in ISO 8601 and UTC."""

    def __init__(
        self,
        name: str,
        *,
        instance_id: Input[str],
        after_minutes: Input[int],
        adopt: Input[bool],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {"instance_id": instance_id, "after_minutes": after_minutes, "adopt": adopt, "due": None}
        super().__init__(ShutdownTimerProvider(), name, props, opts)
