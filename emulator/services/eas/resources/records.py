"""Resource groups, their machines, virtual resource groups and gateways, as documents of the store."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

ChargeType = Literal["PrePaid", "PostPaid"]


class ResourceGroup(BaseModel):
    """A dedicated resource group. `dlink` is its connection to a VPC, by the names on the wire."""

    region: str
    id: str
    name: str
    usage_mode: str
    created_at: datetime
    updated_at: datetime
    dlink: dict[str, str | list[str]] = {}


class ResourceMachine(BaseModel):
    """One machine of a dedicated resource group; `type` is a key of MACHINES, the disk is in GiB."""

    region: str
    group: str
    id: str
    type: str
    charge_type: ChargeType
    auto_renewal: bool
    disk_gib: int
    zone: str
    labels: dict[str, str]
    created_at: datetime
    ready_at: datetime
    cordoned: bool = False
    cordon_reason: str = ""


class VirtualSource(BaseModel):
    """Where a virtual resource group takes machines from: an instance type of the public group (spot, when there is a
    `spot_price_limit`) or a dedicated group. A higher `priority` comes first."""

    priority: int
    instance_type: str | None = None
    resource_id: str | None = None
    region: str | None = None
    spot_price_limit: float | None = None


class VirtualGroup(BaseModel):
    region: str
    id: str
    name: str
    sources: list[VirtualSource]
    disable_spot_protection_period: bool
    created_at: datetime
    updated_at: datetime


class PrivateGateway(BaseModel):
    region: str
    id: str
    name: str
    instance_type: str
    replicas: int
    charge_type: ChargeType
    internet: bool
    intranet: bool
    is_default: bool
    ssl_redirection: bool
    labels: dict[str, str]
    created_at: datetime
    updated_at: datetime
