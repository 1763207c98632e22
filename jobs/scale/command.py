"""`paistack scale`: the floor under a service's autoscaler, moved ahead of the load."""

import signal
import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from jobs.options import Service, Stack

if TYPE_CHECKING:
    from jobs.scale.controller import Controller
    from jobs.stacks import OpenStack


@dataclass(frozen=True)
class ScaleFlags:
    """What the command was asked, as it was typed."""

    follow: bool = False
    every_s: float = 300
    history_days: float = 16
    wait: bool = False
    release: bool = False


def scale(
    service: Service,
    stack: Stack = "local",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until it is ended.")] = False,
    every: Annotated[float, typer.Option(help="With --follow: seconds between two rounds.")] = 300,
    history_days: Annotated[float, typer.Option(help="So much of the load is planned by.")] = 16,
    wait: Annotated[bool, typer.Option("--wait", help="With --follow: until the lease is free.")] = False,
    release: Annotated[bool, typer.Option("--release", help="At the end put the floor back to min_replicas.")] = False,
) -> None:
    """Plan from the newest load and move the least number of replicas; each decision is a line of JSON."""
    from jobs.stacks import open_stack

    flags = ScaleFlags(follow, every, history_days, wait, release)
    raise typer.Exit(run(open_stack(stack), service, flags, ended_by_signals()))


