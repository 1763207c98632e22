"""`paistack logs`: what the replicas of a service have written."""

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from rich.text import Text

from jobs.problem import JobError
from jobs.stacks import OpenStack

if TYPE_CHECKING:
    from alibabacloud_eas20210701.client import Client

PAGE_SIZE = 500
FOLLOW_EVERY_S = 1.0
# Lines of one moment may come in two answers.
OVERLAP = timedelta(seconds=2)
LEVELS = ("debug", "info", "warning", "error", "critical")
_STYLES = {"warning": "yellow", "error": "red", "critical": "bold red"}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_STAMP = re.compile(r"\[(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?)\] ?(.*)", re.DOTALL)


@dataclass(frozen=True)
class Entry:
    """One line. `fields` is what a line in JSON says; empty for other lines, which have no level."""

    time: str
    text: str
    fields: dict[str, Any] = field(compare=False)

    @classmethod
    def parse(cls, line: str) -> "Entry":
        """EAS puts the time of a line before it, in UTC."""
        match = _STAMP.fullmatch(line)
        time_, text = (match[1], match[2]) if match else ("", line)
        try:
            fields = json.loads(text)
        except ValueError:
            fields = {}
        return cls(time_, text, fields if isinstance(fields, dict) else {})

    @property
    def level(self) -> str:
        return str(self.fields.get("level", "")).lower()

    def belongs_to(self, request_id: str) -> bool:
        """Whether it is about that request; a line that is not JSON, whether it names it."""
        return bool(self.fields.get("request_id") == request_id) if self.fields else request_id in self.text


@dataclass(frozen=True)
class Search:
    """Which lines are wanted: those that contain `grep`, are at least of `level`, and belong to a request."""

    grep: str = ""
    level: str | None = None
    request_id: str | None = None

    @property
    def keyword(self) -> str:
        """What EAS itself can look for: one text."""
        return self.request_id or self.grep

    def matches(self, entry: Entry) -> bool:
        return (
            self.grep in entry.text
            and (self.level is None or (entry.level in LEVELS and _severity(entry.level) >= _severity(self.level)))
            and (self.request_id is None or entry.belongs_to(self.request_id))
        )


def service_of(stack: OpenStack, key: str) -> str:
    """The name in EAS of a service in the settings; JobError when there is none."""
    names = stack.config.service_names(stack.pulumi.name)
    if key not in names:
        there = ", ".join(names) or "none"
        raise JobError(f"stack {stack.pulumi.name} has no service {key!r} in its settings; there are {there}")
    return names[key]


def since_of(text: str, now: datetime) -> datetime:
    """The moment that `15m`, `2h`, `1d` before now or `2026-11-25 12:00:00` (UTC) means."""
    if match := re.fullmatch(r"(\d{1,6})([smhd])", text):
        return now - timedelta(**{_UNITS[match[2]]: int(match[1])})
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise JobError(f"--since: found {text!r}; give a time such as 15m, 2h, 1d or '2026-11-25 12:00:00'") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read(
    client: "Client", region: str, service: str, search: Search, since: datetime, *, page_size: int = PAGE_SIZE
) -> Iterator[Entry]:
    """The lines since a moment, oldest first, page by page."""
    from alibabacloud_eas20210701.models import DescribeServiceLogRequest

    page = 1
    while True:
        request = DescribeServiceLogRequest(
            start_time=since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            keyword=search.keyword or None,
            page_num=page,
            page_size=page_size,
        )
        body = client.describe_service_log(region, service, request).body
        yield from filter(search.matches, map(Entry.parse, body.logs or []))
        if page >= (body.total_page_num or 0):
            return
        page += 1


def follow(client: "Client", region: str, service: str, search: Search, since: datetime) -> Iterator[Entry]:
    """The lines since a moment, and those that come, until interrupted."""
    seen: set[Entry] = set()
    while True:
        newest = since
        fresh: set[Entry] = set()
        for entry in read(client, region, service, search, since):
            if entry not in seen:
                yield entry
            fresh.add(entry)
            newest = max(newest, _time_of(entry) or newest)
        seen, since = fresh, max(since, newest - OVERLAP)
        time.sleep(FOLLOW_EVERY_S)


def shown(entry: Entry) -> Text:
    """A line for a person: time, level, event and what is left of its fields."""
    line = Text(f"{entry.time}  " if entry.time else "", style="dim")
    if not entry.fields:
        return line.append(entry.text, style="default not dim")
    rest = {name: value for name, value in entry.fields.items() if name not in ("time", "level", "event")}
    line.append(f"{entry.level:<8} ", style=f"not dim {_STYLES.get(entry.level, 'default')}")
    line.append(str(entry.fields.get("event", "")), style="default not dim")
    for name, value in rest.items():
        line.append(f" {name}=", style="dim").append(str(value), style="default not dim")
    return line


def _severity(level: str) -> int:
    return LEVELS.index(level)


def _time_of(entry: Entry) -> datetime | None:
    return datetime.fromisoformat(entry.time).replace(tzinfo=UTC) if entry.time else None
