"""The command line: what a person sees who mistypes."""

import subprocess
import sys

import pytest

from engine.environment import ROOT
from stacks.config import STACKS
from stacks.schema import schema_text


def paistack(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "jobs.cli", *arguments],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "COLUMNS": "200", **environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["preview", "--stack", "prod"], 2, "error: there is no stack 'prod': stacks/Pulumi.prod.yaml does not exist"),
        (["up", "--stack", "dev"], 2, "error: no credentials for Alibaba Cloud (cn-hangzhou): set ALIBABA_CLOUD_"),
        (
            ["emulator", "start", "--stack", "dev"],
            2,
            "error: stack dev is deployed to Alibaba Cloud: it has no emulator",
        ),
        (["emulator", "restart"], 2, "'restart' is not one of 'start', 'stop', 'status', 'reset'"),
        (["classify"], 2, "Missing argument"),
        (["logs", "fashion", "--since", "soon"], 2, "error: --since: found 'soon'; give a time such as 15m"),
        (["logs", "fashion", "--level", "loud"], 2, "'loud' is not one of 'debug', 'info', 'warning', 'error'"),
        (["metrics", "verify", "--stack", "dev"], 2, "error: no credentials for Alibaba Cloud (cn-hangzhou)"),
        (["deploy"], 2, "No such command 'deploy'"),
    ],
)
def test_a_mistake_is_told_without_a_traceback(arguments: list[str], status: int, told: str) -> None:
    finished = paistack(*arguments)

    assert finished.returncode == status
    assert told in finished.stderr
    assert "Traceback" not in finished.stderr


def test_the_schema_is_printed_checked_and_up_to_date() -> None:
    assert paistack("schema").stdout == schema_text()
    assert paistack("schema", "--check").returncode == 0


def test_the_exports_name_every_stack_s_way() -> None:
    assert "export HTTP_PROXY=http://127.0.0.1:8600" in paistack("env", "--stack", "local").stdout
    assert "HTTP_PROXY" not in paistack("env", "--stack", "production").stdout


def test_every_stack_file_belongs_to_a_stack_that_is_documented() -> None:
    named = {path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in STACKS.glob("Pulumi.*.yaml")}

    assert all(name in paistack("up", "--help").stdout for name in named)
