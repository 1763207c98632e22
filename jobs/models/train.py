"""`paistack train`: starts a run, follows it, and registers the version that it stored."""

import re
from pathlib import Path

from rich.progress import Progress

from cloud.dsw import dsw_client
from cloud.oss import oss_bucket
from engine.environment import ROOT
from jobs.console import notes, results, say
from jobs.data.transfer import download
from jobs.models import artefact
from jobs.models.registration import commit, register
from jobs.models.registry import Version
from jobs.models.run import ENDED, LOG, Run, log_of
from jobs.problem import JobError
from jobs.stacks import OpenStack
from jobs.update import run as pulumi
from stacks.config import StackConfig

MODELS = ROOT / ".paistack" / "versions"
_EPOCH = re.compile(r"epoch (\d+)/(\d+)")


def train(stack: OpenStack, name: str, *, models: Path = MODELS, timeout_min: int = 600) -> Version:
    """Bring the run's machine up to date, have it train, and register what comes of it. Raises JobError."""
    model, workspace_id = names_of(stack.config, name)
    bucket_name = stack.config.store.bucket_name(stack.pulumi.name, stack.target.account_id)
    bucket = oss_bucket(stack.target, stack.credentials(), bucket_name)
    prefix = f"models/{model}/"
    before = log_of(bucket, f"{prefix}{LOG}")
    was_there = _instance_of(stack, name)
    say(f"Bringing the machine of {name} up to date: pulumi up --stack {stack.pulumi.name}")
    if status := pulumi("up", stack, ["--skip-preview"]):
        raise JobError(f"`pulumi up` ended with status {status}; run `paistack train {name}` again")
    instance_id = _instance_of(stack, name)
    if instance_id is None:
        raise JobError(f"`pulumi up` made no machine for {name}; its settings stand under paistack:training.{name}")
    going = Run(
        dsw_client(stack.target, stack.credentials()),
        bucket,
        instance_id,
        f"{prefix}{LOG}",
        before[0] if before else "",
    )
    if instance_id == was_there and going.status() in ENDED:
        going.start()
    say(f"Training on {instance_id}, which stops by itself when it is done")
    content = _follow(going, timeout_min)
    folder = models / model / content
    download(bucket, f"{prefix}{content}/", folder, notes)
    version = register(stack, model, workspace_id, folder, commit())
    _, metrics = artefact.read(folder)
    results.print(metrics.table())
    results.print(
        f"{model} {version.name}, {content}: {metrics.accuracy:.1%} of {metrics.images} held-back images right",
        soft_wrap=True,
    )
    return version


def names_of(config: StackConfig, name: str) -> tuple[str, str]:
    """The model and the workspace of a run; JobError when the stack has no such run."""
    if name not in config.training:
        there = ", ".join(config.training) or "none"
        raise JobError(f"the stack has no training {name!r}; there are: {there}; they stand under paistack:training")
    return config.training[name].model, config.training[name].workspace_id


def _follow(going: Run, timeout_min: int) -> str:
    with Progress(console=notes, disable=not notes.is_terminal) as progress:
        task = progress.add_task("starting", total=None)

        def on_line(line: str) -> None:
            notes.print(f"  {line}", markup=False, soft_wrap=True)
            if found := _EPOCH.search(line):
                progress.update(task, completed=int(found[1]), total=int(found[2]), description="training")

        return going.follow(on_line, timeout_s=timeout_min * 60)


def _instance_of(stack: OpenStack, name: str) -> str | None:
    found = stack.pulumi.outputs().get("training", {}).get(name)
    return str(found["instance_id"]) if found else None
