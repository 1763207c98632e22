"""Who may move the floor of a service: one controller at a time, for as long as its lease lasts.

Each line of the object is a claim; the last one holds, until it expires or is given back. A claim is appended at the
length up to which the object was read, so that of two controllers that saw the lease free one alone gets it
(jobs/append_log.py says on what of OSS that rests). When a lease expires is judged by the clocks of those who ask: they
must agree to less than its term.
"""

import os
import secrets
import socket
from datetime import datetime, timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from jobs.append_log import AppendLog
from jobs.problem import JobError

# Several claims, of which only the last one counts.
_TAIL_BYTES = 4096
_TRIES = 10


class Claim(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    holder: str
    expires_at: AwareDatetime


class LeaseHeldError(Exception):
    """Another controller holds the lease."""

    def __init__(self, claim: Claim) -> None:
        super().__init__(f"{claim.holder} until {claim.expires_at:%Y-%m-%d %H:%M:%S} UTC")
        self.claim = claim


class Lease:
    """Of one service, as `holder` sees it."""

    def __init__(self, log: AppendLog, holder: str, term: timedelta) -> None:
        self._log, self.holder, self._term = log, holder, term
        self.expires_at: datetime | None = None

    def hold(self, now: datetime) -> None:
        """Takes the lease, or renews it, until a term from now; LeaseHeldError while somebody else has it."""
        for _ in range(_TRIES):
            last, length = self._last()
            if last is not None and last.holder != self.holder and last.expires_at > now:
                self.expires_at = None
                raise LeaseHeldError(last)
            until = now + self._term
            if self._log.append(Claim(holder=self.holder, expires_at=until).model_dump_json(), length):
                self.expires_at = until
                return
        raise JobError(f"{self._log.uri} grows faster than a claim can be made; who writes there?")

    def give_back(self, now: datetime) -> None:
        """Ends the lease; nothing when it is somebody else's by now."""
        last, length = self._last()
        if last is not None and last.holder == self.holder:
            self._log.append(Claim(holder=self.holder, expires_at=now).model_dump_json(), length)
        self.expires_at = None

    def _last(self) -> tuple[Claim | None, int]:
        tail = self._log.tail(_TAIL_BYTES)
        if not tail.lines:
            return None, tail.length
        try:
            return Claim.model_validate_json(tail.lines[-1]), tail.length
        except ValidationError:
            raise JobError(f"{self._log.uri} does not end with a lease: move it away") from None


def new_holder() -> str:
    """A name for this run, by which a person finds its process."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(3)}"
