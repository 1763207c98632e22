"""ServiceRollout: how far, and in what steps, updates of an EAS service reach its replicas."""

from operator import attrgetter
from typing import Any

from pulumi import Input, ResourceOptions
from pulumi.dynamic import Resource
from typing_extensions import override

from providers.base import Found, Immutable, Props, ResourceInputs, refuse_existing
from providers.eas_live import GONE, EasProvider, LiveService, await_running

_SECONDS = {"s": 1, "m": 60, "h": 3600}


class RolloutInputs(ResourceInputs):
    """Either `batch_size` (replicas that are updated at once, as a number or a percentage; `interval_s` between
    batches) or `partition` (replicas that stay old) is not empty. Nothing more is updated while it is `paused`.

    It is in force for every later update too. `timeout_s` is for going on after a pause or with a lower partition.
    """

    cluster_id: Immutable[str]
    service_name: Immutable[str]
    batch_size: str
    interval_s: int
    partition: str
    paused: bool
    adopt: bool
    timeout_s: int


class RolloutProvider(EasProvider[RolloutInputs]):
    inputs = RolloutInputs
    gone = GONE | {"InvalidRollout.NotFound"}

    @override
    def make(self, wanted: RolloutInputs) -> tuple[str, Props]:
        from alibabacloud_eas20210701.models import CreateServiceRolloutRequest

        if self.there(lambda: self._describe(wanted)) is None:
            request = CreateServiceRolloutRequest().from_map(_document(wanted))
            self.eas.create_service_rollout(wanted.cluster_id, wanted.service_name, request)
        else:
            refuse_existing(f"a rollout of {wanted.service_name}", wanted.adopt)
            self._update(wanted)
        return f"{wanted.cluster_id}/{wanted.service_name}", {}

    @override
    def find(self, id_: str, known: RolloutInputs, outputs: Props) -> Found[RolloutInputs]:
        live = self._describe(known)
        batch, partition = live.strategy.batch, live.strategy.partition
        seen = {
            "batch_size": batch.batch_size if batch else "",
            "interval_s": _seconds(batch.interval) if batch else known.interval_s,
            "partition": partition.partition if partition else "",
            "paused": _paused(live.status.phase, known.paused),
        }
        return Found(known.model_copy(update=seen), {})

    @override
    def change(self, id_: str, before: RolloutInputs, wanted: RolloutInputs) -> Props:
        """Returns when the replicas that may be updated now are."""
        self._update(wanted)
        if not wanted.paused:
            await_running(
                lambda: LiveService.describe(self.eas, wanted.cluster_id, wanted.service_name),
                attrgetter("current_version"),
                timeout_s=wanted.timeout_s,
                poll_s=self.poll_s,
            )
        return {}

    @override
    def remove(self, id_: str, known: RolloutInputs) -> None:
        """What is left of an update under way goes on by itself, without steps or a halt, and nobody waits for it."""
        from alibabacloud_eas20210701.models import DeleteServiceRolloutRequest

        self.eas.delete_service_rollout(known.cluster_id, known.service_name, DeleteServiceRolloutRequest())

    def _describe(self, wanted: RolloutInputs) -> Any:
        from alibabacloud_eas20210701.models import DescribeServiceRolloutRequest

        request = DescribeServiceRolloutRequest()
        return self.eas.describe_service_rollout(wanted.cluster_id, wanted.service_name, request).body.rollout

    def _update(self, wanted: RolloutInputs) -> None:
        from alibabacloud_eas20210701.models import UpdateServiceRolloutRequest

        request = UpdateServiceRolloutRequest().from_map(_document(wanted))
        self.eas.update_service_rollout(wanted.cluster_id, wanted.service_name, request)


class ServiceRollout(Resource, module="eas", name="ServiceRollout"):
    def __init__(
        self,
        name: str,
        *,
        cluster_id: Input[str],
        service_name: Input[str],
        batch_size: Input[str],
        interval_s: Input[int],
        partition: Input[str],
        paused: Input[bool],
        adopt: Input[bool],
        timeout_s: Input[int],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "cluster_id": cluster_id,
            "service_name": service_name,
            "batch_size": batch_size,
            "interval_s": interval_s,
            "partition": partition,
            "paused": paused,
            "adopt": adopt,
            "timeout_s": timeout_s,
        }
        super().__init__(RolloutProvider(), name, props, opts)


def _document(wanted: RolloutInputs) -> dict[str, Any]:
    """The body of CreateServiceRollout and UpdateServiceRollout: one of the two strategies."""
    batch = {"Batch": {"BatchSize": wanted.batch_size, "Interval": f"{wanted.interval_s}s"}}
    partition = {"Partition": {"Partition": wanted.partition}}
    return (partition if wanted.partition else batch) | {"Paused": wanted.paused}


def _seconds(interval: str | None) -> int:
    """Of `30s`, `5m` or `1h`."""
    return int(interval[:-1]) * _SECONDS[interval[-1]] if interval else 0


def _paused(phase: str, known: bool) -> bool:
    """EAS tells of a pause only while an update is under way."""
    return phase == "Paused" if phase in ("Running", "Paused") else known
