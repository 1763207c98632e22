"""`paistack`: what a person or a schedule runs."""

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from Tea.exceptions import TeaException

from cloud.eas import eas_client
from cloud.target import TargetError
from engine.environment import ROOT
from jobs.classify import classify, endpoint_of, table_of
from jobs.console import complain, results, say
from jobs.data import command as data_command
from jobs.data.image import Limits
from jobs.demo import demo as run_demo
from jobs.emulator import EmulatorProcess
from jobs.exports import shell_exports
from jobs.load.command import app as history_app
from jobs.logs import Search, follow, read, service_of, shown, since_of
from jobs.metrics import verify
from jobs.models import command as models_command
from jobs.models.registration import registry_of
from jobs.models.train import train
from jobs.problem import JobError
from jobs.quality.calls import Grouping
from jobs.scale.command import scale
from jobs.stacks import open_stack
from jobs.update import run
from planning.wish import Aim, Renewal
from stacks.config import StackConfig
from stacks.problems import ConfigError
from stacks.schema import SCHEMA_FILE, schema_text

DATASETS = ROOT / ".paistack" / "datasets"

app = typer.Typer(
    help="Alibaba Cloud PAI as code.", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False
)

models = typer.Typer(help="Registered versions of models.", no_args_is_help=True)
app.add_typer(models, name="models")
data = typer.Typer(help="Datasets of images.", no_args_is_help=True)
app.add_typer(data, name="data")
metrics_app = typer.Typer(help="What CloudMonitor measures.", no_args_is_help=True)
app.add_typer(metrics_app, name="metrics")
app.add_typer(history_app, name="history")
app.command()(scale)

Stack = Annotated[str, typer.Option("--stack", "-s", help="local, dev, staging or production.")]
Service = Annotated[str, typer.Option(help="Name of the service in the stack's settings.")]

Workspace = Annotated[str, typer.Option(help="Id of the PAI workspace.")]

_Value = TypeVar("_Value")

_PASSES_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"


class EmulatorAction(StrEnum):
    START = "start"
    STOP = "stop"
    STATUS = "status"
    RESET = "reset"


@app.command(context_settings=_PASSES_ON)
def up(context: typer.Context, stack: Stack = "local") -> None:
    """Create or change what the stack describes; further arguments go to `pulumi up`."""
    raise typer.Exit(run("up", open_stack(stack), context.args))


@app.command(context_settings=_PASSES_ON)
def preview(
    context: typer.Context,
    stack: Stack = "local",
    offline: Annotated[
        bool, typer.Option("--offline", help="Without account and network; for stacks that are not deployed.")
    ] = False,
) -> None:
    """Show what `up` would do; further arguments go to `pulumi preview`."""
    raise typer.Exit(run("preview", open_stack(stack, offline=offline), context.args))


@app.command(context_settings=_PASSES_ON)
def refresh(context: typer.Context, stack: Stack = "local") -> None:
    """Bring the state up to date with the cloud; further arguments go to `pulumi refresh`."""
    raise typer.Exit(run("refresh", open_stack(stack), context.args))


@app.command(context_settings=_PASSES_ON)
def destroy(context: typer.Context, stack: Stack = "local") -> None:
    """Delete everything that the stack created; further arguments go to `pulumi destroy`."""
    raise typer.Exit(run("destroy", open_stack(stack), context.args))


@app.command()
def demo() -> None:
    """The tour: emulator, training, `pulumi up`, and images sent through the deployed service."""
    run_demo()


@app.command("classify")
def classify_images(
    images: Annotated[list[Path], typer.Argument(help="PNG or JPEG files.")],
    service: Service = "fashion",
    stack: Stack = "local",
) -> None:
    """Send images to a deployed service and show what it says."""
    endpoint = endpoint_of(open_stack(stack), service)
    classified = classify(endpoint, images)
    results.print(f"{endpoint.model} at {endpoint.url}", soft_wrap=True)
    results.print(table_of(classified))
    raise typer.Exit(1 if any(item.problem for item in classified) else 0)


@app.command()
def token(
    service: Annotated[str, typer.Argument()] = "fashion",
    stack: Stack = "local",
    header: Annotated[bool, typer.Option("--header", help="Print the whole header, for `curl -H @-`.")] = False,
) -> None:
    """Print a service's token, for the header Authorization; in a pipe it is on no command line."""
    value = endpoint_of(open_stack(stack), service).token
    sys.stdout.write(f"Authorization: {value}\n" if header else f"{value}\n")


