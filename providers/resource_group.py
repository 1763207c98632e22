"""ResourceGroup: machines of EAS that only the account's own services run on."""

from typing import Any

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import Resource
from typing_extensions import override

from providers.base import Found, Immutable, Props, ResourceInputs, refuse_existing
from providers.eas_live import EasProvider
from providers.eas_machines import MOST_AT_ONCE, LiveMachine, Machines

RESOURCE_GONE = frozenset({"InvalidResource.NotFound"})


class ResourceGroupInputs(ResourceInputs):
    """EAS makes no group without machines, so `first_machines` are bought with it, and are of no meaning after that:
    a `ResourceMachines` with the same labels keeps them.

    A group of that name with machines that bear those labels is the stack's own, and so is one that has neither
    machines nor services: a run that was cut off left it, and it needs no `adopt`.
    """

    cluster_id: Immutable[str]
    group_name: str
    first_machines: Machines
    adopt: bool


class ResourceGroupProvider(EasProvider[ResourceGroupInputs]):
    inputs = ResourceGroupInputs
    gone = RESOURCE_GONE

    @override
    def make(self, wanted: ResourceGroupInputs) -> tuple[str, Props]:
        live = self._by_name(wanted)
        if live is None:
            return self._create(wanted), {}
        refuse_existing(f"a resource group {wanted.group_name}", wanted.adopt or self._is_ours(live, wanted))
        return str(live.resource_id), {}

    @override
    def find(self, id_: str, known: ResourceGroupInputs, outputs: Props) -> Found[ResourceGroupInputs]:
        live = self._describe(id_, known)
        return Found(known.model_copy(update={"group_name": live.resource_name}), {})

    @override
    def change(self, id_: str, before: ResourceGroupInputs, wanted: ResourceGroupInputs) -> Props:
        from alibabacloud_eas20210701.models import UpdateResourceRequest

        if self._describe(id_, wanted).resource_name != wanted.group_name:
            request = UpdateResourceRequest(resource_name=wanted.group_name)
            self.eas.update_resource(wanted.cluster_id, id_, request)
        return {}

    @override
    def remove(self, id_: str, known: ResourceGroupInputs) -> None:
        """Its machines and services must be gone; EAS refuses otherwise."""
        from alibabacloud_eas20210701.models import DeleteResourceRequest

        self.eas.delete_resource(known.cluster_id, id_, DeleteResourceRequest())

    def _describe(self, id_: str, known: ResourceGroupInputs) -> Any:
        from alibabacloud_eas20210701.models import DescribeResourceRequest

        return self.eas.describe_resource(known.cluster_id, id_, DescribeResourceRequest()).body

    def _create(self, wanted: ResourceGroupInputs) -> str:
        from alibabacloud_eas20210701.models import CreateResourceRequest, UpdateResourceInstanceLabelRequest

        kind = wanted.first_machines
        document = kind.document(min(kind.count, MOST_AT_ONCE)) | {
            "ResourceName": wanted.group_name,
            "ResourceType": "Dedicated",
        }
        created = self.eas_once.create_resource(CreateResourceRequest().from_map(document)).body
        # Whether the labels that a group is created with are its machines', EAS does not say.
        request = UpdateResourceInstanceLabelRequest(labels=kind.labels, instance_ids=created.instance_ids)
        self.eas.update_resource_instance_label(wanted.cluster_id, created.resource_id, request)
        return str(created.resource_id)

    def _by_name(self, wanted: ResourceGroupInputs) -> Any:
        from alibabacloud_eas20210701.models import ListResourcesRequest

        request = ListResourcesRequest(resource_name=wanted.group_name, resource_type="Dedicated", page_size=100)
        listed = self.eas.list_resources(request).body.resources or []
        return next((group for group in listed if group.resource_name == wanted.group_name), None)

    def _is_ours(self, live: Any, wanted: ResourceGroupInputs) -> bool:
        if not live.instance_count and not live.service_count:
            return True
        machines = LiveMachine.in_group(self.eas, wanted.cluster_id, live.resource_id)
        return any(machine.is_marked(wanted.first_machines.labels) for machine in machines)


class ResourceGroup(Resource, module="eas", name="ResourceGroup"):
    """Its id is the one that services name in `metadata.resource`."""

    group_name: Output[str]

    def __init__(
        self,
        name: str,
        *,
        cluster_id: Input[str],
        group_name: Input[str],
        first_machines: Input[dict[str, Any]],
        adopt: Input[bool],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "cluster_id": cluster_id,
            "group_name": group_name,
            "first_machines": first_machines,
            "adopt": adopt,
        }
        once = ResourceOptions(ignore_changes=["first_machines"])
        super().__init__(ResourceGroupProvider(), name, props, ResourceOptions.merge(once, opts))
