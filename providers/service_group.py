"""ServiceGroup: one address and one token for several EAS services, which share its requests."""

from typing import Any

from pulumi import Input, Output, ResourceOptions
from pulumi.dynamic import Resource
from typing_extensions import override

from providers.base import Found, Immutable, Props, ResourceInputs, refuse_existing
from providers.documents import declared_part, overlay
from providers.eas_live import EasProvider


class ServiceGroupInputs(ResourceInputs):
    """`traffic_mode` is auto (shares by replicas) or customized (by weights). A group that has all of `labels` is the
    stack's own: a run that was cut off made it, and it needs no `adopt`."""

    cluster_id: Immutable[str]
    group_name: Immutable[str]
    traffic_mode: str
    labels: dict[str, str]
    adopt: bool


class ServiceGroupProvider(EasProvider[ServiceGroupInputs]):
    inputs = ServiceGroupInputs
    gone = frozenset({"InvalidGroup.NotFound"})

    @override
    def make(self, wanted: ServiceGroupInputs) -> tuple[str, Props]:
        live = self.there(lambda: self._describe(wanted))
        if live is None:
            self._create(wanted)
            labels = wanted.labels
        else:
            labels = _labels(live)
            ours = bool(wanted.labels) and wanted.labels.items() <= labels.items()
            refuse_existing(f"a service group {wanted.group_name}", wanted.adopt or ours)
        self._update(wanted, overlay(labels, {}, wanted.labels))
        return f"{wanted.cluster_id}/{wanted.group_name}", self._outputs(wanted)

    @override
    def find(self, id_: str, known: ServiceGroupInputs, outputs: Props) -> Found[ServiceGroupInputs]:
        live = self._describe(known)
        seen = {"traffic_mode": live.traffic_mode, "labels": declared_part(_labels(live), known.labels)}
        return Found(known.model_copy(update=seen), self._outputs(known))

    @override
    def change(self, id_: str, before: ServiceGroupInputs, wanted: ServiceGroupInputs) -> Props:
        self._update(wanted, overlay(_labels(self._describe(wanted)), before.labels, wanted.labels))
        return self._outputs(wanted)

    @override
    def remove(self, id_: str, known: ServiceGroupInputs) -> None:
        """Its services must have left it; EAS refuses otherwise."""
        from alibabacloud_eas20210701.models import DeleteGroupRequest

        self.eas.delete_group(known.cluster_id, known.group_name, DeleteGroupRequest())

    def _describe(self, wanted: ServiceGroupInputs) -> Any:
        from alibabacloud_eas20210701.models import DescribeGroupRequest

        return self.eas.describe_group(wanted.cluster_id, wanted.group_name, DescribeGroupRequest()).body

    def _create(self, wanted: ServiceGroupInputs) -> None:
        from alibabacloud_eas20210701.models import CreateGroupRequest

        self.eas.create_group(CreateGroupRequest(name=wanted.group_name, labels=wanted.labels))

    def _update(self, wanted: ServiceGroupInputs, labels: dict[str, str]) -> None:
        from alibabacloud_eas20210701.models import UpdateGroupRequest

        request = UpdateGroupRequest(traffic_mode=wanted.traffic_mode, labels=labels)
        self.eas.update_group(wanted.cluster_id, wanted.group_name, request)

    def _outputs(self, wanted: ServiceGroupInputs) -> Props:
        live = self._describe(wanted)
        return {
            "internet_endpoint": live.internet_endpoint or "",
            "intranet_endpoint": live.intranet_endpoint or "",
            "access_token": live.access_token or "",
        }


class ServiceGroup(Resource, module="eas", name="ServiceGroup"):
    group_name: Output[str]
    internet_endpoint: Output[str]
    intranet_endpoint: Output[str]
    access_token: Output[str]
    """Secret. Not that of any of its services."""

    def __init__(
        self,
        name: str,
        *,
        cluster_id: Input[str],
        group_name: Input[str],
        traffic_mode: Input[str],
        labels: Input[dict[str, str]],
        adopt: Input[bool],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "cluster_id": cluster_id,
            "group_name": group_name,
            "traffic_mode": traffic_mode,
            "labels": labels,
            "adopt": adopt,
            "internet_endpoint": None,
            "intranet_endpoint": None,
            "access_token": None,
        }
        secret = ResourceOptions(additional_secret_outputs=["access_token"])
        super().__init__(ServiceGroupProvider(), name, props, ResourceOptions.merge(secret, opts))


def _labels(live: Any) -> dict[str, str]:
    return {label.label_key: label.label_value for label in live.labels or []}
