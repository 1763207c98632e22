"""`paistack models`: what is registered, and which version a service runs."""

from pathlib import Path

from rich.table import Table

from cloud.oss import oss_bucket
from engine.environment import ROOT
from jobs.console import notes, results, say
from jobs.data.transfer import download
from jobs.models import artefact
from jobs.models.registration import register
from jobs.models.registry import COMMIT, DATASET, Registry, Version
from jobs.models.stack_file import approve, set_artefact
from jobs.models.train import MODELS
from jobs.problem import JobError
from jobs.stacks import OpenStack
from stacks.config import StackConfig


def table_of(versions: list[Version], running: dict[str, list[str]]) -> Table:
    """One row for each version; `running` says which services run which content."""
    table = Table("version", "content", "accuracy", "F1", "dataset", "commit", "run by")
    for each in versions:
        shares = (f"{float(each.metrics[key]):.1%}" if key in each.metrics else "" for key in ("accuracy", "f1"))
        labels = (each.labels.get(key, "") for key in (DATASET, COMMIT))
        table.add_row(each.name, each.content, *shares, *labels, ", ".join(running.get(each.content, [])))
    return table


def running(config: StackConfig, model: str) -> dict[str, list[str]]:
    """The services whose settings name a version of the model, by its content."""
    found: dict[str, list[str]] = {}
    for name, service in config.services.items():
        if service.model.name == model:
            manifest = Path(service.model.artefact) / "manifest.json"
            content = artefact.Manifest.model_validate_json(manifest.read_bytes()).version if manifest.exists() else ""
            found.setdefault(content, []).append(name)
    return found


def version_of(registry: Registry, model: str, wanted: str) -> Version:
    """By PAI's name of it or by its content. Raises JobError."""
    versions = registry.versions(model)
    found = next((each for each in versions if wanted in (each.name, each.content)), None)
    if found is None:
        there = ", ".join(f"{each.name} ({each.content})" for each in versions) or "none"
        raise JobError(f"{model} has no version {wanted}; there are: {there}")
    return found


def fetch(stack: OpenStack, model: str, version: Version, models: Path = MODELS) -> Path:
    """The folder on this machine that holds the version, brought here where it is not."""
    bucket_name = stack.config.store.bucket_name(stack.pulumi.name, stack.target.account_id)
    folder = models / model / version.content
    bucket = oss_bucket(stack.target, stack.credentials(), bucket_name)
    download(bucket, f"models/{model}/{version.content}/", folder, notes)
    return folder


def show(stack: OpenStack, registry: Registry, model: str, wanted: str) -> None:
    """Print what is known of a version. Raises JobError."""
    version = version_of(registry, model, wanted)
    _, metrics = artefact.read(fetch(stack, model, version))
    results.print(f"{model} {version.name} at {version.uri}", soft_wrap=True)
    for key, value in version.labels.items():
        results.print(f"  {key}: {value}", markup=False)
    results.print(metrics.table())
    results.print(f"accuracy {metrics.accuracy:.1%}, recall {metrics.recall:.3f}, F1 {metrics.f1:.3f}")


def promote(stack: OpenStack, registry: Registry, service: str, wanted: str, models: Path = MODELS) -> None:
    """Have the service run a version from the next `pulumi up` on, and say what that will change. Raises JobError."""
    file = stack.pulumi.settings
    model, _ = model_of(stack, service)
    version = version_of(registry, model, wanted)
    folder = fetch(stack, model, version, models)
    artefact.read(folder)
    if not approve(file, model, version.name):
        say(f"{model} {version.name} is registered by somebody else: approve it in PAI where that is asked for")
    before, now = set_artefact(file, service, folder)
    if before == now:
        say(f"{service} is set to {model} {version.name} already")
        return
    say(f"{file.name}: services.{service}.model.artefact: {before} => {now}")
    say(
        f"`paistack up --stack {stack.pulumi.name}` will put the files of {version.content} into the bucket where they "
        f"are not, and update {service} by its rollout settings; `paistack preview --stack {stack.pulumi.name} --diff` "
        "shows it"
    )


def register_running(stack: OpenStack, service: str, workspace_id: str) -> Version:
    """Register the version that the settings have the service run. Raises JobError."""
    model, folder = model_of(stack, service)
    return register(stack, model, workspace_id, folder, made_by=None)


def model_of(stack: OpenStack, service: str) -> tuple[str, Path]:
    """The name of the model that a service runs, and where its files lie; JobError when there is no such service."""
    if service not in stack.config.services:
        there = ", ".join(stack.config.services) or "none"
        raise JobError(f"the stack has no service {service!r}; there are: {there}")
    model = stack.config.services[service].model
    return model.name, ROOT / model.artefact
