"""What an EAS service runs, how its updates go on, and what is locked against changes."""

from collections.abc import Mapping, Sequence
from typing import Any

from pulumi import Input, Resource, ResourceOptions
from pulumi_alicloud import pai

from components.eas_config import EasServiceSettings
from providers.service_revision import ServiceRevision
from providers.service_rollout import ServiceRollout
from providers.service_safety_lock import ServiceSafetyLock
from providers.service_version import ServiceVersion


def bring_up(
    name: str,
    settings: EasServiceSettings,
    *,
    cluster_id: str,
    service: pai.Service,
    config: dict[str, Any],
    environment: Mapping[str, Input[str]],
    after: Sequence[Resource],
    opts: ResourceOptions,
) -> Resource:
    """Registers what brings the service to its configuration, or to its pinned version, and returns that.

    It is staged by a rollout that is there before it. A lock is taken off, or loosened, before it, so that it can be;
    one that forbids every change is put on after it.
    """
    timeout_s = settings.timeouts.update_min * 60
    service_name = service.id
    before = [*after]

    def ordered(earlier: Sequence[Resource]) -> ResourceOptions:
        return ResourceOptions.merge(opts, ResourceOptions(depends_on=[*earlier]))

    def of_service(earlier: Sequence[Resource]) -> ResourceOptions:
        return ResourceOptions.merge(ordered(earlier), ResourceOptions(deleted_with=service))

    def lock(earlier: Sequence[Resource]) -> ServiceSafetyLock:
        return ServiceSafetyLock(
            f"{name}-lock",
            cluster_id=cluster_id,
            service_name=service_name,
            lock=settings.safety_lock or "none",
            adopt=True,  # of a service that is ours, whoever put it on
            opts=ordered(earlier),
        )

    if settings.safety_lock in ("none", "dangerous"):
        before.append(lock(before))
    if settings.rollout.staged:
        before.append(_stage(name, settings, cluster_id, service_name, timeout_s, ordered(before)))
    if settings.pinned_version is not None:
        running: Resource = ServiceVersion(
            f"{name}-version",
            cluster_id=cluster_id,
            service_name=service_name,
            version=settings.pinned_version,
            timeout_s=timeout_s,
            opts=of_service(before),
        )
    else:
        running = ServiceRevision(
            f"{name}-revision",
            cluster_id=cluster_id,
            service_name=service_name,
            config=config,
            environment=dict(environment),
            timeout_s=timeout_s,
            opts=of_service(before),
        )
    if settings.safety_lock == "all":
        lock([running])
    return running


def _stage(
    name: str,
    settings: EasServiceSettings,
    cluster_id: str,
    service_name: Input[str],
    timeout_s: int,
    opts: ResourceOptions,
) -> ServiceRollout:
    rollout = settings.rollout
    return ServiceRollout(
        f"{name}-rollout",
        cluster_id=cluster_id,
        service_name=service_name,
        batch_size=str(rollout.batch.size) if rollout.batch else "",
        interval_s=rollout.batch.interval_s if rollout.batch else 0,
        partition=str(rollout.partition) if rollout.partition is not None else "",
        paused=rollout.paused,
        adopt=True,  # of a service that is ours, whoever made it
        timeout_s=timeout_s,
        opts=opts,
    )
