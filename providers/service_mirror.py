"""ServiceMirror: a share of an EAS service's requests is copied to others, whose answers nobody gets."""

from typing import Any

from pulumi import Input, ResourceOptions
from pulumi.dynamic import Resource
from pydantic import Field
from typing_extensions import override

from providers.base import Found, Immutable, Props, ResourceInputs, refuse_existing
from providers.eas_live import GONE, EasProvider


class MirrorInputs(ResourceInputs):
    """`percent` of the requests to `service_name` go to each of `targets`, services of the same region, as well."""

    cluster_id: Immutable[str]
    service_name: Immutable[str]
    targets: list[str] = Field(min_length=1)
    percent: int = Field(ge=0, le=100)
    adopt: bool


class MirrorProvider(EasProvider[MirrorInputs]):
    inputs = MirrorInputs
    gone = GONE | {"InvalidMirror.NotFound"}

    @override
    def make(self, wanted: MirrorInputs) -> tuple[str, Props]:
        from alibabacloud_eas20210701.models import CreateServiceMirrorRequest

        if self.there(lambda: self._describe(wanted)) is None:
            request = CreateServiceMirrorRequest(ratio=wanted.percent, target=wanted.targets)
            self.eas.create_service_mirror(wanted.cluster_id, wanted.service_name, request)
        else:
            refuse_existing(f"a mirror of {wanted.service_name}", wanted.adopt)
            self._update(wanted)
        return f"{wanted.cluster_id}/{wanted.service_name}", {}

    @override
    def find(self, id_: str, known: MirrorInputs, outputs: Props) -> Found[MirrorInputs]:
        """EAS answers with strings, and promises no order of the targets."""
        live = self._describe(known)
        targets = [name for name in (live.target or "").split(",") if name]
        same = sorted(targets) == sorted(known.targets)
        seen = {"targets": known.targets if same else targets, "percent": int(live.ratio)}
        return Found(known.model_copy(update=seen), {})

    @override
    def change(self, id_: str, before: MirrorInputs, wanted: MirrorInputs) -> Props:
        self._update(wanted)
        return {}

    @override
    def remove(self, id_: str, known: MirrorInputs) -> None:
        from alibabacloud_eas20210701.models import DeleteServiceMirrorRequest

        self.eas.delete_service_mirror(known.cluster_id, known.service_name, DeleteServiceMirrorRequest())

    def _describe(self, wanted: MirrorInputs) -> Any:
        from alibabacloud_eas20210701.models import DescribeServiceMirrorRequest

        request = DescribeServiceMirrorRequest()
        return self.eas.describe_service_mirror(wanted.cluster_id, wanted.service_name, request).body

    def _update(self, wanted: MirrorInputs) -> None:
        from alibabacloud_eas20210701.models import UpdateServiceMirrorRequest

        request = UpdateServiceMirrorRequest(ratio=wanted.percent, target=wanted.targets)
        self.eas.update_service_mirror(wanted.cluster_id, wanted.service_name, request)


class ServiceMirror(Resource, module="eas", name="ServiceMirror"):
    def __init__(
        self,
        name: str,
        *,
        cluster_id: Input[str],
        service_name: Input[str],
        targets: Input[list[Input[str]]],
        percent: Input[int],
        adopt: Input[bool],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "cluster_id": cluster_id,
            "service_name": service_name,
            "targets": targets,
            "percent": percent,
            "adopt": adopt,
        }
        super().__init__(MirrorProvider(), name, props, opts)
