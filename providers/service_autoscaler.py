"""ServiceAutoscaler: the number of replicas of an EAS service follows its load."""

from typing import Any

from pulumi import Input, ResourceOptions
from pulumi.dynamic import Resource
from typing_extensions import override

from providers.base import Found, Immutable, Props, ResourceInputs, refuse_existing
from providers.eas_live import GONE, SCALERS_GONE, EasProvider


class AutoscalerInputs(ResourceInputs):
    """`thresholds` are averages per replica, by EAS's names of metrics: qps, cpu and gpu[util] (both in percent).

    `scheduled_replicas` are the numbers that a cron scaler of the same service sets. EAS moves the bounds to them, and
    answers with the moved ones: such a bound is no drift, and an update leaves it as it is. EAS does not tell who moved
    a bound, so that somebody else's change of it to one of these numbers is not seen either.

    `floor_moves`: a controller moves the lower bound (`paistack scale`). Anywhere from `min_replicas` to below
    `max_replicas` it is no drift, and an update leaves it there.
    """

    cluster_id: Immutable[str]
    service_name: Immutable[str]
    min_replicas: int
    max_replicas: int
    thresholds: dict[str, float]
    scale_out_window_s: int
    scale_in_window_s: int
    to_zero_after_s: int
    wake_replicas: int
    scheduled_replicas: list[int]
    floor_moves: bool = False  # what was declared before there were controllers does not say it
    adopt: bool


class AutoscalerProvider(EasProvider[AutoscalerInputs]):
    inputs = AutoscalerInputs
    gone = GONE | SCALERS_GONE

    @override
    def make(self, wanted: AutoscalerInputs) -> tuple[str, Props]:
        if self._live(wanted) is not None:
            refuse_existing(f"an autoscaler of {wanted.service_name}", wanted.adopt)
        self._bring(wanted)
        return f"{wanted.cluster_id}/{wanted.service_name}", {}

    @override
    def find(self, id_: str, known: AutoscalerInputs, outputs: Props) -> Found[AutoscalerInputs]:
        live = self._describe(known)
        return Found(known.model_copy(update=_declared_bounds(known, live) | _settings(known, live)), {})

    @override
    def change(self, id_: str, before: AutoscalerInputs, wanted: AutoscalerInputs) -> Props:
        self._bring(wanted)
        return {}

    @override
    def remove(self, id_: str, known: AutoscalerInputs) -> None:
        """The service keeps the replicas that it has."""
        from alibabacloud_eas20210701.models import DeleteServiceAutoScalerRequest

        request = DeleteServiceAutoScalerRequest()
        self.eas.delete_service_auto_scaler(known.cluster_id, known.service_name, request)

    def _bring(self, wanted: AutoscalerInputs) -> None:
        from alibabacloud_eas20210701 import models

        service = (wanted.cluster_id, wanted.service_name)
        live = self._live(wanted)
        if live is None:
            created = models.CreateServiceAutoScalerRequest().from_map(_document(wanted, wanted.min_replicas))
            self.eas.create_service_auto_scaler(*service, created)
        else:
            updated = models.UpdateServiceAutoScalerRequest().from_map(_document(wanted, _minimum_now(wanted, live)))
            self.eas.update_service_auto_scaler(*service, updated)

    def _live(self, wanted: AutoscalerInputs) -> Any:
        """What DescribeServiceAutoScaler answers; None when there is no autoscaler, or no service."""
        return self.there(lambda: self._describe(wanted))

    def _describe(self, wanted: AutoscalerInputs) -> Any:
        from alibabacloud_eas20210701.models import DescribeServiceAutoScalerRequest

        request = DescribeServiceAutoScalerRequest()
        return self.eas.describe_service_auto_scaler(wanted.cluster_id, wanted.service_name, request).body


