"""A run on DSW while it goes on: whether its machine runs, and what the run has logged."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.problem import JobError

if TYPE_CHECKING:
    from alibabacloud_pai_dsw20220101.client import Client
    from alibabacloud_pai_dsw20220101.models import GetInstanceResponseBody
    from oss2 import Bucket

LOG = ".training.log"
ENDED = ("Stopped", "Failed", "Deleted")
_STORED = re.compile(r"^stored \S*/([0-9a-f]{12})$", re.MULTILINE)


@dataclass
class Run:
    """`log_key` is where the run's log lies; what it held before, `etag`, is not of this run."""

    dsw: "Client"
    bucket: "Bucket"
    instance_id: str
    log_key: str
    etag: str
    _log: str = field(default="", init=False)

    def status(self) -> str:
        """The machine's."""
        return str(self._instance().status)

    def start(self) -> None:
        """Starts the machine, with it the run. Raises Tea's errors."""
        self.dsw.start_instance(self.instance_id)

    def follow(self, on_line: Callable[[str], None], *, timeout_s: float, poll_s: float = 1.0) -> str:
        """Hands over each line of the log; the stored version, once the machine has stopped.

        Raises JobError when the run failed, its machine did, or it takes longer than `timeout_s`.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            # The status first: what is logged before the machine stops is there when it has stopped.
            status = self.status()
            for line in self._new_lines():
                on_line(line)
            if status in ENDED:
                return self._version(status)
            if time.monotonic() > deadline:
                raise JobError(
                    f"the run on {self.instance_id} takes longer than {timeout_s / 60:.0f} min; it goes on, and stops "
                    "its machine by itself; run the command again to follow it"
                )
            time.sleep(poll_s)

    def _version(self, status: str) -> str:
        stored = _STORED.search(self._log)
        if stored is None:
            told = [line for line in self._log.splitlines() if line.strip() not in ("", "failed")]
            reason = self._instance().reason_message or (told[-1] if told else "its log is empty")
            raise JobError(f"the run on {self.instance_id} stored no version; its machine is {status}: {reason}")
        return stored[1]

    def _new_lines(self) -> list[str]:
        """Whole lines that were not there at the last look."""
        found = log_of(self.bucket, self.log_key)
        if found is None or found[0] == self.etag or not found[1].startswith(self._log):
            return []
        whole = found[1][: found[1].rfind("\n") + 1]
        new = whole[len(self._log) :]
        self._log = whole
        return new.splitlines()

    def _instance(self) -> "GetInstanceResponseBody":
        from alibabacloud_pai_dsw20220101 import models

        return self.dsw.get_instance(self.instance_id, models.GetInstanceRequest()).body


def log_of(bucket: "Bucket", key: str) -> tuple[str, str] | None:
    """The log's ETag and text; None when there is none."""
    import oss2

    try:
        answer = bucket.get_object(key)
    except (oss2.exceptions.NoSuchKey, oss2.exceptions.NoSuchBucket):
        return None
    return answer.etag, answer.read().decode(errors="replace")
