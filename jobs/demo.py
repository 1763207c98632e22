"""`paistack demo`: the whole tour on one machine, from a trained model to images that a deployed service classifies."""

import shlex
import subprocess
import sys
from pathlib import Path

from engine.environment import ROOT
from jobs.classify import Endpoint, classify, endpoint_of, table_of
from jobs.console import results, say
from jobs.problem import JobError
from jobs.stacks import OpenStack, open_stack
from jobs.update import run
from stacks.config import StackConfig

STACK = "local"
PICTURES = ROOT / "model" / "sample" / "pictures"


def demo() -> None:
    """Trains unless nothing changed, deploys, classifies the sample's pictures; JobError when a step fails."""
    config = StackConfig.of_stack(STACK)
    service, settings = next(iter(config.services.items()))
    say(f"Training {settings.model.name}; what is there already is kept")
    _train(Path(settings.model.artefact))
    stack = open_stack(STACK)
    say(f"Deploying: pulumi up --stack {STACK}")
    if status := run("up", stack, ["--skip-preview"]):
        raise JobError(f"`pulumi up` ended with status {status}; run `make demo` again, it goes on from here")
    endpoint = endpoint_of(stack, service)
    say("Classifying pictures through the deployed endpoint")
    pictures = sorted(PICTURES.glob("*.png"))
    classified = classify(endpoint, pictures)
    results.print(f"{endpoint.model} at {endpoint.url}", soft_wrap=True)
    results.print(table_of(classified))
    if problems := [item for item in classified if item.problem]:
        raise JobError(f"{len(problems)} of {len(classified)} pictures were not classified")
    _tell_what_next(stack, service, endpoint, pictures[0])


def _train(artefact: Path) -> None:
    command = [sys.executable, "-m", "model.train", "--data", "sample", "--out", str(artefact)]
    if status := subprocess.run(command, cwd=ROOT, check=False).returncode:  # noqa: S603 our own program
        raise JobError(f"training ended with status {status}")


def _tell_what_next(stack: OpenStack, service: str, endpoint: Endpoint, picture: Path) -> None:
    image = shlex.quote(str(picture.relative_to(ROOT)))
    results.print(
        f"""
Addresses
  service   {endpoint.url}
  emulator  {stack.target.emulator} (log: .paistack/emulator/emulator.log)

What to try next
  .venv/bin/paistack token {service} --header | curl -s -H @- --data-binary @{image} {endpoint.url}
  .venv/bin/paistack classify YOUR.jpg
  change replicas in stacks/Pulumi.{STACK}.yaml, then: make preview ARGS=--diff, make up
  make destroy, then `.venv/bin/paistack emulator stop`""",
        markup=False,
        soft_wrap=True,
    )
