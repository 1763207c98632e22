import os
import subprocess
from pathlib import Path

from engine.environment import ROOT, pulumi_environment, pulumi_settings


def built(root: Path) -> Path:
    (root / ".paistack" / "engine" / "bin").mkdir(parents=True)
    return root


def test_state_and_passphrase_lie_in_the_checkout(tmp_path: Path) -> None:
    settings = pulumi_settings(tmp_path, {})
    assert settings["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/.paistack/state"
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


def test_a_shell_gets_what_a_program_gets() -> None:
    plain = {"PATH": os.environ["PATH"], "VIRTUAL_ENV": str(ROOT / ".venv")}
    printed = subprocess.run(
        ["sh", "-ec", '. "$VIRTUAL_ENV/../engine/env.sh"; env'],
        env=plain,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    shell = dict(line.split("=", 1) for line in printed.splitlines() if line.startswith("PULUMI_"))
    assert shell == pulumi_settings(environ=plain)
