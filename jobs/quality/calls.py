"""`paistack calls`: who calls a service, how often, with what success; from what its replicas log."""

import json
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from rich.table import Table

from cloud.cms import cms_client
from cloud.eas import eas_client
from jobs.console import results, say
from jobs.custom_metrics import Measurement, publish
from jobs.logs import service_of, since_of
from jobs.plan import stack_clock
from jobs.problem import JobError
from jobs.quality.request_log import LoggedRequest, requests
from jobs.stacks import OpenStack

UNTOLD = "untold"


class Grouping(StrEnum):
    SOURCE = "source"
    REGION = "region"
    BUSINESS = "business"
    CODE = "code"


@dataclass(frozen=True)
class Calls:
    """Of one group: how many calls, which share of all, how many ended with 400 or above, and how long they took."""

    of: str
    count: int
    share: float
    errors: int
    mean_ms: float
    p95_ms: float


def show_calls(stack: OpenStack, service: str, since: str, by: Grouping, *, publishing: bool, as_json: bool) -> None:
    """Prints the groups, largest first, and with `publishing` reports calls per minute to CloudMonitor."""
    name, now = service_of(stack, service), stack_clock(stack)
    begin = since_of(since, now)
    found = requests(eas_client(stack.target, stack.credentials()), stack.target.region, name, begin)
    if not found:
        raise JobError(f"the log of {service} has no requests since {since}")
    groups = grouped(found, by)
    if as_json:
        results.file.write(f"{json.dumps([asdict(group) for group in groups])}\n")
    else:
        results.print(_table(groups, by))
    if publishing:
        told = list(measurements(found, by, name, begin, now))
        publish(cms_client(stack.target, stack.credentials()), told)
        say(f"Reported to CloudMonitor: calls_per_minute by {by} and code, {len(told)} values")


def grouped(found: Sequence[LoggedRequest], by: Grouping) -> list[Calls]:
    """Calls by what `by` says of them, largest group first; a call that does not say it is `untold`."""
    groups: dict[str, list[LoggedRequest]] = {}
    for request in found:
        groups.setdefault(_group(request, by), []).append(request)
    calls = [_calls(of, members, len(found)) for of, members in groups.items()]
    return sorted(calls, key=lambda each: (-each.count, each.of))


def measurements(
    found: Sequence[LoggedRequest], by: Grouping, service: str, begin: datetime, now: datetime
) -> Iterator[Measurement]:
    """Calls per minute between the two moments, by group and by the class of the status, such as 2xx."""
    minutes = (now - begin).total_seconds() / 60
    counts: dict[tuple[str, str], int] = {}
    for request in found:
        key = (_group(request, by), f"{request.status // 100}xx")
        counts[key] = counts.get(key, 0) + 1
    for (of, code), count in counts.items():
        own = {"code": code} if by == Grouping.CODE else {by.value: of, "code": code}
        yield Measurement("calls_per_minute", service, round(count / minutes, 4), now, own)


def _group(request: LoggedRequest, by: Grouping) -> str:
    return str(request.status) if by == Grouping.CODE else request.tags.get(by.value, UNTOLD)


def _calls(of: str, members: Sequence[LoggedRequest], total: int) -> Calls:
    took = [request.latency_ms for request in members]
    p95 = took[0] if len(took) == 1 else statistics.quantiles(took, n=20, method="inclusive")[-1]
    errors = sum(request.status >= 400 for request in members)
    return Calls(of, len(members), len(members) / total, errors, statistics.fmean(took), p95)


def _table(groups: Sequence[Calls], by: Grouping) -> Table:
    table = Table(by.value)
    for title in ("calls", "share", "errors", "mean", "p95"):
        table.add_column(title, justify="right")
    for each in groups:
        errors = f"{each.errors} ({each.errors / each.count:.1%})"
        table.add_row(
            each.of, str(each.count), f"{each.share:.1%}", errors, f"{each.mean_ms:.1f} ms", f"{each.p95_ms:.1f} ms"
        )
    return table