class ServiceAutoscaler(Resource, module="eas", name="ServiceAutoscaler"):
    def __init__(
        self,
        name: str,
        *,
        cluster_id: Input[str],
        service_name: Input[str],
        min_replicas: Input[int],
        max_replicas: Input[int],
        thresholds: Input[dict[str, float]],
        scale_out_window_s: Input[int],
        scale_in_window_s: Input[int],
        to_zero_after_s: Input[int],
        wake_replicas: Input[int],
        scheduled_replicas: Input[list[int]],
        floor_moves: Input[bool],
        adopt: Input[bool],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "cluster_id": cluster_id,
            "service_name": service_name,
            "min_replicas": min_replicas,
            "max_replicas": max_replicas,
            "thresholds": thresholds,
            "scale_out_window_s": scale_out_window_s,
            "scale_in_window_s": scale_in_window_s,
            "to_zero_after_s": to_zero_after_s,
            "wake_replicas": wake_replicas,
            "scheduled_replicas": scheduled_replicas,
            "floor_moves": floor_moves,
            "adopt": adopt,
        }
        super().__init__(AutoscalerProvider(), name, props, opts)


def _document(wanted: AutoscalerInputs, minimum: int) -> dict[str, Any]:
    """The body of CreateServiceAutoScaler and UpdateServiceAutoScaler, which replaces all of it."""
    return {
        "min": minimum,
        "max": wanted.max_replicas,
        "scaleStrategies": [{"metricName": name, "threshold": value} for name, value in wanted.thresholds.items()],
        "behavior": {
            "scaleUp": {"stabilizationWindowSeconds": wanted.scale_out_window_s},
            "scaleDown": {"stabilizationWindowSeconds": wanted.scale_in_window_s},
            "onZero": {
                "scaleDownGracePeriodSeconds": wanted.to_zero_after_s,
                "scaleUpActivationReplicas": wanted.wake_replicas,
            },
        },
    }


def _minimum_now(wanted: AutoscalerInputs, live: Any) -> int:
    """The least replicas to ask for: those of a schedule or a controller that is at work, as long as they fit the new
    bounds. Were a controller's floor put back, a change of anything else would let replicas go before a rise.

    EAS refuses a minimum that is the maximum, though a schedule may set it; then the declared one holds until the next
    schedule.
    """
    moved = wanted.floor_moves or live.min_replica in wanted.scheduled_replicas
    fits = wanted.min_replicas < live.min_replica < wanted.max_replicas
    return int(live.min_replica) if moved and fits else wanted.min_replicas


def _declared_bounds(known: AutoscalerInputs, live: Any) -> Props:
    """The live bounds, with those that a schedule or a controller has moved as they were declared: a schedule's target
    becomes the least number of replicas, and the most when it is above that."""
    minimum, maximum = live.min_replica, live.max_replica
    controlled = known.floor_moves and known.min_replicas <= minimum < known.max_replicas
    return {
        "min_replicas": known.min_replicas if controlled or minimum in known.scheduled_replicas else minimum,
        "max_replicas": known.max_replicas
        if maximum in known.scheduled_replicas and maximum > known.max_replicas
        else maximum,
    }


def _settings(known: AutoscalerInputs, live: Any) -> Props:
    """What is left out of the answer has EAS's default; `Behavior` is documented with and without an envelope."""
    behavior = (live.behavior or {}).get("behavior", live.behavior or {})
    on_zero = behavior.get("onZero") or {}
    return {
        "thresholds": {_metric(known, strategy): strategy.threshold for strategy in live.scale_strategies or []},
        "scale_out_window_s": (behavior.get("scaleUp") or {}).get("stabilizationWindowSeconds", 0),
        "scale_in_window_s": (behavior.get("scaleDown") or {}).get("stabilizationWindowSeconds", 300),
        "to_zero_after_s": on_zero.get("scaleDownGracePeriodSeconds", 600),
        "wake_replicas": on_zero.get("scaleUpActivationReplicas", 1),
    }


def _metric(known: AutoscalerInputs, strategy: Any) -> str:
    """As it is declared: EAS documents answers in upper case, and `gpu` for `gpu[util]`; another service's is told."""
    name = strategy.metric_name.lower()
    name = "gpu[util]" if name == "gpu" else name
    return name if strategy.service in (None, "", known.service_name) else f"{name} of {strategy.service}"
