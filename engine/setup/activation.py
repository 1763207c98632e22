"""Makes Pulumi usable by hand: commands in the virtualenv, and an activate script that sets the project's variables."""

import secrets
from pathlib import Path

from engine.setup.project import Project, link_atomically, write_atomically

SET = '\n. "$VIRTUAL_ENV/../engine/env.sh"  # where Pulumi finds the project\'s state, passphrase and plugins\n'
DEACTIVATE = "deactivate () {\n"
RESET = '    eval "${_PULUMI_RESTORE:-}"; unset _PULUMI_RESTORE\n'


def link_commands(project: Project, commands: dict[str, Path], all_names: tuple[str, ...]) -> None:
    """Put commands into the virtualenv's bin, and take those away that another engine had left there."""
    for name in all_names:
        if name in commands:
            link_atomically(project.bin / name, commands[name])
        else:
            (project.bin / name).unlink(missing_ok=True)


def prepare(project: Project) -> str:
    """Create the local state's folder and its passphrase, and let the activate script set the variables."""
    (project.data / "state").mkdir(parents=True, exist_ok=True)
    passphrase = project.data / "passphrase"
    if not passphrase.exists():
        write_atomically(passphrase, secrets.token_urlsafe(32), mode=0o600)
    activate = project.bin / "activate"
    text = activate.read_text()
    if SET not in text:
        text = text.replace(DEACTIVATE, DEACTIVATE + RESET, 1) + SET
        write_atomically(activate, text, mode=activate.stat().st_mode & 0o777)
    return "after `. .venv/bin/activate` pulumi runs by hand; state in .paistack/state"
