"""`paistack forecast`: how many replicas to ask for during the next hours, from a service's load until now."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from rich.table import Table

from jobs.console import results, say
from jobs.history import read_history
from jobs.problem import JobError
from planning.backtest import TICK_S, Rule
from planning.load import BLOCK_S
from planning.plan import Plan, Planner
from planning.wish import Aim, Renewal, Wish

_SHOWN_EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class ForecastFlags:
    """What the command was asked, as it was typed."""

    history: Path
    step_seconds: int
    qps_per_replica: float
    min_replicas: int
    max_replicas: int
    warm_up: int
    horizon_hours: float
    present_target: float = 0.7
    overload_price: float = 100.0
    aim: Aim = Aim.ECONOMIC
    renewal: Renewal = Renewal.UNKNOWN

    def wish(self) -> Wish:
        """JobError names the flag that cannot be."""
        problems = [
            (self.qps_per_replica <= 0, f"--qps-per-replica has to be above 0, found {self.qps_per_replica:g}"),
            (self.min_replicas < 0, f"--min has to be 0 or more, found {self.min_replicas}"),
            (
                self.max_replicas < max(1, self.min_replicas),
                f"--max has to be at least --min and 1, found {self.max_replicas} with --min {self.min_replicas}",
            ),
            (not 0 <= self.warm_up <= 3600, f"--warm-up has to be 0 to 3600 seconds, found {self.warm_up}"),
            (
                not 0 < self.horizon_hours <= 168,
                f"--horizon-hours has to be above 0 and at most 168, found {self.horizon_hours:g}",
            ),
            (
                not 0 < self.present_target <= 1,
                f"--present-target is a share of a replica's capacity, above 0 to 1, found {self.present_target:g}",
            ),
            (self.overload_price < 0, f"--overload-price has to be 0 or more, found {self.overload_price:g}"),
        ]
        for wrong, told in problems:
            if wrong:
                raise JobError(told)
        rule = Rule(
            self.qps_per_replica,
            least=max(1, self.min_replicas),
            most=self.max_replicas,
            start_up_s=-(-self.warm_up // TICK_S) * TICK_S,
        )
        return Wish(rule, self.present_target, self.aim, self.overload_price, self.renewal)


@dataclass(frozen=True)
class PlannedHour:
    """From `at` on: the highest floor, and the load that is expected, with a band for nine in ten."""

    at: datetime
    replicas: int
    low_qps: float
    expected_qps: float
    high_qps: float


def forecast(flags: ForecastFlags, *, as_json: bool) -> None:
    """Prints the plan: JSON with the keys steps, target_utilisation, method and why, or a table."""
    wish = flags.wish()
    history, repairs = read_history(flags.history, flags.step_seconds)
    plan = Planner.of(history, wish).plan(history, timedelta(hours=flags.horizon_hours))
    show(plan, ". ".join(part for part in (plan.why, repairs.told()) if part), as_json=as_json)


def show(plan: Plan, why: str, *, as_json: bool) -> None:
    """Prints the plan: JSON with the keys steps, target_utilisation, method and why, or a table."""
    if as_json:
        results.file.write(f"{json.dumps(_document(plan, why))}\n")
        return
    say(why)
    if plan.steps:
        results.print(_table(plan))
    results.print(f"{plan.method}: target utilisation {plan.target:g}")


def _document(plan: Plan, why: str) -> dict[str, Any]:
    return {
        "steps": [{"at": step.at.isoformat(), "replicas": step.replicas} for step in plan.steps],
        "target_utilisation": plan.target,
        "method": plan.method,
        "why": why,
    }


def hours_of(plan: Plan) -> list[PlannedHour]:
    """A plan by the hour; of one without steps nothing."""
    if not plan.steps or plan.forecast is None:
        return []
    start, blocks = plan.steps[0].at, int(_SHOWN_EVERY.total_seconds()) // BLOCK_S
    low, middle, high = (plan.forecast.at_level(level) for level in (0.05, 0.5, 0.95))
    hours = []
    for first in range(0, len(plan.forecast), blocks):
        at, until = start + timedelta(seconds=first * BLOCK_S), start + timedelta(seconds=(first + blocks) * BLOCK_S)
        before = [step.replicas for step in plan.steps if step.at <= at][-1]
        most = max([before, *(step.replicas for step in plan.steps if at < step.at < until)])
        hour = slice(first, first + blocks)
        hours.append(PlannedHour(at, most, float(low[hour].min()), float(middle[hour].mean()), float(high[hour].max())))
    return hours


def _table(plan: Plan) -> Table:
    table = Table("from", "replicas")
    for title in ("expected qps", "with 90 %"):
        table.add_column(title, justify="right")
    for hour in hours_of(plan):
        band = f"{hour.low_qps:.1f} to {hour.high_qps:.1f}"
        at = hour.at.isoformat(sep=" ", timespec="minutes")
        table.add_row(at, str(hour.replicas), f"{hour.expected_qps:.1f}", band)
    return table
