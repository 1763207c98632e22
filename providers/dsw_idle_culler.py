"""IdleCuller: stops a DSW instance that is idle for too long."""

from typing import Any

from pulumi import Input, ResourceOptions
from pulumi.dynamic import Resource
from pydantic import Field
from typing_extensions import override

from providers.base import Found, Immutable, Props, ResourceInputs, refuse_existing
from providers.dsw_live import DswProvider


class IdleCullerInputs(ResourceInputs):
    """Thresholds in percent; `gpu_percent` is 0 for instances without a GPU, else both count."""

    instance_id: Immutable[str]
    max_idle_minutes: int = Field(ge=1)
    cpu_percent: int = Field(ge=1, le=100)
    gpu_percent: int = Field(ge=0, le=100)
    adopt: bool


class IdleCullerProvider(DswProvider[IdleCullerInputs]):
    inputs = IdleCullerInputs

    @override
    def make(self, wanted: IdleCullerInputs) -> tuple[str, Props]:
        if self.there(lambda: self._get(wanted.instance_id)) is not None:
            refuse_existing(f"an idle culler of {wanted.instance_id}", wanted.adopt)
            self.dsw.delete_idle_instance_culler(wanted.instance_id)
        self._create(wanted)
        return wanted.instance_id, {}

    @override
    def find(self, id_: str, known: IdleCullerInputs, outputs: Props) -> Found[IdleCullerInputs]:
        live = self._get(id_)
        seen = {
            "max_idle_minutes": live.max_idle_time_in_minutes,
            "cpu_percent": live.cpu_percent_threshold,
            "gpu_percent": live.gpu_percent_threshold or 0,
        }
        return Found(known.model_copy(update=seen), {})

    @override
    def change(self, id_: str, before: IdleCullerInputs, wanted: IdleCullerInputs) -> Props:
        """DSW has no operation for it, so there is none for a moment."""
        self.dsw.delete_idle_instance_culler(id_)
        self._create(wanted)
        return {}

    @override
    def remove(self, id_: str, known: IdleCullerInputs) -> None:
        self.dsw.delete_idle_instance_culler(id_)

    def _get(self, instance_id: str) -> Any:
        return self.dsw.get_idle_instance_culler(instance_id).body

    def _create(self, wanted: IdleCullerInputs) -> None:
        from alibabacloud_pai_dsw20220101.models import CreateIdleInstanceCullerRequest

        request = CreateIdleInstanceCullerRequest(
            max_idle_time_in_minutes=wanted.max_idle_minutes,
            cpu_percent_threshold=wanted.cpu_percent,
            gpu_percent_threshold=wanted.gpu_percent or None,
        )
        self.dsw.create_idle_instance_culler(wanted.instance_id, request)


class IdleCuller(Resource, module="dsw", name="IdleCuller"):
    def __init__(
        self,
        name: str,
        *,
        instance_id: Input[str],
        max_idle_minutes: Input[int],
        cpu_percent: Input[int],
        gpu_percent: Input[int],
        adopt: Input[bool],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "instance_id": instance_id,
            "max_idle_minutes": max_idle_minutes,
            "cpu_percent": cpu_percent,
            "gpu_percent": gpu_percent,
            "adopt": adopt,
        }
        super().__init__(IdleCullerProvider(), name, props, opts)
