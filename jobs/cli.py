"""`paistack`: what a person or a schedule runs."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from Tea.exceptions import TeaException

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
from jobs.models import command as models_command
from jobs.models.registration import registry_of
from jobs.models.train import train
from jobs.options import Stack
from jobs.planning_commands import backtest, forecast, loadtest
from jobs.problem import JobError
from jobs.scale.command import scale
from jobs.stacks import open_stack
from jobs.update import run
from jobs.watching_commands import calls, logs, open_console, publish_metrics, quality, verify_metrics
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
for command in (forecast, loadtest, backtest, scale, logs, quality, calls):
    app.command()(command)
app.command("console")(open_console)
metrics_app.command("verify")(verify_metrics)
metrics_app.command("publish")(publish_metrics)

Service = Annotated[str, typer.Option(help="Name of the service in the stack's settings.")]

Workspace = Annotated[str, typer.Option(help="Id of the PAI workspace.")]

_PASSES_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


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
