"""Scaling plans: data that `paistack forecast` writes and `deploy` reads, reviewed like any other change.

A plan is the floor under a service's autoscaler. Each step becomes a job of EAS's cron scaler, which moves the least
number of replicas; the last step brings it back to `min_replicas`, so that a plan that nobody renews holds nothing.
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from components.scaling_config import ScalingSettings, ScheduleSettings
from stacks.config import STACKS, StackConfig
from stacks.problems import NAMESPACE, ConfigError

PLANS = STACKS / "plans"
# The clock of the jobs: EAS's own default.
_ZONE = ZoneInfo("Asia/Shanghai")


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PlannedStep(_Data):
    """From `at` on at least `replicas` are asked for."""

    at: AwareDatetime
    replicas: Annotated[int, Field(ge=0, le=1000)]


class ExpectedLoad(_Data):
    """Requests per second of the hour from `at` on: what is expected, and a band for nine in ten."""

    at: AwareDatetime
    low_qps: float
    qps: float
    high_qps: float


class ScalingPlan(_Data):
    """What a forecast asks for until `until`; without steps the service stays reactive."""

    made_at: AwareDatetime
    until: AwareDatetime
    steps: tuple[PlannedStep, ...]
    target_utilisation: float | None = Field(
        description="At which the autoscaler should run meanwhile; None: as it is."
    )
    method: str
    why: str
    expected: tuple[ExpectedLoad, ...] = ()


def plan_file(config: StackConfig, stack: str, service: str) -> Path:
    """Where the plan of a service stands."""
    scaling = config.services[service].scaling
    if scaling is None or scaling.forecast is None or scaling.forecast.plan is None:
        return PLANS / stack / f"{service}.json"
    return STACKS.parent / scaling.forecast.plan


def read_plan(path: Path) -> ScalingPlan | None:
    """None when there is none; ConfigError for a file that is no plan."""
    try:
        return ScalingPlan.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"cannot read the plan {path}: {error.strerror}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the document"
        raise ConfigError(f"{path}: {where}: {first['msg']}; make it anew, `paistack forecast --write`") from None


def with_plans(config: StackConfig, stack: str, now: datetime) -> tuple[StackConfig, list[str]]:
    """The settings with each plan that applies as schedules, and what to tell of those that do not apply.

    Raises ConfigError for a plan that is none, or that leaves the bounds of its service.
    """
    services, told = dict(config.services), []
    for name, service in config.services.items():
        scaling = service.scaling
        if scaling is None or scaling.forecast is None or scaling.forecast.mode == "PredictOnly" or scaling.floor_moves:
            continue
        path = plan_file(config, stack, name)
        plan, again = read_plan(path), f"`paistack forecast --stack {stack} --service {name} --write`"
        if plan is None:
            told.append(f"{name} scales by load alone: there is no plan {path}; {again} makes one")
        elif plan.until <= now:
            told.append(f"{name} scales by load alone: its plan ended at {plan.until.isoformat()}; {again} renews it")
        elif plan.steps:
            services[name] = service.model_copy(update={"scaling": _scheduled(scaling, plan, path, name)})
    return config.model_copy(update={"services": services}), told


def _scheduled(scaling: ScalingSettings, plan: ScalingPlan, path: Path, service: str) -> ScalingSettings:
    least, most = scaling.bounds
    for number, step in enumerate(plan.steps):
        if not least <= step.replicas <= most:
            raise ConfigError(
                f"{path}: steps.{number}.replicas: found {step.replicas}, outside min_replicas, {least}, to "
                f"max_replicas, {most}, of {NAMESPACE}:services.{service}.scaling; make the plan anew"
            )
    jobs = dict(_jobs([*plan.steps, PlannedStep(at=plan.until, replicas=least)]))
    planned = scaling.model_copy(update={"schedules": jobs, "forecast": None})
    return ScalingSettings.model_validate(planned.model_dump(exclude_unset=True))


def _jobs(steps: list[PlannedStep]) -> Iterator[tuple[str, ScheduleSettings]]:
    """One for each step, due on its day of its month: the plan has ended long before that day comes again."""
    for number, step in enumerate(steps, start=1):
        at = step.at.astimezone(_ZONE)
        cron = f"{at.second} {at.minute} {at.hour} {at.day} {at.month} *"
        yield f"plan-{number}", ScheduleSettings(cron=cron, replicas=step.replicas, time_zone=_ZONE.key)
