"""Rounds of a controller: look at the load, plan anew, decide, move the floor, and write down why."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from httpx import HTTPError
from oss2.exceptions import OssError
from Tea.exceptions import TeaException

from jobs.load.measured import PERIOD
from jobs.load.series import LoadFeed, series_of, told
from jobs.problem import JobError
from jobs.scale.floor import ServiceFloor
from jobs.scale.journal import DecisionRecord, Journal
from jobs.scale.lease import Lease
from planning.controller import Asked, Decision, Limits, Situation, Wanted, asked_between, decide
from planning.plan import Planner
from planning.series import Series
from planning.wish import Wish

Mode = Literal["PredictAndScale", "PredictOnly"]
MOST_FAILURES = 3
# What a service of the cloud answers instead, or that it does not answer; the next round may succeed.
FAILURES = (TeaException, OssError, HTTPError, JobError)


@dataclass
class Controller:
    """Of one service. `clock` is the stack's; `every` is the time between two rounds."""

    service: str
    service_name: str
    mode: Mode
    limits: Limits
    wish: Wish
    every: timedelta
    feed: LoadFeed
    floor: ServiceFloor
    journal: Journal
    lease: Lease
    bucket: str
    clock: Callable[[], datetime]
    _planner: Planner | None = field(default=None, init=False)
    _chosen_on: datetime | None = field(default=None, init=False)
    _earlier: tuple[Wanted, ...] | None = field(default=None, init=False)

    def round(self) -> DecisionRecord:
        """One decision, carried out and written down. Raises LeaseHeldError and FAILURES.

        While CloudMonitor does not answer, the last plan holds until its newest value is too old.
        """
        now = self.clock()
        self.lease.hold(now)
        problem = self._look(now)
        newest = self.feed.newest
        age = None if newest is None else max(timedelta(0), now - newest)
        fresh = age is not None and age <= self.limits.stale_after
        asked, why, method, target = self._asked(now) if fresh else _NOTHING
        live, earlier = self.floor.read(), self._wanted_before(now)
        situation = Situation(now, live.floor, live.replicas, asked, why, age, earlier, problem)
        decision = decide(situation, self.limits)
        self._earlier = (*earlier, Wanted(now, decision.wanted))
        applied, refused = self._apply(decision, live.floor)
        record = DecisionRecord(
            at=now,
            service=self.service,
            holder=self.lease.holder,
            mode=self.mode,
            verdict=decision.verdict,
            reason=decision.reason,
            floor_before=live.floor,
            floor=decision.floor,
            wanted=decision.wanted,
            replicas=live.replicas,
            metrics_age_s=None if age is None else age.total_seconds(),
            method=method,
            target_utilisation=target,
            applied=applied,
            problem=refused or problem or None,
        )
        return self._written_down(record)

    def release(self) -> str:
        """Puts the floor back to the settings' least; says what became of it. Raises FAILURES."""
        if self.mode == "PredictOnly":
            return "PredictOnly moved nothing"
        if not self._holds_lease():
            raise JobError("the lease ended, and the floor may be another controller's")
        floor = self.floor.read().floor
        if floor == self.limits.least:
            return f"the floor is min_replicas, {floor}"
        self.floor.move(self.limits.least)
        return f"the floor went from {floor} back to min_replicas, {self.limits.least}"

    def _wanted_before(self, now: datetime) -> tuple[Wanted, ...]:
        """Of the last half hour: from the journal, in which those before this process wrote, and then by heart."""
        begin = now - 3 * self.limits.hysteresis
        if self._earlier is None:
            return self.journal.wanted_since(begin, now)
        return tuple(each for each in self._earlier if begin <= each.at)

    def _written_down(self, record: DecisionRecord) -> DecisionRecord:
        """With what went wrong, if it is nowhere but here: the floor was moved all the same."""
        try:
            self.journal.add(record)
        except (OssError, JobError) as error:
            missing = f"the decision is not kept: {told(error)}"
            return record.model_copy(update={"problem": "; ".join(filter(None, (record.problem, missing)))})
        return record

    def _holds_lease(self) -> bool:
        return self.lease.expires_at is not None and self.clock() < self.lease.expires_at

    def _look(self, now: datetime) -> str:
        """What went wrong: then the load of the last look is what there is, and it grows old."""
        try:
            self.feed.look(now)
        except (TeaException, JobError) as error:
            return f"the load cannot be read: {told(error)}"
        return ""

    def _asked(self, now: datetime) -> tuple[Asked, str, str, float | None]:
        """What the plan asks for until the next round; the settings' least where it asks for no more than the rule."""
        try:
            history, _ = series_of(self.feed.samples, self.service_name)
        except JobError as error:
            return Asked(self.limits.least, self.limits.least), str(error), "reactive", None
        plan = self._planner_for(history, now).plan(history, _whole_blocks(now + self.every - history.end))
        asked = asked_between(plan.steps, now, now + self.every, none=self.limits.least)
        if asked.ahead <= self.wish.rule.least:
            asked = Asked(self.limits.least, self.limits.least)
        return asked, plan.why, plan.method, plan.target

    def _planner_for(self, history: Series, now: datetime) -> Planner:
        """Chosen anew every day: that takes seconds, and a day changes little of it."""
        if self._planner is None or self._chosen_on is None or now.date() != self._chosen_on.date():
            self._planner, self._chosen_on = Planner.of(history, self.wish), now
        return self._planner

    def _apply(self, decision: Decision, floor: int) -> tuple[bool, str]:
        """Whether EAS was told, and what it said against it."""
        if decision.floor == floor or self.mode == "PredictOnly":
            return False, ""
        if not self._holds_lease():
            return False, "the lease expired during the round"
        try:
            self.floor.move(decision.floor)
        except TeaException as error:
            return False, f"EAS does not move the floor: {told(error)}"
        return True, ""


_NOTHING: tuple[Asked, str, str, float | None] = (Asked(0, 0), "", "reactive", None)


def _whole_blocks(span: timedelta) -> timedelta:
    """At least one, and as many steps of the load as cover it."""
    return max(PERIOD, -(-span // PERIOD) * PERIOD)
