"""Every decision about a floor with its reason, as lines of JSON in the stack's bucket, an object for each day.

`scaling/SERVICE/decisions/YYYY-MM-DD.jsonl`: a controller that is started again goes on from there, and a console can
show it.
"""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from jobs.append_log import AppendLog
from jobs.problem import JobError
from planning.controller import Verdict, Wanted

if TYPE_CHECKING:
    from oss2 import Bucket

_TAIL_BYTES = 256 * 1024
_TRIES = 10


class DecisionRecord(BaseModel):
    """One round. `floor` is what the round decided on, `applied` whether EAS was told so; of a failed round `problem`
    says what failed. Ages are in seconds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    at: AwareDatetime
    service: str
    holder: str
    mode: Literal["PredictAndScale", "PredictOnly"]
    verdict: Verdict
    reason: str
    floor_before: int
    floor: int
    wanted: int
    replicas: int
    metrics_age_s: float | None
    method: str
    target_utilisation: float | None
    applied: bool
    problem: str | None = None


class Journal:
    """The decisions about one service."""

    def __init__(self, bucket: "Bucket", service: str) -> None:
        self._bucket, self._service = bucket, service

    def add(self, record: DecisionRecord) -> None:
        """Raises oss2's exceptions."""
        log = self._of(record.at)
        for _ in range(_TRIES):
            if log.append(record.model_dump_json(), log.tail(1).length):
                return
        raise JobError(f"{log.uri} grows faster than a line can be added; who writes there?")

    def since(self, begin: datetime, now: datetime) -> list[DecisionRecord]:
        """The decisions between two moments, the oldest first; lines that are none are left out."""
        days = (now.date() - begin.date()).days
        found = [record for day in range(days + 1) for record in self._read(begin + timedelta(days=day))]
        return [record for record in found if begin <= record.at <= now]

    def wanted_since(self, begin: datetime, now: datetime) -> tuple[Wanted, ...]:
        """The floors that were wanted, from which the wait for a lower one goes on."""
        return tuple(Wanted(record.at, record.wanted) for record in self.since(begin, now))

    def _read(self, day: datetime) -> list[DecisionRecord]:
        records = []
        for line in self._of(day).tail(_TAIL_BYTES).lines:
            try:
                records.append(DecisionRecord.model_validate_json(line))
            except ValidationError:
                continue  # of another version, or half a line
        return records

    def _of(self, at: datetime) -> AppendLog:
        return AppendLog(self._bucket, f"scaling/{self._service}/decisions/{at:%Y-%m-%d}.jsonl")