def ended_by_signals() -> threading.Event:
    """Set by SIGINT and SIGTERM from now on."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    return ended


def controller_of(stack: "OpenStack", service: str, flags: ScaleFlags) -> "Controller":
    """Raises JobError for flags that cannot be, and for a service that is not handed over to a controller."""
    from cloud.eas import eas_client
    from jobs.append_log import AppendLog
    from jobs.load.series import LoadFeed, kept_days
    from jobs.plan import stack_clock, wish_of
    from jobs.problem import JobError
    from jobs.scale.controller import Controller
    from jobs.scale.floor import ServiceFloor
    from jobs.scale.journal import Journal
    from jobs.scale.lease import Lease, new_holder
    from planning.controller import Limits
    from planning.wish import Renewal
    from stacks.capacity import capacity_file, read_capacity

    problems = [
        (not 1 <= flags.every_s <= 3600, f"--every has to be 1 to 3600 seconds, found {flags.every_s:g}"),
        (not 1 <= flags.history_days <= 366, f"--history-days has to be 1 to 366, found {flags.history_days:g}"),
        (flags.wait and not flags.follow, "--wait belongs to --follow: one decision does not wait"),
    ]
    for wrong, told in problems:
        if wrong:
            raise JobError(told)
    measured = read_capacity(capacity_file(stack.pulumi.name, service))
    wish, _ = wish_of(stack.config, service, measured, Renewal.OFTEN)
    scaling = stack.config.services[service].scaling
    assert scaling is not None  # noqa: S101 - else there is no wish
    assert scaling.forecast is not None  # noqa: S101 - else there is no wish
    if scaling.forecast.applied_by != "controller":
        raise JobError(
            f"services.{service}.scaling.forecast.applied_by is plan: the floor belongs to the plan that `up` follows; "
            "set it to controller, and run `paistack up`"
        )
    every = timedelta(seconds=flags.every_s)
    name, kept = stack.config.service_names(stack.pulumi.name)[service], kept_days(stack, service)
    lease = AppendLog(kept.bucket, f"scaling/{service}/lease.jsonl")
    return Controller(
        service=service,
        service_name=name,
        mode=scaling.forecast.mode,
        limits=Limits(*scaling.bounds),
        wish=wish,
        every=every,
        feed=LoadFeed(stack, service, flags.history_days),
        floor=ServiceFloor(eas_client(stack.target, stack.credentials()), stack.target.region, name),
        journal=Journal(kept.bucket, service),
        # Still held after three failed rounds, so that the floor can be put back.
        lease=Lease(lease, new_holder(), max(4 * every, timedelta(minutes=2))),
        bucket=kept.bucket.bucket_name,
        clock=lambda: stack_clock(stack),
    )


def run(stack: "OpenStack", service: str, flags: ScaleFlags, ended: threading.Event) -> int:
    """Rounds until `ended`, or one; the exit status. Raises JobError before the first round."""
    from jobs.console import say

    controller = controller_of(stack, service, flags)
    _check_autoscaler(controller)
    status = _take_lease(controller, flags, ended)
    if status is None:
        say(f"{controller.lease.holder} plans the floor of {service}: {controller.mode}")
        status = _rounds(controller, flags, ended)
        status = max(status, _finish(controller, flags))
    return status


def _check_autoscaler(controller: "Controller") -> None:
    from Tea.exceptions import TeaException

    from jobs.problem import JobError

    try:
        controller.floor.read()
    except TeaException as error:
        if error.code not in ("InvalidAutoScaler.NotFound", "InvalidService.NotFound"):
            raise
        raise JobError(
            f"{controller.service_name} has no autoscaler whose floor could be moved: run `paistack up` first"
        ) from None


def _take_lease(controller: "Controller", flags: ScaleFlags, ended: threading.Event) -> int | None:
    """None once the lease is held, else the exit status."""
    from jobs.console import complain, say
    from jobs.load.series import asking_oss
    from jobs.scale.lease import LeaseHeldError

    waiting = False
    while not ended.is_set():
        try:
            with asking_oss(controller.bucket):
                controller.lease.hold(controller.clock())
        except LeaseHeldError as held:
            if not flags.wait:
                complain(f"the floor of {controller.service} is moved by {held}; --follow --wait waits for the lease")
                return 1
            if not waiting:
                say(f"waiting: the floor of {controller.service} is moved by {held}")
            waiting = True
            ended.wait(min(flags.every_s, 15))
        else:
            return None
    return 0


def _rounds(controller: "Controller", flags: ScaleFlags, ended: threading.Event) -> int:
    """The exit status: 1 after so many failures in a row, and when somebody else has the lease."""
    from jobs.console import complain
    from jobs.scale.controller import MOST_FAILURES
    from jobs.scale.lease import LeaseHeldError

    failures = 0
    while True:
        try:
            problem = _round(controller)
        except LeaseHeldError as held:
            complain(f"the lease went to {held}: this controller ends, and leaves the floor to that one")
            return 1
        failures = failures + 1 if problem else 0
        if problem:
            complain(f"round failed, {failures} in a row: {problem}")
        if not flags.follow:
            return 1 if problem else 0
        if failures == MOST_FAILURES:
            complain(f"{failures} rounds in a row failed: {_released(controller)}, and this controller ends")
            return 1
        if ended.wait(flags.every_s):
            return 0


def _round(controller: "Controller") -> str:
    """What went wrong in a round; a decision is printed, and stands in the journal."""
    from jobs.console import results
    from jobs.load.series import told
    from jobs.scale.controller import FAILURES

    try:
        record = controller.round()
    except FAILURES as error:
        return told(error)
    results.file.write(f"{record.model_dump_json()}\n")
    results.file.flush()
    return record.problem or ""


def _finish(controller: "Controller", flags: ScaleFlags) -> int:
    """Gives the lease back, and with --release the floor; the exit status."""
    from jobs.console import complain, say
    from jobs.load.series import told
    from jobs.scale.controller import FAILURES

    if flags.release:
        say(f"the end: {_released(controller)}")
    elif flags.follow and controller.lease.expires_at is not None and controller.mode == "PredictAndScale":
        say(f"the end: the floor of {controller.service} stays as it is until another controller runs, or --release")
    try:
        controller.lease.give_back(controller.clock())
    except FAILURES as error:
        complain(f"the lease is not given back, and ends at {controller.lease.expires_at}: {told(error)}")
        return 1
    return 0


def _released(controller: "Controller") -> str:
    """Puts the floor back to the settings' least; what became of it."""
    from jobs.load.series import told
    from jobs.scale.controller import FAILURES

    try:
        return controller.release()
    except FAILURES as error:
        return f"the floor stays as it is, {told(error)}"
