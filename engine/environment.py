"""The environment variables under which this project runs Pulumi.

The one place that knows them: a shell gets them from `engine/env.sh`, which `.venv/bin/activate` sources, and a Python
program from `pulumi_environment`. Only the standard library is used, so that it runs before anything is installed.
"""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def pulumi_settings(root: Path = ROOT, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables to set on top of `environ` for the checkout at `root`.

    What a person has chosen stays: another backend (`PULUMI_BACKEND_URL`) or another passphrase. Only the engine that
    this project built gets a `PULUMI_HOME` of its own, because its plugin lies there and can be had nowhere else.
    """
    data = root / ".paistack"
    settings = {"PULUMI_SKIP_UPDATE_CHECK": "true"}
    if (data / "engine" / "bin").exists():
        settings["PULUMI_HOME"] = str(data / "engine" / "home")
        settings["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    if "PULUMI_BACKEND_URL" not in environ:
        # Without files beside the state's, one of which a killed run may leave empty: then nothing reads the state.
        settings["PULUMI_BACKEND_URL"] = f"file://{data / 'state'}?metadata=skip"
    if environ.keys().isdisjoint({"PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"}):
        settings["PULUMI_CONFIG_PASSPHRASE_FILE"] = str(data / "passphrase")
    return settings


def pulumi_environment(root: Path = ROOT, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return a whole environment for a child process that runs Pulumi, with the virtualenv first on its PATH."""
    path = f"{root / '.venv' / 'bin'}{os.pathsep}{environ.get('PATH', os.defpath)}"
    return {**environ, **pulumi_settings(root, environ), "VIRTUAL_ENV": str(root / ".venv"), "PATH": path}


def shell_commands(root: Path = ROOT, environ: Mapping[str, str] = os.environ) -> str:
    """Return shell commands that set the variables, and `_PULUMI_RESTORE` to commands that undo it.

    `deactivate` runs the latter: another project in the same shell must not find this one's state.
    """
    settings = pulumi_settings(root, environ)
    restore = [_export(name, environ[name]) if name in environ else f"unset {name}" for name in settings]
    commands = [_export(name, value) for name, value in settings.items()]
    return "\n".join([*commands, _export("_PULUMI_RESTORE", "; ".join(restore))]) + "\n"


def _export(name: str, value: str) -> str:
    return f"export {name}={shlex.quote(value)}"


if __name__ == "__main__":
    sys.stdout.write(shell_commands())
