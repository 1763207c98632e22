"""What a stack has of its own to run services on and to call them through: machines and gateways."""

from collections.abc import Mapping
from typing import Any

import pulumi
from pulumi import Input, Output, ResourceOptions

from components.billing_config import (
    GatewaySettings,
    MachineGroupSettings,
    MixSettings,
    PoolSettings,
    SubscriptionSettings,
)
from providers.eas_gateway import Gateway
from providers.resource_group import ResourceGroup
from providers.resource_machines import ResourceMachines
from providers.virtual_resource_group import VirtualResourceGroup

# Its value, GROUP/POOL, tells the machines of one pool from others; EAS's machines have no names of one's own.
_MARK = "paistack-machines"


class MachineGroup(pulumi.ComponentResource):
    """A dedicated resource group and its machines, pool by pool. What runs there depends on all of it."""

    resource_id: Output[str]

    def __init__(
        self,
        name: str,
        settings: MachineGroupSettings,
        *,
        group_name: str,
        region: str,
        tags: Mapping[str, str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("paistack:eas:MachineGroup", name, settings.model_dump(mode="json", exclude_none=True), opts)
        kinds = {pool: _kind(its, {**tags, _MARK: f"{name}/{pool}"}) for pool, its in settings.pools.items()}
        group = ResourceGroup(
            f"{name}-group",
            cluster_id=region,
            group_name=group_name,
            first_machines=next(iter(kinds.values())),
            adopt=settings.adopt,
            opts=ResourceOptions(parent=self),
        )
        for pool, kind in kinds.items():
            ResourceMachines(
                f"{name}-{pool}",
                cluster_id=region,
                resource_id=group.id,
                **kind,
                adopt=settings.adopt,
                timeout_s=settings.timeout_min * 60,
                opts=ResourceOptions(parent=self),
            )
        self.resource_id = group.id
        self.register_outputs({"resource_id": self.resource_id})


class MachineMix(pulumi.ComponentResource):
    """A virtual resource group."""

    resource_id: Output[str]

    def __init__(
        self,
        name: str,
        settings: MixSettings,
        *,
        group_name: str,
        region: str,
        groups: Mapping[str, MachineGroup],
        opts: ResourceOptions | None = None,
    ) -> None:
        """`groups` are the dedicated ones that its sources may name, by their keys."""
        super().__init__("paistack:eas:MachineMix", name, settings.model_dump(mode="json", exclude_none=True), opts)
        mix = VirtualResourceGroup(
            f"{name}-mix",
            cluster_id=region,
            group_name=group_name,
            sources=[
                {
                    "instance_type": source.instance_type or "",
                    "resource_id": groups[source.machines].resource_id if source.machines else "",
                    "spot_price_limit": source.max_price_usd_per_hour or 0,
                    "priority": len(settings.sources) - number,
                }
                for number, source in enumerate(settings.sources)
            ],
            spot_protection=settings.protected_hour,
            adopt=settings.adopt,
            opts=ResourceOptions(parent=self),
        )
        self.resource_id = mix.id
        self.register_outputs({"resource_id": self.resource_id})


class PrivateGateway(pulumi.ComponentResource):
    """A gateway of the stack's own."""

    gateway_id: Output[str]

    def __init__(
        self,
        name: str,
        settings: GatewaySettings,
        *,
        gateway_name: str,
        region: str,
        tags: Mapping[str, str],
        opts: ResourceOptions | None = None,
    ) -> None:
        super().__init__("paistack:eas:PrivateGateway", name, settings.model_dump(mode="json", exclude_none=True), opts)
        gateway = Gateway(
            f"{name}-gateway",
            cluster_id=region,
            gateway_name=gateway_name,
            **_paid(settings.subscription),
            instance_type=settings.size,
            replicas=settings.nodes,
            internet=settings.internet,
            intranet=settings.intranet,
            labels=dict(tags),
            adopt=settings.adopt,
            timeout_s=settings.timeout_min * 60,
            opts=ResourceOptions(parent=self),
        )
        self.gateway_id = gateway.id
        self.register_outputs({"gateway_id": self.gateway_id})


def _kind(pool: PoolSettings, labels: Mapping[str, str]) -> dict[str, Input[Any]]:
    return {
        "instance_type": pool.instance_type,
        "count": pool.count,
        **_paid(pool.subscription),
        "disk_gib": pool.disk_gib,
        "zone": pool.zone or "",
        "labels": dict(labels),
    }


def _paid(subscription: SubscriptionSettings | None) -> dict[str, Input[Any]]:
    if subscription is None:
        return {"charge_type": "PostPaid", "auto_renewal": False}
    return {"charge_type": "PrePaid", "auto_renewal": subscription.auto_renewal}
