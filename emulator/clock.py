"""The emulator's clock: wall time plus an offset that a test can move forward."""

from datetime import UTC, datetime, timedelta

from emulator.store import Store


class Clock:
    """Emulated time, which only moves forward. The offset is durable, as everything that was acknowledged is.

    Signatures are checked against the wall clock instead: clients sign with theirs.
    """

    def __init__(self, store: Store) -> None:
        self._settings = store.settings("clock")
        self._offset = timedelta(seconds=float(self._settings.get("offset_s") or 0))

    def now(self) -> datetime:
        return datetime.now(UTC) + self._offset

    def advance(self, seconds: float) -> datetime:
        """Moves the clock forward by `seconds` and returns the new time; ValueError when `seconds` is negative."""
        if seconds < 0:
            raise ValueError(f"the clock only moves forward, not by {seconds} s")
        self._offset += timedelta(seconds=seconds)
        self._settings.set("offset_s", str(self._offset.total_seconds()))
        return self.now()


def iso(moment: datetime) -> str:
    """The form in which Alibaba Cloud's APIs write a time: `2026-11-24T02:04:05Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
