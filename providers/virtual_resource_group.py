"""VirtualResourceGroup: several kinds of machines of EAS under one id, by priority; spot machines may be among them."""

from typing import Any

from pulumi import Input, ResourceOptions
from pulumi.dynamic import Resource
from pydantic import BaseModel, ConfigDict
from typing_extensions import override

from providers.base import Found, Immutable, Props, ResourceInputs, refuse_existing
from providers.eas_live import EasProvider


class Source(BaseModel):
    """Where machines come from: a type of the public group, which is spot up to `spot_price_limit` (USD an hour) when
    that is not 0, or a dedicated group. The other of the two is empty. A greater `priority` comes first."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instance_type: str
    resource_id: str
    spot_price_limit: float
    priority: int

    def document(self) -> dict[str, Any]:
        optional = {
            "InstanceType": self.instance_type,
            "ResourceId": self.resource_id,
            "SpotPriceLimit": self.spot_price_limit,
        }
        return {"Priority": self.priority} | {name: value for name, value in optional.items() if value}


class VirtualResourceGroupInputs(ResourceInputs):
    """A group of that name with the very same sources, which no service uses, is the stack's own: a run that was cut
    off left it, and it needs no `adopt`. EAS does not order its answer; sources are compared by priority."""

    cluster_id: Immutable[str]
    group_name: str
    sources: list[Source]
    spot_protection: bool
    adopt: bool

    def document(self) -> dict[str, Any]:
        """The body of CreateVirtualResource and UpdateVirtualResource, which replaces all of it."""
        return {
            "VirtualResourceName": self.group_name,
            "DisableSpotProtectionPeriod": not self.spot_protection,
            "Resources": [source.document() for source in self.sources],
        }


class VirtualResourceGroupProvider(EasProvider[VirtualResourceGroupInputs]):
    inputs = VirtualResourceGroupInputs
    gone = frozenset({"InvalidVirtualResource.NotFound"})

    @override
    def make(self, wanted: VirtualResourceGroupInputs) -> tuple[str, Props]:
        from alibabacloud_eas20210701.models import CreateVirtualResourceRequest

        listed = self._by_name(wanted)
        if listed is None:
            request = CreateVirtualResourceRequest().from_map(wanted.document())
            return str(self.eas_once.create_virtual_resource(request).body.virtual_resource_id), {}
        id_ = str(listed.virtual_resource_id)
        left_behind = not listed.service_count and self._live(id_, wanted) == wanted
        refuse_existing(f"a virtual resource group {wanted.group_name}", wanted.adopt or left_behind)
        self._update(id_, wanted)
        return id_, {}

    @override
    def find(self, id_: str, known: VirtualResourceGroupInputs, outputs: Props) -> Found[VirtualResourceGroupInputs]:
        return Found(self._live(id_, known), {})

    @override
    def change(self, id_: str, before: VirtualResourceGroupInputs, wanted: VirtualResourceGroupInputs) -> Props:
        self._update(id_, wanted)
        return {}

    @override
    def remove(self, id_: str, known: VirtualResourceGroupInputs) -> None:
        """Its services must be gone; EAS refuses otherwise."""
        from alibabacloud_eas20210701.models import DeleteVirtualResourceRequest

        self.eas.delete_virtual_resource(known.cluster_id, id_, DeleteVirtualResourceRequest())

    def _update(self, id_: str, wanted: VirtualResourceGroupInputs) -> None:
        from alibabacloud_eas20210701.models import UpdateVirtualResourceRequest

        request = UpdateVirtualResourceRequest().from_map(wanted.document())
        self.eas.update_virtual_resource(wanted.cluster_id, id_, request)

    def _by_name(self, wanted: VirtualResourceGroupInputs) -> Any:
        from alibabacloud_eas20210701.models import ListVirtualResourceRequest

        request = ListVirtualResourceRequest(virtual_resource_name=wanted.group_name, page_size=100)
        listed = self.eas.list_virtual_resource(request).body.virtual_resources or []
        return next((group for group in listed if group.virtual_resource_name == wanted.group_name), None)

    def _live(self, id_: str, known: VirtualResourceGroupInputs) -> VirtualResourceGroupInputs:
        from alibabacloud_eas20210701.models import DescribeVirtualResourceRequest

        request = DescribeVirtualResourceRequest()
        live = self.eas.describe_virtual_resource(known.cluster_id, id_, request).body
        sources = [
            Source(
                instance_type=each.instance_type or "",
                resource_id=each.resource_id or "",
                spot_price_limit=each.spot_price_limit or 0,
                priority=each.priority or 0,
            )
            for each in live.resources or []
        ]
        if _by_priority(sources) == _by_priority(known.sources):
            sources = known.sources
        seen = {
            "group_name": live.virtual_resource_name,
            "sources": sources,
            "spot_protection": not live.disable_spot_protection_period,
        }
        return known.model_copy(update=seen)


class VirtualResourceGroup(Resource, module="eas", name="VirtualResourceGroup"):
    """Its id is the one that services name in `metadata.resource`."""

    def __init__(
        self,
        name: str,
        *,
        cluster_id: Input[str],
        group_name: Input[str],
        sources: Input[list[Any]],
        spot_protection: Input[bool],
        adopt: Input[bool],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "cluster_id": cluster_id,
            "group_name": group_name,
            "sources": sources,
            "spot_protection": spot_protection,
            "adopt": adopt,
        }
        super().__init__(VirtualResourceGroupProvider(), name, props, opts)


def _by_priority(sources: list[Source]) -> list[Source]:
    return sorted(sources, key=lambda each: (-each.priority, each.instance_type, each.resource_id))
