import os
import shutil
import subprocess
from pathlib import Path

import pytest

from engine.environment import ROOT, pulumi_environment, pulumi_settings, shell_commands


def built(root: Path) -> Path:
    (root / ".paistack" / "engine" / "bin").mkdir(parents=True)
    return root


def test_state_and_passphrase_lie_in_the_checkout(tmp_path: Path) -> None:
    settings = pulumi_settings(tmp_path, {})
    assert settings["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/.paistack/state?metadata=skip"
    assert settings["PULUMI_CONFIG_PASSPHRASE_FILE"] == f"{tmp_path}/.paistack/passphrase"


def test_what_the_user_has_chosen_stays(tmp_path: Path) -> None:
    chosen = {"PULUMI_BACKEND_URL": "https://pulumi.example", "PULUMI_CONFIG_PASSPHRASE": "known"}
    environment = pulumi_environment(tmp_path, {**chosen, "PATH": "/usr/bin"})
    assert chosen.items() <= environment.items()
    assert "PULUMI_CONFIG_PASSPHRASE_FILE" not in environment
    assert environment["PATH"] == f"{tmp_path}/.venv/bin:/usr/bin"


def test_only_an_engine_that_was_built_here_has_its_own_home(tmp_path: Path) -> None:
    own = {"PULUMI_HOME", "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"}
    assert own.isdisjoint(pulumi_settings(tmp_path, {}))
    assert own <= pulumi_settings(built(tmp_path), {}).keys()


SHELLS = [name for name in ("sh", "bash", "dash", "zsh") if shutil.which(name)]


def variables(shell: str, commands: str, environ: dict[str, str]) -> dict[str, str]:
    """What a shell has set about Pulumi after some commands, beginning with `environ`."""
    start = {"PATH": os.environ["PATH"], **environ}
    done = subprocess.run([shell, "-ec", f"{commands}\nenv"], env=start, capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "PULUMI_" in line.partition("=")[0])


@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_gets_what_a_program_gets(shell: str) -> None:
    found = variables(shell, f". {ROOT}/.venv/bin/activate", {})
    found.pop("_PULUMI_RESTORE")
    assert found == pulumi_settings(environ={})


@pytest.mark.parametrize("shell", SHELLS)
def test_deactivate_restores_what_was_there(shell: str) -> None:
    before = {"PULUMI_HOME": "/home/me/.my pulumi", "PULUMI_CONFIG_PASSPHRASE": "known"}
    activate = f". {ROOT}/.venv/bin/activate"
    assert variables(shell, f"{activate}; {activate}; deactivate", before) == before


def test_another_checkout_in_the_same_shell_has_its_own_state(tmp_path: Path) -> None:
    here, there = (pulumi_settings(root, {})["PULUMI_BACKEND_URL"] for root in (ROOT, tmp_path))
    (tmp_path / "commands").write_text(shell_commands(tmp_path, {}))
    commands = f". {tmp_path}/commands; . {ROOT}/.venv/bin/activate"
    assert variables("sh", commands, {})["PULUMI_BACKEND_URL"] == here != there
