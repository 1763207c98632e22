"""`pulumi preview` and `up` of many services, beside as many resources that do nothing."""

import hashlib
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bench import servers
from bench.rows import Row, at_most, figure
from cloud.target import Target
from engine.environment import pulumi_environment

ROOT = Path(__file__).parent.parent
TRIVIAL = ROOT / "bench" / "trivial"
COUNTS = (1, 50)
PARALLEL = "16"


@dataclass(frozen=True)
class Taken:
    """Seconds that each command took, and the resources that it was about."""

    resources: int
    preview: float
    up: float
    preview_again: float
    up_again: float
    destroy: float


def many_services() -> Iterator[Row]:
    """One and fifty services, each beside as many resources that do nothing.

    A creation is also held against the floor and the provider's own waits: it polls a new service after 5 s.
    """
    ours: dict[int, Taken] = {}
    floor: dict[int, Taken] = {}
    for count in COUNTS:
        ours[count] = _services(count)
        floor[count] = _trivial(ours[count].resources)
        what = f"{count} service{'s' if count > 1 else ''} ({ours[count].resources} resources)"
        yield at_most(f"pulumi preview, {what}", ours[count].preview, "s", baseline=floor[count].preview, ratio=1.5)
        for name in ("preview_again", "up_again"):
            title = f"pulumi {name.removesuffix('_again')} without a change, {what}"
            yield at_most(title, getattr(ours[count], name), "s", baseline=getattr(floor[count], name), ratio=1.5)
        for name in ("up", "destroy"):
            waits = -(-count // int(PARALLEL)) * 5
            yield figure(f"waits of the provider in {name}, {what}", waits, "s")
            baseline = getattr(floor[count], name) + waits
            yield at_most(
                f"pulumi {name}, {what}, beside floor and waits",
                getattr(ours[count], name),
                "s",
                baseline=baseline,
                ratio=1.5,
            )
    few, many = COUNTS
    for name in ("preview", "up_again"):
        growth = [getattr(taken[many], name) - getattr(taken[few], name) for taken in (ours, floor)]
        each = ours[many].resources - ours[few].resources
        yield at_most(
            f"pulumi {name.removesuffix('_again')}: each further resource",
            growth[0] / each * 1000,
            "ms",
            baseline=growth[1] / each * 1000,
            ratio=1.5,
        )


def _services(count: int) -> Taken:
    with servers.emulator() as (url, _), tempfile.TemporaryDirectory() as scratch:
        target = Target(region="cn-hangzhou", account_id="1234567890123456", emulator=url)
        artefact = Path(scratch) / "artefact"
        artefact.mkdir()
        (artefact / "model.pt").touch()
        files = {"model.pt": hashlib.sha256().hexdigest()}
        (artefact / "manifest.json").write_text(json.dumps({"version": "1", "files": files}))
        service = {
            "model": {"name": "nothing", "artefact": str(artefact)},
            "container": {"server": "bench/clients/answer.py", "probes": {"path": "/"}},
            "instance_type": "ecs.c7.large",
        }
        config = {
            "paistack:target": target.model_dump(),
            "paistack:store": {"force_destroy": True},
            "paistack:services": {f"s{number}": service for number in range(count)},
        }
        with _stack(ROOT, "paistack", config, Path(scratch), target.environment()) as run:
            return _walk(run)


def _trivial(resources: int) -> Taken:
    config = {"trivial:resources": resources}
    with (
        tempfile.TemporaryDirectory() as scratch,
        _stack(TRIVIAL, "trivial", config, Path(scratch), {"PYTHONPATH": str(ROOT)}) as run,
    ):
        return _walk(run)


class Run:
    """`pulumi` in one project, on the stack `bench` of a backend of its own."""

    def __init__(self, project: Path, config_file: Path, environment: Mapping[str, str]) -> None:
        self._project, self._config, self._environment = project, ["--config-file", str(config_file)], environment

    def __call__(self, command: str, *arguments: str) -> str:
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
        self(command, *self._config, *arguments)
        return time.perf_counter() - began


@contextmanager
def _stack(
    project: Path, name: str, config: Mapping[str, object], scratch: Path, environment: Mapping[str, str]
) -> Iterator[Run]:
    """The stack is made in `scratch`, since Pulumi writes a salt into the file that is beside Pulumi.yaml."""
    backend, file = scratch / "state", scratch / "Pulumi.bench.yaml"
    backend.mkdir()
    (scratch / "Pulumi.yaml").write_text(f"name: {name}\nruntime: python\n")
    file.write_text(yaml.safe_dump({"config": dict(config)}))
    own = {"PULUMI_BACKEND_URL": f"file://{backend}", "PULUMI_CONFIG_PASSPHRASE": "bench", "NO_COLOR": "1"}
    everywhere = {**pulumi_environment(), **environment, **own}
    Run(scratch, file, everywhere)("stack init", "--no-select")
    yield Run(project, file, everywhere)


def _walk(run: Run) -> Taken:
    up = ["up", "--yes", "--skip-preview", "--parallel", PARALLEL]
    preview = run.seconds("preview")
    created = run.seconds(*up)
    preview_again = run.seconds("preview", "--expect-no-changes")
    up_again = run.seconds(*up, "--expect-no-changes")
    resources = _resources(json.loads(run("stack export")))
    destroyed = run.seconds("destroy", "--yes", "--skip-preview", "--parallel", PARALLEL)
    return Taken(resources, preview, created, preview_again, up_again, destroyed)


def _resources(exported: dict[str, Any]) -> int:
    """How many resources the program registered: all but the stack and the providers."""
    types = [resource["type"] for resource in exported["deployment"]["resources"]]
    return sum(not name.startswith(("pulumi:pulumi:", "pulumi:providers:")) for name in types)
