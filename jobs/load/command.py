"""`paistack history`: a service's load, kept beyond what CloudMonitor keeps."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.options import Service, Stack

if TYPE_CHECKING:
    from jobs.stacks import OpenStack

app = typer.Typer(help="A service's load, kept beyond what CloudMonitor keeps.", no_args_is_help=True)


@app.command("keep")
def keep_history(service: Service, stack: Stack = "local") -> None:
    """Write each day that is over and not kept yet into the stack's bucket; for a daily schedule."""
    from jobs.stacks import open_stack

    keep_days(open_stack(stack), service)


@app.command("show")
def show_history(
    service: Service,
    stack: Stack = "local",
    days: Annotated[int, typer.Option(min=1, help="So many days until now.")] = 31,
    as_csv: Annotated[bool, typer.Option("--csv", help="timestamp,qps, as forecast and backtest read it.")] = False,
) -> None:
    """Show a service's load: kept days, and what CloudMonitor has."""
    from jobs.stacks import open_stack

    show_days(open_stack(stack), service, days, as_csv=as_csv)


def keep_days(stack: "OpenStack", service: str) -> None:
    """Raises JobError and Tea's exceptions."""
    from cloud.cms import cms_client
    from jobs.console import say
    from jobs.load.kept import keep
    from jobs.load.series import asking_oss, kept_days
    from jobs.logs import service_of
    from jobs.plan import stack_clock

    name, kept = service_of(stack, service), kept_days(stack, service)
    with asking_oss(kept.bucket.bucket_name):
        written = keep(kept, cms_client(stack.target, stack.credentials()), name, stack_clock(stack))
        days = kept.days()
    if written:
        say(f"kept {len(written)} days of {service}: {written[0]} to {written[-1]}")
    else:
        say(f"nothing new to keep of {service}")
    if days:
        say(f"oss://{kept.bucket.bucket_name}/history/{service}/ has {len(days)} days: {days[0]} to {days[-1]}")


def show_days(stack: "OpenStack", service: str, days: int, *, as_csv: bool) -> None:
    """Raises JobError and Tea's exceptions."""
    from jobs.console import results
    from jobs.load.kept import as_csv as csv_of
    from jobs.load.series import samples_of, table_of
    from jobs.logs import service_of
    from jobs.plan import stack_clock

    service_of(stack, service)
    samples = samples_of(stack, service, stack_clock(stack), days)
    if as_csv:
        sys.stdout.write(csv_of(samples))
    else:
        results.print(table_of(samples))
