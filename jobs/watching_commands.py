"""`paistack logs`, `quality`, `calls`, `console` and `metrics`: flags, and which job they run."""

import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import typer
from Tea.exceptions import TeaException

from cloud.eas import eas_client
from jobs.console import complain, results, say
from jobs.logs import Search, follow, read, service_of, shown, since_of
from jobs.metrics import verify
from jobs.options import AsJson, Service, Since, Stack
from jobs.quality.calls import Grouping
from jobs.stacks import open_stack


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


def logs(
    service: Service,
    stack: Stack = "local",
    since: Since = "15m",
    grep: Annotated[str, typer.Option(help="Only lines that contain this text.")] = "",
    level: Annotated[LogLevel | None, typer.Option(help="Only lines that are at least so severe.")] = None,
    request_id: Annotated[str | None, typer.Option(help="Only lines of the request that was answered with it.")] = None,
    following: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is written from now on.")] = False,
) -> None:
    """Show what the replicas of a service have written, oldest first."""
    begin = since_of(since, datetime.now(UTC))
    opened = open_stack(stack)
    name = service_of(opened, service)
    search = Search(grep, level.value if level else None, request_id)
    client = eas_client(opened.target, opened.credentials())
    try:
        for entry in (follow if following else read)(client, opened.target.region, name, search, begin):
            results.print(shown(entry), soft_wrap=True)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def quality(
    service: Service,
    stack: Stack = "local",
    since: Since = "7d",
    labels: Annotated[
        str | None, typer.Option(help="CSV with the columns id and label: a file, or all below oss://BUCKET/PREFIX/.")
    ] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Report it to CloudMonitor, for alarms.")] = False,
    as_json: AsJson = False,
) -> None:
    """Judge a deployed model by what it answered: accuracy, recall and F1 by labels, drift against training."""
    from jobs.quality.command import show_quality

    show_quality(open_stack(stack), service, since, labels, publishing=publish, as_json=as_json)


def calls(
    service: Service,
    stack: Stack = "local",
    since: Since = "1h",
    by: Annotated[Grouping, typer.Option(help="What callers said of themselves, or the answer's status.")] = (
        Grouping.SOURCE
    ),
    publish: Annotated[bool, typer.Option("--publish", help="Report it to CloudMonitor, for alarms.")] = False,
    as_json: AsJson = False,
) -> None:
    """Count the calls of a service by source, region, business type or status."""
    from jobs.quality.calls import show_calls

    show_calls(open_stack(stack), service, since, by, publishing=publish, as_json=as_json)


def open_console(
    stack: Stack = "local",
    port: Annotated[int, typer.Option(min=0, max=65535, help="On the loopback; 0 is any that is free.")] = 8700,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Show a stack on a local page: services, load, latency, alarms, logs, quality; Ctrl-C ends it."""
    from jobs.webconsole.command import serve

    serve(open_stack(stack), port, browser=browser)


def verify_metrics(stack: Stack = "local") -> None:
    """Ask CloudMonitor for the metrics of the stack's alarms, and name every rule that would never fire."""
    verified = verify(open_stack(stack))
    for problem in verified.problems:
        complain(problem)
    for waiting in verified.unreported:
        say(waiting)
    if not verified.problems:
        waiting_for = f", {len(verified.unreported)} of which are still to be reported" if verified.unreported else ""
        say(f"no metric of the {verified.count} rules is unknown to CloudMonitor{waiting_for}")
    raise typer.Exit(1 if verified.problems else 0)


def publish_metrics(
    stack: Stack = "local",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it is ended.")] = False,
    every: Annotated[float, typer.Option(min=1, max=60, help="With --follow: seconds between two reports.")] = 60.0,
) -> None:
    """Report ready and missing replicas, and what they cost, of every service to CloudMonitor, for alarms."""
    from jobs.publish import publish_once

    opened = open_stack(stack)
    try:
        while follow:
            try:
                say(publish_once(opened))
            except TeaException as error:  # the next report may get through
                complain(f"not reported: {error.code}: {error.message}")
            time.sleep(every)
        say(publish_once(opened))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