@app.command()
def logs(
    service: Annotated[str, typer.Argument(help="Name of the service in the stack's settings.")],
    stack: Stack = "local",
    since: Annotated[str, typer.Option(help="15m, 2h, 1d ago, or a time in UTC.")] = "15m",
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


@app.command()
def quality(
    service: Annotated[str, typer.Argument(help="Name of the service in the stack's settings.")],
    stack: Stack = "local",
    since: Annotated[str, typer.Option(help="15m, 2h, 1d ago, or a time in UTC.")] = "7d",
    labels: Annotated[
        str | None, typer.Option(help="CSV with the columns id and label: a file, or all below oss://BUCKET/PREFIX/.")
    ] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Report it to CloudMonitor, for alarms.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Judge a deployed model by what it answered: accuracy, recall and F1 by labels, drift against training."""
    from jobs.quality.command import show_quality

    show_quality(open_stack(stack), service, since, labels, publishing=publish, as_json=as_json)


@app.command()
def calls(
    service: Annotated[str, typer.Argument(help="Name of the service in the stack's settings.")],
    stack: Stack = "local",
    since: Annotated[str, typer.Option(help="15m, 2h, 1d ago, or a time in UTC.")] = "1h",
    by: Annotated[Grouping, typer.Option(help="What callers said of themselves, or the answer's status.")] = (
        Grouping.SOURCE
    ),
    publish: Annotated[bool, typer.Option("--publish", help="Report it to CloudMonitor, for alarms.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Count the calls of a service by source, region, business type or status."""
    from jobs.quality.calls import show_calls

    show_calls(open_stack(stack), service, since, by, publishing=publish, as_json=as_json)


@app.command("console")
def open_console(
    stack: Stack = "local",
    port: Annotated[int, typer.Option(min=0, max=65535, help="On the loopback; 0 is any that is free.")] = 8700,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
) -> None:
    """Show a stack on a local page: services, load, latency, alarms, logs, quality; Ctrl-C ends it."""
    from jobs.webconsole.command import serve

    serve(open_stack(stack), port, browser=browser)


@metrics_app.command("verify")
def verify_metrics(stack: Stack = "local") -> None:
    """Ask CloudMonitor for the metrics of the stack's alarms, and name every rule that would never fire."""
    count, problems = verify(open_stack(stack))
    for problem in problems:
        complain(problem)
    if not problems:
        say(f"CloudMonitor has the metrics of all {count} rules")
    raise typer.Exit(1 if problems else 0)


@app.command()
def forecast(
    history: Annotated[Path | None, typer.Option(help="CSV file with the columns timestamp and qps.")] = None,
    step_seconds: Annotated[int | None, typer.Option(help="Between two rows of the history.")] = None,
    qps_per_replica: Annotated[float | None, typer.Option(help="Requests/s that one replica can serve.")] = None,
    min_replicas: Annotated[int | None, typer.Option("--min", help="The least replicas.")] = None,
    max_replicas: Annotated[int | None, typer.Option("--max", help="The most replicas.")] = None,
    warm_up: Annotated[int | None, typer.Option(help="Seconds from asking for a replica until it serves.")] = None,
    horizon_hours: Annotated[float, typer.Option(help="So far the plan reaches, up to a week.")] = 24.0,
    present_target: Annotated[float, typer.Option(help="Of the autoscaler, as a share of --qps-per-replica.")] = 0.7,
    aim: Annotated[Aim, typer.Option(help="safe: no more overload or hours; economic: least cost.")] = Aim.ECONOMIC,
    overload_price: Annotated[float, typer.Option(help="Of an hour of overload, in replica-hours.")] = 100.0,
    renewal: Annotated[Renewal, typer.Option(help="How often the plan will be replaced.")] = Renewal.UNKNOWN,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    stack: Annotated[str | None, typer.Option("--stack", "-s", help="With --service: read CloudMonitor.")] = None,
    service: Annotated[str | None, typer.Option(help="With --stack: all else stands in its settings.")] = None,
    write: Annotated[bool, typer.Option("--write", help="Of --service: write the plan that `up` follows.")] = False,
) -> None:
    """Plan replicas for the next hours: from a file, without a cloud, or for a --service of a --stack."""
    from jobs.forecast import ForecastFlags
    from jobs.forecast import forecast as run_forecast

    if stack is not None or service is not None:
        from jobs.plan import plan_service

        if stack is None or service is None:
            raise JobError("--stack and --service belong together: whose load is it, and where?")
        plan_service(open_stack(stack), service, horizon_hours, write=write, as_json=as_json)
        return
    flags = ForecastFlags(
        needed("--history", history),
        needed("--step-seconds", step_seconds),
        needed("--qps-per-replica", qps_per_replica),
        needed("--min", min_replicas),
        needed("--max", max_replicas),
        needed("--warm-up", warm_up),
        horizon_hours,
        present_target,
        overload_price,
        aim,
        renewal,
    )
    run_forecast(flags, as_json=as_json)


@app.command()
def loadtest(
    service: Annotated[str, typer.Argument(help="Name of the service in the stack's settings.")],
    stack: Stack = "local",
    data: Annotated[Path, typer.Option(help="Body of each request.")] = ROOT / "model/sample/pictures/bag.png",
    latency_ms: Annotated[float, typer.Option(help="The slowest that --percentile of the answers may be.")] = 100.0,
    percentile: Annotated[float, typer.Option(help="Of the answers.")] = 95.0,
    first: Annotated[float, typer.Option(help="Requests per second to begin with, to all replicas together.")] = 5.0,
    most: Annotated[float, typer.Option(help="Never offer more.")] = 1000.0,
    trial_seconds: Annotated[float, typer.Option(help="So long is each load offered.")] = 5.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Raise the load on a service until it gets slow, and keep what one replica can serve, for forecasts."""
    from jobs.loadtest import LoadFlags
    from jobs.loadtest import loadtest as run_loadtest

    flags = LoadFlags(data, latency_ms, percentile, first, most, trial_seconds)
    run_loadtest(open_stack(stack), service, flags, as_json=as_json)


@app.command()
def backtest(
    history: Annotated[Path, typer.Option(help="CSV file with the columns timestamp and qps.")],
    step_seconds: Annotated[int, typer.Option(help="Between two rows of the history.")],
    qps_per_replica: Annotated[float, typer.Option(help="Requests per second that one replica can serve.")],
    min_replicas: Annotated[int, typer.Option("--min", help="The least replicas.")],
    max_replicas: Annotated[int, typer.Option("--max", help="The most replicas.")],
    warm_up: Annotated[int, typer.Option(help="Seconds from asking for a replica until it serves.")],
    days: Annotated[int, typer.Option(help="So many of the last days are replayed.")] = 3,
    methods: Annotated[str, typer.Option(help="naive, seasons, arima, lstm, boosting, ensemble.")] = "naive,seasons",
    present_target: Annotated[float, typer.Option(help="Of the autoscaler, as a share of --qps-per-replica.")] = 0.7,
    aim: Annotated[Aim, typer.Option(help="safe: no more overload or hours; economic: least cost.")] = Aim.ECONOMIC,
    overload_price: Annotated[float, typer.Option(help="Of an hour of overload, in replica-hours.")] = 100.0,
    replica_hour_price: Annotated[float | None, typer.Option(help="Adds a column of money.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write the report as one HTML file.")] = None,
) -> None:
    """Replay the last days with and without forecasts: replicas, overload, cost; needs no cloud."""
    from jobs.backtest import BacktestFlags
    from jobs.backtest import backtest as run_backtest
    from jobs.forecast import ForecastFlags

    asked = ForecastFlags(
        history,
        step_seconds,
        qps_per_replica,
        min_replicas,
        max_replicas,
        warm_up,
        24.0,
        present_target,
        overload_price,
        aim,
    )
    run_backtest(BacktestFlags(asked, methods, days, report, replica_hour_price))


@app.command()
def env(stack: Stack = "local") -> None:
    """Print what a shell needs to run `pulumi` by hand: eval "$(paistack env --stack local)"."""
    sys.stdout.write(shell_exports(StackConfig.of_stack(stack).target))


@app.command()
def emulator(action: EmulatorAction, stack: Stack = "local") -> None:
    """Start, stop, look at or empty the emulator of a stack."""
    url = StackConfig.of_stack(stack).target.emulator
    if url is None:
        raise JobError(f"stack {stack} is deployed to Alibaba Cloud: it has no emulator")
    process = EmulatorProcess(url)
    match action:
        case EmulatorAction.START:
            say(f"started at {url}" if process.start() else f"runs already at {url}")
        case EmulatorAction.STOP:
            say("stopped" if process.stop() else "does not run")
        case EmulatorAction.RESET:
            process.reset()
            say("is empty now")
        case EmulatorAction.STATUS:
            pid = process.pid()
            say(f"runs at {url}, process {pid}, log {process.log}" if pid else "does not run")
            raise typer.Exit(0 if pid else 1)


@data.command("prepare")
def prepare_data(
    source: Annotated[str, typer.Argument(help="Folder of images, or oss://BUCKET/PREFIX/.")],
    name: Annotated[str, typer.Option(help="Of the dataset.")],
    stack: Stack = "local",
    labels: Annotated[
        Path | None, typer.Option(help="CSV with columns file, label and group; without it folders are labels.")
    ] = None,
    upload: Annotated[bool, typer.Option(help="Send it to the stack's bucket and register it in PAI.")] = True,
    workspace: Workspace = "1000",
    shortest_side: Annotated[int, typer.Option(min=1, help="Pixels of the shorter side, at least.")] = 16,
    max_pixels: Annotated[int, typer.Option(min=1, help="Pixels of an image, at most.")] = 50_000_000,
    out: Annotated[Path, typer.Option(help="Where datasets are kept on this machine.")] = DATASETS,
) -> None:
    """Check, repair, label and split images; version them by content, upload and register them."""
    limits = Limits(shortest_side, max_pixels)
    in_oss = source.startswith("oss://")
    opened = open_stack(stack) if upload or in_oss else None
    folder = data_command.fetch(opened.target, opened.credentials(), source, out) if opened and in_oss else Path(source)
    prepared = data_command.prepare_folder(folder, name, labels, out, limits)
    if opened and upload:
        bucket = opened.config.store.bucket_name(stack, opened.target.account_id)
        data_command.publish(prepared, opened.target, opened.credentials(), bucket, workspace)


@app.command("train")
def train_model(
    name: Annotated[str, typer.Argument(help="Of the run in the stack's settings, under training.")],
    stack: Stack = "local",
    timeout_min: Annotated[int, typer.Option(min=1, help="How long it is followed.")] = 600,
) -> None:
    """Train on a machine of its own, follow it, and register the version that it stores."""
    train(open_stack(stack), name, timeout_min=timeout_min)


@models.command("list")
def list_models(
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    stack: Stack = "local",
    workspace: Workspace = "1000",
) -> None:
    """The versions of a model, and which service runs which."""
    opened = open_stack(stack)
    versions = registry_of(opened, workspace).versions(model)
    results.print(models_command.table_of(versions, models_command.running(opened.config, model)))


@models.command("show")
def show_model(
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    version: Annotated[str, typer.Argument(help="0.2.0, say, or the version of the content.")],
    stack: Stack = "local",
    workspace: Workspace = "1000",
) -> None:
    """A version's metrics for each class, and what it was made of."""
    opened = open_stack(stack)
    models_command.show(opened, registry_of(opened, workspace), model, version)


@models.command("promote")
def promote_model(
    version: Annotated[str, typer.Argument(help="0.2.0, say, or the version of the content.")],
    service: Service = "fashion",
    stack: Stack = "local",
    workspace: Workspace = "1000",
) -> None:
    """Set the version that a service runs, in the stack's file; `up` carries it out."""
    opened = open_stack(stack)
    registry = registry_of(opened, workspace)
    models_command.promote(opened, registry, service, version)


@models.command("register")
def register_model(service: Service = "fashion", stack: Stack = "local", workspace: Workspace = "1000") -> None:
    """Register the version that a service is set to run; `train` does so with what it trained."""
    opened = open_stack(stack)
    version = models_command.register_running(opened, service, workspace)
    say(f"{opened.config.services[service].model.name} {version.name} is registered as {version.uri}")


@app.command()
def schema(
    write: Annotated[bool, typer.Option("--write", help="Write stacks/schema.json.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Fail when stacks/schema.json is not up to date.")] = False,
) -> None:
    """Print the JSON schema of stack files, with which editors complete and check them."""
    if write:
        SCHEMA_FILE.write_text(schema_text())
    elif check and SCHEMA_FILE.read_text() != schema_text():
        raise JobError(f"{SCHEMA_FILE} is not up to date: run `paistack schema --write`")
    elif not check:
        sys.stdout.write(schema_text())


def needed(flag: str, value: _Value | None) -> _Value:
    """The value of a flag; JobError without one."""
    if value is None:
        raise JobError(
            f"{flag} is missing: a forecast from a file needs it, and one of a service --stack and --service"
        )
    return value


def main() -> None:
    """The command; ends the process with the status of what it ran, or with 2 and a message."""
    try:
        app()
    except (ConfigError, JobError, TargetError) as problem:
        complain(str(problem))
        sys.exit(2)
    except TeaException as refusal:
        complain(f"{refusal.code}: {refusal.message}" if refusal.code else str(refusal))
        sys.exit(2)


if __name__ == "__main__":
    main()
