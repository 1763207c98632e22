"""ServiceCronScaler: the number of replicas of an EAS service follows the time of day."""

from collections.abc import Mapping
from typing import Any

from pulumi import Input, ResourceOptions
from pulumi.dynamic import Resource
from typing_extensions import override

from providers.base import Found, Immutable, Props, ResourceInputs, refuse_existing
from providers.eas_live import GONE, SCALERS_GONE, EasProvider


class ScheduledReplicas(ResourceInputs):
    """`cron` has six fields, of which the first is the second."""

    cron: str
    replicas: int
    time_zone: str


class CronScalerInputs(ResourceInputs):
    """`schedules` are by name. EAS does not tell their time zones, so that a changed one shows no drift."""

    cluster_id: Immutable[str]
    service_name: Immutable[str]
    schedules: dict[str, ScheduledReplicas]
    excluded_dates: list[str]
    adopt: bool


class CronScalerProvider(EasProvider[CronScalerInputs]):
    inputs = CronScalerInputs
    gone = GONE | SCALERS_GONE

    @override
    def make(self, wanted: CronScalerInputs) -> tuple[str, Props]:
        if self._live(wanted) is not None:
            refuse_existing(f"a cron scaler of {wanted.service_name}", wanted.adopt)
        self._bring(wanted)
        return f"{wanted.cluster_id}/{wanted.service_name}", {}

    @override
    def find(self, id_: str, known: CronScalerInputs, outputs: Props) -> Found[CronScalerInputs]:
        live = self._describe(known)
        seen = {
            "schedules": {job.name: _schedule(job, known.schedules) for job in live.scale_jobs or []},
            "excluded_dates": _excluded(live.exclude_dates or [], known.excluded_dates),
        }
        return Found(known.model_copy(update=seen), {})

    @override
    def change(self, id_: str, before: CronScalerInputs, wanted: CronScalerInputs) -> Props:
        self._bring(wanted)
        return {}

    @override
    def remove(self, id_: str, known: CronScalerInputs) -> None:
        """The service keeps its replicas, and its autoscaler the bounds that it has."""
        from alibabacloud_eas20210701.models import DeleteServiceCronScalerRequest

        request = DeleteServiceCronScalerRequest()
        self.eas.delete_service_cron_scaler(known.cluster_id, known.service_name, request)

    def _bring(self, wanted: CronScalerInputs) -> None:
        from alibabacloud_eas20210701 import models

        service = (wanted.cluster_id, wanted.service_name)
        if self._live(wanted) is None:
            created = models.CreateServiceCronScalerRequest().from_map(_document(wanted))
            self.eas.create_service_cron_scaler(*service, created)
        else:
            updated = models.UpdateServiceCronScalerRequest().from_map(_document(wanted))
            self.eas.update_service_cron_scaler(*service, updated)

    def _live(self, wanted: CronScalerInputs) -> Any:
        """What DescribeServiceCronScaler answers; None when there is no cron scaler, or no service."""
        return self.there(lambda: self._describe(wanted))

    def _describe(self, wanted: CronScalerInputs) -> Any:
        from alibabacloud_eas20210701.models import DescribeServiceCronScalerRequest

        request = DescribeServiceCronScalerRequest()
        return self.eas.describe_service_cron_scaler(wanted.cluster_id, wanted.service_name, request).body


class ServiceCronScaler(Resource, module="eas", name="ServiceCronScaler"):
    def __init__(
        self,
        name: str,
        *,
        cluster_id: Input[str],
        service_name: Input[str],
        schedules: Input[Mapping[str, Any]],
        excluded_dates: Input[list[str]],
        adopt: Input[bool],
        opts: ResourceOptions | None = None,
    ) -> None:
        props = {
            "cluster_id": cluster_id,
            "service_name": service_name,
            "schedules": schedules,
            "excluded_dates": excluded_dates,
            "adopt": adopt,
        }
        super().__init__(CronScalerProvider(), name, props, opts)


def _document(wanted: CronScalerInputs) -> dict[str, Any]:
    """The body of CreateServiceCronScaler and UpdateServiceCronScaler, which replaces all of it."""
    jobs = [
        {"Name": name, "Schedule": schedule.cron, "TargetSize": schedule.replicas, "TimeZone": schedule.time_zone}
        for name, schedule in wanted.schedules.items()
    ]
    return {"ScaleJobs": jobs, "ExcludeDates": wanted.excluded_dates}


def _schedule(job: Any, known: Mapping[str, ScheduledReplicas]) -> ScheduledReplicas:
    earlier = known.get(job.name)
    return ScheduledReplicas(
        cron=_spelt_alike(job.schedule, earlier.cron if earlier else ""),
        replicas=job.target_size,
        time_zone=earlier.time_zone if earlier else "",
    )


def _excluded(live: list[str], known: list[str]) -> list[str]:
    """The live days; those that are known when only their order or spelling differs."""
    return known if sorted(map(_canonical, live)) == sorted(map(_canonical, known)) else live


def _spelt_alike(live: str, known: str) -> str:
    return known if _canonical(live) == _canonical(known) else live


def _canonical(cron: str) -> str:
    return " ".join(cron.upper().split())
