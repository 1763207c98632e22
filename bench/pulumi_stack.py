"""Runs of `pulumi` on a stack that is only there to be measured, and as many trivial resources beside it."""

import hashlib
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from bench import servers
from cloud.target import Target
from engine.environment import pulumi_environment

ROOT = Path(__file__).parent.parent
TRIVIAL = ROOT / "bench" / "trivial"
PARALLEL = 16
UP = ("--yes", "--skip-preview", "--parallel", str(PARALLEL))


class Stack:
    """One project, on the stack `bench` of a backend of its own."""

    def __init__(self, project: Path, config_file: Path, environment: Mapping[str, str]) -> None:
        self._project, self._config, self._environment = project, ["--config-file", str(config_file)], environment

    def run(self, command: str, *arguments: str) -> str:
        """What the command wrote; RuntimeError, with that, when it failed."""
        finished = subprocess.run(
            ["pulumi", *command.split(), "--stack", "bench", "--non-interactive", *arguments],
            cwd=self._project,
            env=self._environment,
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        if finished.returncode:
            raise RuntimeError(f"pulumi {command} failed:\n{finished.stdout}")
        return finished.stdout

    def seconds(self, command: str, *arguments: str) -> float:
        """How long the command takes with the stack's configuration."""
        began = time.perf_counter()
        self.run(command, *self._config, *arguments)
        return time.perf_counter() - began

    def planned(self) -> int:
        """How many resources the program registers: all but the stack and the providers."""
        steps = json.loads(self.run("preview", "--json", *self._config))["steps"]
        types = [step["newState"]["type"] for step in steps]
        return sum(not name.startswith(("pulumi:pulumi:", "pulumi:providers:")) for name in types)


@contextmanager
def services(settings: Mapping[str, Mapping[str, Any]], **others: object) -> Iterator[Stack]:
    """Our program with a service for each of `settings`, which add to the least that a service needs, and with other
    settings of a stack; in an emulator of its own."""
    with servers.emulator() as (url, _), tempfile.TemporaryDirectory() as scratch:
        target = Target(region="cn-hangzhou", account_id="1234567890123456", emulator=url)
        artefact = Path(scratch) / "artefact"
        artefact.mkdir()
        (artefact / "model.pt").touch()
        files = {"model.pt": hashlib.sha256().hexdigest()}
        (artefact / "manifest.json").write_text(json.dumps({"version": "1", "files": files}))
        least = {
            "model": {"name": "nothing", "artefact": str(artefact)},
            "container": {"server": "bench/clients/answer.py", "probes": {"path": "/"}},
            "instance_type": "ecs.c7.large",
        }
        config = {
            "paistack:target": target.model_dump(),
            "paistack:store": {"force_destroy": True},
            "paistack:services": {name: {**least, **its} for name, its in settings.items()},
            **{f"paistack:{key}": value for key, value in others.items()},
        }
        with _stack(ROOT, "paistack", config, Path(scratch), target.environment()) as stack:
            yield stack


@contextmanager
def trivial(resources: int) -> Iterator[Stack]:
    """A program of so many resources that do nothing: the floor."""
    config = {"trivial:resources": resources}
    with (
        tempfile.TemporaryDirectory() as scratch,
        _stack(TRIVIAL, "trivial", config, Path(scratch), {"PYTHONPATH": str(ROOT)}) as stack,
    ):
        yield stack


@contextmanager
def _stack(
    project: Path, name: str, config: Mapping[str, object], scratch: Path, environment: Mapping[str, str]
) -> Iterator[Stack]:
    """The stack is made in `scratch`, since Pulumi writes a salt into the file that is beside Pulumi.yaml."""
    backend, file = scratch / "state", scratch / "Pulumi.bench.yaml"
    backend.mkdir()
    (scratch / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n")
    file.write_text(yaml.safe_dump({"config": dict(config)}))
    own = {"PULUMI_BACKEND_URL": f"file://{backend}", "PULUMI_CONFIG_PASSPHRASE": "bench", "NO_COLOR": "1"}
    everywhere = {**pulumi_environment(), **environment, **own}
    Stack(scratch, file, everywhere).run("stack init", "--no-select")
    yield Stack(project, file, everywhere)
