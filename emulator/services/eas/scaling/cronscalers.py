"""Create, describe, update and delete a service's cron scaler."""

from collections.abc import Callable

from pydantic import Field

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer, Parameters
from emulator.services.eas.config.parsing import invalid
from emulator.services.eas.guards import refuse_when_going, refuse_when_locked
from emulator.services.eas.product import SERVICE, eas
from emulator.services.eas.records import Service
from emulator.services.eas.scaling.records import CronJob, CronScaler
from emulator.services.eas.scaling.schedule import DEFAULT_TIME_ZONE, check_exclusion, check_schedule, time_zone
from emulator.services.eas.state import EasState


class ScaleJob(Parameters):
    name: str = Field("", alias="Name", max_length=128)
    schedule: str = Field(alias="Schedule")
    target_size: int = Field(alias="TargetSize", ge=0, le=1000)
    time_zone: str = Field(DEFAULT_TIME_ZONE, alias="TimeZone")


class CronScalerParameters(Parameters):
    jobs: list[ScaleJob] = Field(alias="ScaleJobs", min_length=1)
    excluded: list[str] = Field([], alias="ExcludeDates")


@eas.operation("CreateServiceCronScaler", "POST", f"{SERVICE}/cronscaler")
def create_service_cron_scaler(
    state: EasState, cluster_id: str, service_name: str, body: CronScalerParameters
) -> Answer:
    service = state.find(cluster_id, service_name)
    refuse_when_going(service)
    refuse_when_locked(service)
    if state.cronscalers.get(str(service.key)) is not None:
        raise ApiError("InvalidCronScaler.Exists", f"Service [{service.name}] already has a cron scaler.", 409)
    _put(state, service, body, None)
    return {"Message": f"Succeed to create cron scaler of service [{service_name}] in region [{cluster_id}]"}


@eas.operation("UpdateServiceCronScaler", "PUT", f"{SERVICE}/cronscaler")
def update_service_cron_scaler(
    state: EasState, cluster_id: str, service_name: str, body: CronScalerParameters
) -> Answer:
    """Replaces all jobs and excluded days; a job that stays as it was keeps its state."""
    service = state.find(cluster_id, service_name)
    refuse_when_going(service)
    refuse_when_locked(service)
    _put(state, service, body, _find(state, service))
    return {"Message": f"Succeed to update cron scaler of service [{service_name}] in region [{cluster_id}]"}


@eas.operation("DescribeServiceCronScaler", "GET", f"{SERVICE}/cronscaler")
def describe_service_cron_scaler(state: EasState, cluster_id: str, service_name: str) -> Answer:
    """A job is `Submitted` until it has run, then `Succeed`, as in kubernetes-cronhpa-controller."""
    service = state.find(cluster_id, service_name)
    cronscaler = _find(state, service)
    return {
        "ServiceName": service.name,
        "ExcludeDates": cronscaler.excluded,
        "ScaleJobs": [
            {
                "Name": job.name,
                "Schedule": job.schedule,
                "TargetSize": job.target_size,
                "State": job.state,
                "Message": job.message,
                "LastProbeTime": iso(job.probed_at),
                "CreateTime": iso(job.created_at),
            }
            for job in cronscaler.jobs
        ],
    }


@eas.operation("DeleteServiceCronScaler", "DELETE", f"{SERVICE}/cronscaler")
def delete_service_cron_scaler(state: EasState, cluster_id: str, service_name: str) -> Answer:
    """The service keeps its instances, and its autoscaler the bounds that it has."""
    service = state.find(cluster_id, service_name)
    refuse_when_locked(service)
    _find(state, service)
    state.cronscalers.delete(str(service.key))
    return {"Message": f"Succeed to delete cron scaler of service [{service_name}] in region [{cluster_id}]"}


def _put(state: EasState, service: Service, body: CronScalerParameters, before: CronScaler | None) -> None:
    """Jobs run from now on: what was due before they were there is not made up for."""
    now = state.now()
    jobs = []
    for number, wanted in enumerate(body.jobs, start=1):
        name = wanted.name or f"job-{number}"
        path = f"ScaleJobs.{number}"
        _refused(check_schedule, wanted.schedule, f"{path}.Schedule")
        _refused(time_zone, wanted.time_zone, f"{path}.TimeZone")
        job = CronJob(
            name=name,
            schedule=wanted.schedule,
            target_size=wanted.target_size,
            time_zone=wanted.time_zone,
            created_at=now,
            probed_at=now,
        )
        jobs.append(_same(job, before) or job)
    if len({job.name for job in jobs}) < len(jobs):
        raise invalid("Two scale jobs have the same Name.")
    for number, expression in enumerate(body.excluded, start=1):
        _refused(check_exclusion, expression, f"ExcludeDates.{number}")
    state.cronscalers.put(str(service.key), CronScaler(jobs=jobs, excluded=body.excluded, done_until=now))
    state.scaling.wake()


def _same(job: CronJob, before: CronScaler | None) -> CronJob | None:
    kept = {"created_at": job.created_at, "probed_at": job.probed_at, "state": job.state, "message": job.message}
    for old in before.jobs if before else ():
        if old.model_copy(update=kept) == job:
            return old
    return None


def _refused(check: Callable[[str], object], value: str, path: str) -> None:
    try:
        check(value)
    except ValueError as error:
        raise ApiError(f"InvalidParameter.{path}", f'"{path}": {error}.') from None


def _find(state: EasState, service: Service) -> CronScaler:
    cronscaler = state.cronscalers.get(str(service.key))
    if cronscaler is None:
        raise ApiError("InvalidCronScaler.NotFound", f"Service [{service.name}] has no cron scaler.", 404)
    return cronscaler
