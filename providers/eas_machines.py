"""Machines of dedicated resource groups, as they are bought and as EAS has them at this moment."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self

from pulumi.dynamic import CheckFailure
from pydantic import BaseModel, ConfigDict

from providers.base import Props

if TYPE_CHECKING:
    from alibabacloud_eas20210701.client import Client
    from alibabacloud_eas20210701.models import ResourceInstance

ChargeType = Literal["PostPaid", "PrePaid"]

MOST_AT_ONCE = 100
_PAGE = 100


class Machines(BaseModel):
    """Machines of one kind. `disk_gib` is 200 to 2000; an empty `zone` leaves the choice to EAS; all of `labels` mark
    a machine as one of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    instance_type: str
    count: int
    charge_type: ChargeType
    auto_renewal: bool
    disk_gib: int
    zone: str
    labels: dict[str, str]

    def document(self, count: int) -> dict[str, Any]:
        """What CreateResource and CreateResourceInstances take for so many of them."""
        optional = {"Zone": self.zone} if self.zone else {}
        return optional | {
            "EcsInstanceType": self.instance_type,
            "EcsInstanceCount": count,
            "ChargeType": self.charge_type,
            "AutoRenewal": self.auto_renewal,
            "SystemDiskSize": self.disk_gib,
            "Labels": self.labels,
        }


@dataclass(frozen=True)
class LiveMachine:
    """What ListResourceInstances answers, as far as it is used here. `expires` is empty for pay-as-you-go."""

    id: str
    status: str
    instance_type: str
    charge_type: str
    auto_renewal: bool
    disk_gib: int
    zone: str
    labels: dict[str, str]
    expires: str

    @classmethod
    def in_group(cls, client: "Client", cluster_id: str, resource_id: str) -> list[Self]:
        """Raises Tea's exception with the code InvalidResource.NotFound when there is no such group."""
        from alibabacloud_eas20210701.models import ListResourceInstancesRequest

        def pages() -> Iterator[list["ResourceInstance"]]:
            number = 1
            while True:
                request = ListResourceInstancesRequest(page_number=number, page_size=_PAGE)
                found = client.list_resource_instances(cluster_id, resource_id, request).body.instances or []
                yield found
                if len(found) < _PAGE:
                    return
                number += 1

        return [cls._of(machine) for page in pages() for machine in page]

    @classmethod
    def _of(cls, machine: "ResourceInstance") -> Self:
        return cls(
            id=machine.instance_id,
            status=machine.instance_status or "",
            instance_type=machine.instance_type or "",
            charge_type=machine.charge_type or "",
            auto_renewal=bool(machine.auto_renewal),
            disk_gib=machine.instance_system_disk_size or 0,
            zone=machine.zone or "",
            labels={label.label_key: label.label_value for label in machine.labels or []},
            expires=machine.expired_time or "",
        )

    @property
    def is_ready(self) -> bool:
        """EAS says Ready-SchedulingEnabled, or Ready-SchedulingDisabled of one that gets no further instances."""
        return self.status.startswith("Ready")

    @property
    def takes_instances(self) -> bool:
        return not self.status.endswith("SchedulingDisabled")

    def is_like(self, kind: Machines) -> bool:
        """Whether it was bought as one of that kind; labels aside."""
        own = (self.instance_type, self.charge_type, self.disk_gib)
        return own == (kind.instance_type, kind.charge_type, kind.disk_gib) and kind.zone in ("", self.zone)

    def is_marked(self, labels: dict[str, str]) -> bool:
        return labels.items() <= self.labels.items()


def subscription_failures(before: Props, now: Props, fixed: set[str], count: str) -> list[CheckFailure]:
    """What is paid for until it expires cannot be changed in what is `fixed`, nor can there be fewer of it."""
    if before.get("charge_type") != "PrePaid":
        return []
    ends = "is paid for until it expires, and EAS neither takes it back nor changes it"
    failures = [
        CheckFailure(
            name,
            f"was {before.get(name)!r} and is to be {now.get(name)!r}, but a subscription {ends}. Keep the setting; "
            "declare something new beside it; renewal can be changed in the console (Expenses and Costs), then "
            "`pulumi refresh`",
        )
        for name in sorted(fixed)
        if before.get(name) != now.get(name)
    ]
    if isinstance(fewer := now.get(count), float) and fewer < before.get(count, 0):
        message = (
            f"was {before[count]:g} and is to be {fewer:g}, but a subscription {ends}. Unsubscribe in the console, or "
            "wait until it has expired; then `pulumi refresh`"
        )
        failures.append(CheckFailure(count, message))
    return failures
