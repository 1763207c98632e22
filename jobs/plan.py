"""`paistack forecast --stack`: a plan for a service from what CloudMonitor measured, as a file that `deploy` reads."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.console import say
from jobs.forecast import hours_of, show
from jobs.load.series import HISTORY_DAYS, samples_of, series_of
from jobs.problem import JobError
from jobs.stacks import OpenStack
from planning.backtest import TICK_S, Rule
from planning.compression import in_few_steps
from planning.plan import Plan, Planner
from planning.wish import Aim, Renewal, Wish
from stacks.capacity import MeasuredCapacity, capacity_file, read_capacity
from stacks.plans import ExpectedLoad, PlannedStep, ScalingPlan, plan_file

if TYPE_CHECKING:
    from stacks.config import StackConfig


def plan_service(stack: OpenStack, service: str, horizon_hours: float, *, write: bool, as_json: bool) -> None:
    """Plan from the present minute on, print the plan, and with `write` put it where `deploy` reads it.

    Raises JobError for a service without a forecast in its settings or a load in CloudMonitor, and Tea's exceptions.
    """
    if not 0 < horizon_hours <= 168:
        raise JobError(f"--horizon-hours has to be above 0 and at most 168, found {horizon_hours:g}")
    wish, most_steps = wish_of(stack.config, service, read_capacity(capacity_file(stack.pulumi.name, service)))
    name = stack.config.service_names(stack.pulumi.name)[service]
    now = stack_clock(stack)
    history, repairs = series_of(samples_of(stack, service, now, HISTORY_DAYS), name)
    until = history.end + timedelta(hours=horizon_hours)
    plan = Planner.of(history, wish).plan(history, until - history.end)
    hours = hours_of(plan)
    few = in_few_steps(plan.steps, until, most_steps) if plan.steps else ()
    plan = Plan(few, plan.target, plan.method, plan.why, plan.forecast)
    why = ". ".join(part for part in (plan.why, repairs.told()) if part)
    show(plan, why, as_json=as_json)
    if write:
        file = plan_file(stack.config, stack.pulumi.name, service)
        steps = tuple(PlannedStep(at=step.at, replicas=step.replicas) for step in plan.steps)
        store(
            file,
            ScalingPlan(
                made_at=now,
                until=until,
                steps=steps,
                target_utilisation=plan.target,
                method=plan.method,
                why=why,
                expected=tuple(
                    ExpectedLoad(
                        at=hour.at,
                        low_qps=round(hour.low_qps, 2),
                        qps=round(hour.expected_qps, 2),
                        high_qps=round(hour.high_qps, 2),
                    )
                    for hour in hours
                ),
            ),
        )
        say(f"{file}: {len(steps)} steps until {until:%Y-%m-%d %H:%M} UTC; {_next(stack, service)}")


def wish_of(
    config: "StackConfig", service: str, measured: MeasuredCapacity | None, renewal: Renewal = Renewal.DAILY
) -> tuple[Wish, int]:
    """What the settings want of a plan, and in how many steps. Raises JobError."""
    if service not in config.services:
        there = ", ".join(config.services) or "none"
        raise JobError(f"the stack has no service {service!r}; there are: {there}")
    scaling = config.services[service].scaling
    if scaling is None or scaling.forecast is None or scaling.qps_per_replica is None:
        raise JobError(
            f"services.{service}.scaling has no forecast: add `forecast: {{qps_per_replica: N}}`, N being what one "
            "replica can serve"
        )
    asked, (least, most) = scaling.forecast, scaling.bounds
    capacity = asked.qps_per_replica
    if capacity is None and measured is not None:
        capacity = measured.qps_per_replica
    if capacity is None:
        raise JobError(
            f"nobody knows what one replica of {service} can serve: measure it, `paistack loadtest {service}`, or set "
            f"services.{service}.scaling.forecast.qps_per_replica"
        )
    rule = Rule(capacity, least=max(1, least), most=most, start_up_s=-(-asked.warm_up_s // TICK_S) * TICK_S)
    target = min(1.0, scaling.qps_per_replica.threshold / capacity)
    return Wish(rule, target, Aim(asked.aim), asked.overload_price, renewal), asked.most_steps


def stack_clock(stack: OpenStack) -> datetime:
    """Now, by the clock of the stack's emulator where it has one, which tests and demonstrations move."""
    if stack.target.emulator is None:
        return datetime.now(UTC)
    import httpx

    answer = httpx.get(f"{stack.target.emulator}/_emulator/clock", trust_env=False).raise_for_status()
    return datetime.fromisoformat(answer.json()["now"])


def store(file: Path, plan: ScalingPlan) -> None:
    """Puts the plan in place of the last one, whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    scratch = file.with_suffix(".new")
    scratch.write_text(plan.model_dump_json(indent=2) + "\n")
    scratch.replace(file)


def _next(stack: OpenStack, service: str) -> str:
    scaling = stack.config.services[service].scaling
    if scaling is not None and scaling.floor_moves:
        return f"services.{service}.scaling.forecast.applied_by is controller: `paistack scale` plans anew itself"
    applies = scaling is not None and scaling.forecast is not None and scaling.forecast.mode == "PredictAndScale"
    if applies:
        return f"`paistack preview --stack {stack.pulumi.name}` shows what it changes"
    return f"services.{service}.scaling.forecast.mode is PredictOnly: it changes nothing"
