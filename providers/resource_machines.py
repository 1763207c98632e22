"""ResourceMachines: machines of one kind in a dedicated resource group, pay-as-you-go or subscribed."""

from typing import Any

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import CheckResult, Resource
from typing_extensions import override

from providers.base import CloudError, Found, Immutable, Props, ResourceInputs, wait_until
from providers.eas_live import EasProvider
from providers.eas_machines import MOST_AT_ONCE, ChargeType, LiveMachine, Machines, subscription_failures
from providers.resource_group import RESOURCE_GONE


class ResourceMachinesInputs(ResourceInputs):
    """`labels` mark the machines: those of this kind that have all of them are ours, whoever bought them, so that a
    run after a cut one buys none twice. With `adopt`, machines of this kind without a label are taken over first."""

    cluster_id: Immutable[str]
    resource_id: Immutable[str]
    instance_type: Immutable[str]
    charge_type: Immutable[ChargeType]
    disk_gib: Immutable[int]
    zone: Immutable[str]
    labels: Immutable[dict[str, str]]
    auto_renewal: bool
    count: int
    adopt: bool
    timeout_s: int

    @property
    def kind(self) -> Machines:
        return Machines(**self.model_dump(include=set(Machines.model_fields)))


class ResourceMachinesProvider(EasProvider[ResourceMachinesInputs]):
    inputs = ResourceMachinesInputs
    gone = RESOURCE_GONE
    delete_before_replace = False  # services move from the old machines to the new ones

    @override
    def check(self, _olds: Props, news: Props) -> CheckResult:
        """Refuses, in the preview already, what a subscription does not allow."""
        checked = super().check(_olds, news)
        fixed = self.inputs.immutable_fields() | {"auto_renewal"}
        return CheckResult(news, [*checked.failures, *subscription_failures(_olds, news, fixed, "count")])

    @override
    def make(self, wanted: ResourceMachinesInputs) -> tuple[str, Props]:
        name = "-".join(wanted.labels.values())
        return f"{wanted.resource_id}/{name}/{wanted.instance_type}", self._bring(wanted)

    @override
    def find(self, id_: str, known: ResourceMachinesInputs, outputs: Props) -> Found[ResourceMachinesInputs]:
        machines = self._ours(known)
        seen: Props = {"count": len(machines)}
        if machines and known.charge_type == "PrePaid":
            seen["auto_renewal"] = all(machine.auto_renewal for machine in machines)
        return Found(known.model_copy(update=seen), _outputs(machines))

    @override
    def change(self, id_: str, before: ResourceMachinesInputs, wanted: ResourceMachinesInputs) -> Props:
        return self._bring(wanted)

    @override
    def remove(self, id_: str, known: ResourceMachinesInputs) -> None:
        self._give_back(known, self._ours(known))

    def _bring(self, wanted: ResourceMachinesInputs) -> Props:
        machines = self._ours(wanted)
        if wanted.adopt and len(machines) < wanted.count:
            self._mark(wanted, wanted.count - len(machines))
            machines = self._ours(wanted)
        if len(machines) > wanted.count:
            # First those that take no instances any more: an earlier run may have begun with them.
            machines.sort(key=lambda machine: (machine.takes_instances, machine.id))
            self._give_back(wanted, machines[: len(machines) - wanted.count])
        self._buy(wanted, wanted.count - len(machines))
        return _outputs(self._await_ready(wanted))

    def _mark(self, wanted: ResourceMachinesInputs, most: int) -> None:
        from alibabacloud_eas20210701.models import UpdateResourceInstanceLabelRequest

        there = LiveMachine.in_group(self.eas, wanted.cluster_id, wanted.resource_id)
        free = [machine.id for machine in there if machine.is_like(wanted.kind) and not machine.labels][:most]
        for first in range(0, len(free), MOST_AT_ONCE):
            ids = free[first : first + MOST_AT_ONCE]
            request = UpdateResourceInstanceLabelRequest(labels=wanted.labels, instance_ids=ids)
            self.eas.update_resource_instance_label(wanted.cluster_id, wanted.resource_id, request)

    def _buy(self, wanted: ResourceMachinesInputs, number: int) -> None:
        from alibabacloud_eas20210701.models import CreateResourceInstancesRequest

        while number > 0:
            document = wanted.kind.document(min(number, MOST_AT_ONCE))
            request = CreateResourceInstancesRequest().from_map(document)
            self.eas_once.create_resource_instances(wanted.cluster_id, wanted.resource_id, request)
            number -= MOST_AT_ONCE

    def _give_back(self, wanted: ResourceMachinesInputs, machines: list[LiveMachine]) -> None:
        """Deletes machines once what runs on them has moved elsewhere."""
        from alibabacloud_eas20210701.models import DeleteResourceInstancesRequest, UpdateResourceInstanceRequest

        if not machines:
            return
        if wanted.charge_type == "PrePaid":
            until = ", ".join(sorted({machine.expires for machine in machines if machine.expires}))
            raise CloudError(
                f"{len(machines)} machines {wanted.instance_type} of {wanted.resource_id} are subscribed"
                f"{f' until {until}' if until else ''}, and EAS deletes pay-as-you-go machines only: unsubscribe "
                "them in the console (Expenses and Costs), or wait until they have expired, then run this again"
            )
        place = (wanted.cluster_id, wanted.resource_id)
        for machine in machines:
            if machine.takes_instances:
                request = UpdateResourceInstanceRequest(action="Drain", reason="to be deleted")
                self.eas.update_resource_instance(*place, machine.id, request)
        wait_until(
            lambda: [name for machine in machines for name in self._workers(wanted, machine)],
            lambda workers: not workers,
            timeout_s=wanted.timeout_s,
            poll_s=self.poll_s,
            late=lambda workers: (
                f"{len(machines)} machines {wanted.instance_type} of {wanted.resource_id} to be left; instances of "
                f"{', '.join(sorted(set(workers)))} are still there, which have no room elsewhere. No machine was "
                "deleted, but these get no further instances; make room or lower replicas, then run this again"
            ),
        )
        for first in range(0, len(machines), MOST_AT_ONCE):
            ids = ",".join(machine.id for machine in machines[first : first + MOST_AT_ONCE])
            self.eas.delete_resource_instances(*place, DeleteResourceInstancesRequest(instance_list=ids))

    def _workers(self, wanted: ResourceMachinesInputs, machine: LiveMachine) -> list[str]:
        """The services that have instances on a machine."""
        from alibabacloud_eas20210701.models import ListResourceInstanceWorkerRequest

        request = ListResourceInstanceWorkerRequest(page_size=100)
        place = (wanted.cluster_id, wanted.resource_id, machine.id)
        return [pod.service_name for pod in self.eas.list_resource_instance_worker(*place, request).body.pods or []]

    def _await_ready(self, wanted: ResourceMachinesInputs) -> list[LiveMachine]:
        def late(machines: list[LiveMachine]) -> str:
            told = ", ".join(f"{machine.id} is {machine.status}" for machine in machines if not machine.is_ready)
            return (
                f"{wanted.count} machines {wanted.instance_type} of {wanted.resource_id} to be ready; there are "
                f"{len(machines)}{f', and {told}' if told else ''}. EAS goes on trying; wait, then run `pulumi up` "
                "again, or raise timeout_min of the machines"
            )

        return wait_until(
            lambda: self._ours(wanted),
            lambda machines: len(machines) >= wanted.count and all(machine.is_ready for machine in machines),
            timeout_s=wanted.timeout_s,
            poll_s=self.poll_s,
            late=late,
        )

    def _ours(self, wanted: ResourceMachinesInputs) -> list[LiveMachine]:
        there = LiveMachine.in_group(self.eas, wanted.cluster_id, wanted.resource_id)
        return [machine for machine in there if machine.is_marked(wanted.labels) and machine.is_like(wanted.kind)]


class ResourceMachines(Resource, module="eas", name="ResourceMachines"):
    instance_ids: Output[list[str]]

    def __init__(
        self,
        name: str,
        *,
        cluster_id: Input[str],
        resource_id: Input[str],
        instance_type: Input[str],
        charge_type: Input[str],
        disk_gib: Input[int],
        zone: Input[str],
        labels: Input[dict[str, str]],
        auto_renewal: Input[bool],
        count: Input[int],
        adopt: Input[bool],
        timeout_s: Input[int],
        opts: ResourceOptions | None = None,
    ) -> None:
        props: dict[str, Any] = {
            "cluster_id": cluster_id,
            "resource_id": resource_id,
            "instance_type": instance_type,
            "charge_type": charge_type,
            "disk_gib": disk_gib,
            "zone": zone,
            "labels": labels,
            "auto_renewal": auto_renewal,
            "count": count,
            "adopt": adopt,
            "timeout_s": timeout_s,
            "instance_ids": None,
        }
        super().__init__(ResourceMachinesProvider(), name, props, opts)


def _outputs(machines: list[LiveMachine]) -> Props:
    return {"instance_ids": sorted(machine.id for machine in machines)}
