"""What scales an EAS service: by load, by the time of day, or both."""

from pulumi import Input, ResourceOptions

from components.scaling_config import ScalingSettings, ToZeroSettings
from providers.service_autoscaler import ServiceAutoscaler
from providers.service_cron_scaler import ServiceCronScaler


def scale_service(
    name: str, settings: ScalingSettings, *, cluster_id: str, service_name: Input[str], opts: ResourceOptions
) -> None:
    """Registers the scalers of a service of ours, so that whatever scales it already is taken over."""
    schedules_after: list[ServiceAutoscaler] = []
    if settings.metrics:
        least, most = settings.bounds
        to_zero = settings.to_zero or ToZeroSettings()
        autoscaler = ServiceAutoscaler(
            f"{name}-autoscaler",
            cluster_id=cluster_id,
            service_name=service_name,
            min_replicas=least,
            max_replicas=most,
            thresholds=settings.thresholds,
            scale_out_window_s=settings.scale_out_window_s,
            scale_in_window_s=settings.scale_in_window_s,
            to_zero_after_s=to_zero.after_idle_s,
            wake_replicas=to_zero.wake_replicas,
            scheduled_replicas=settings.scheduled_replicas,
            floor_moves=settings.floor_moves,
            adopt=True,
            opts=opts,
        )
        schedules_after.append(autoscaler)
    if settings.schedules:
        ServiceCronScaler(
            f"{name}-cron-scaler",
            cluster_id=cluster_id,
            service_name=service_name,
            schedules={name: schedule.model_dump() for name, schedule in settings.schedules.items()},
            excluded_dates=settings.excluded_dates,
            adopt=True,
            opts=ResourceOptions.merge(opts, ResourceOptions(depends_on=schedules_after)),
        )
