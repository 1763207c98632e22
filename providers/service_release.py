"""ServiceRelease: an EAS service's part in the traffic of its group."""

from pulumi import Input, ResourceOptions
from pulumi.dynamic import Resource
from typing_extensions import override

from providers.base import CloudError, Found, Immutable, Props, ResourceInputs, refuse_existing
from providers.eas_live import EasProvider, LiveService


class ReleaseInputs(ResourceInputs):
    """`traffic_state` is grouping (in the group's traffic, by `weight`) or standalone (out of it).

    Weights are relative to each other, up to 1000, and count in groups of the mode customized.
    """

    cluster_id: Immutable[str]
    service_name: Immutable[str]
    group_name: str
    traffic_state: str
    weight: int
    adopt: bool

    @property
    def takes_traffic(self) -> bool:
        return self.traffic_state == "grouping" and self.weight > 0


class ReleaseProvider(EasProvider[ReleaseInputs]):
    """Never leaves a group without a service that answers: what takes traffic must have replicas, and what gives it up
    must have somebody to give it to. Whoever changes several releases has the weights rise before others fall."""

    inputs = ReleaseInputs
    delete_before_replace = False

    @override
    def make(self, wanted: ReleaseInputs) -> tuple[str, Props]:
        """A service that is still to be created takes no traffic by itself, so nothing is to be done for that."""
        live = self.there(lambda: self._describe(wanted))
        if live is not None and live.traffic_state == "grouping":
            refuse_existing(f"a part of {wanted.service_name} in the traffic of {live.group}", wanted.adopt)
        if live is not None or wanted.takes_traffic:
            self._release(wanted)
        return f"{wanted.cluster_id}/{wanted.service_name}", {}

    @override
    def find(self, id_: str, known: ReleaseInputs, outputs: Props) -> Found[ReleaseInputs]:
        """The weight of a service that is out of the traffic means nothing, and is no drift; nor is its group."""
        live = self._describe(known)
        out = live.traffic_state == "standalone" == known.traffic_state
        seen = {
            "group_name": known.group_name if out else live.group,
            "traffic_state": live.traffic_state,
            "weight": known.weight if out else live.weight,
        }
        return Found(known.model_copy(update=seen), {})

    @override
    def change(self, id_: str, before: ReleaseInputs, wanted: ReleaseInputs) -> Props:
        if before != wanted.model_copy(update={"adopt": before.adopt}):
            self._release(wanted)
        return {}

    @override
    def remove(self, id_: str, known: ReleaseInputs) -> None:
        """The service is standalone again, as every service begins, and keeps its own address; nobody asks whether
        others are left, for the whole group may be going. A service that has moved to another group is left alone."""
        if self._describe(known).group == known.group_name:
            self._send(known, "standalone", None)

    def _describe(self, wanted: ReleaseInputs) -> LiveService:
        return LiveService.describe(self.eas, wanted.cluster_id, wanted.service_name)

    def _release(self, wanted: ReleaseInputs) -> None:
        live = self._describe(wanted)
        if wanted.takes_traffic:
            _check_can_take(live, wanted)
        elif live.takes_traffic:
            self._check_can_give_up(live)
        if wanted.traffic_state == "grouping":
            self._send(wanted, "grouping", wanted.weight)
        elif live.traffic_state != "standalone":
            self._send(wanted, "standalone", None)

    def _check_can_give_up(self, live: LiveService) -> None:
        others = [member for member in LiveService.members(self.eas, live.group) if member.name != live.name]
        if not any(member.takes_traffic and member.can_answer for member in others):
            raise CloudError(
                f"{live.name} has the only share in the traffic of {live.group} that is answered; without it every "
                "request would fail: give another version of the split a weight, or wait until it runs"
            )

    def _send(self, wanted: ReleaseInputs, traffic_state: str, weight: int | None) -> None:
        from alibabacloud_eas20210701.models import ReleaseServiceRequest

        request = ReleaseServiceRequest(traffic_state=traffic_state, weight=weight)
        self.eas.release_service(wanted.cluster_id, wanted.service_name, request)


class ServiceRelease(Resource, module="eas", name="ServiceRelease"):
    def __init__(
        self,
        name: str,
        *,
        cluster_id: Input[str],
        service_name: Input[str],
        group_name: Input[str],
        traffic_state: Input[str],
        weight: Input[int],
        adopt: Input[bool],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "cluster_id": cluster_id,
            "service_name": service_name,
            "group_name": group_name,
            "traffic_state": traffic_state,
            "weight": weight,
            "adopt": adopt,
        }
        super().__init__(ReleaseProvider(), name, props, opts)


def _check_can_take(live: LiveService, wanted: ReleaseInputs) -> None:
    if live.group != wanted.group_name:
        found = f"in the group {live.group}" if live.group else "in no group"
        raise CloudError(
            f"{live.name} is to get traffic of the group {wanted.group_name}, but is {found}: its version "
            f"{live.current_version} says so; go back no further than to a version that joined the group"
        )
    if not live.can_answer:
        raise CloudError(
            f"{live.name} is to get a weight of {wanted.weight}, but is {live.status} with {live.running_replicas} of "
            f"{live.replicas} replicas running, and requests to it would fail: start or repair it first"
        )
