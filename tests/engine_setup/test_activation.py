from pathlib import Path

from engine.setup import activation
from engine.setup.project import Project


def virtualenv(project: Project) -> Path:
    project.bin.mkdir(parents=True)
    activate = project.bin / "activate"
    activate.write_text("deactivate () {\n    unset VIRTUAL_ENV\n}\nVIRTUAL_ENV=here\n")
    return activate


def test_preparing_twice_changes_nothing(project: Project) -> None:
    activate = virtualenv(project)
    activation.prepare(project)
    first = activate.read_text(), (project.data / "passphrase").read_text()
    activation.prepare(project)
    assert (activate.read_text(), (project.data / "passphrase").read_text()) == first
    assert activate.read_text().count("engine/env.sh") == 1


def test_the_passphrase_is_secret_and_differs_between_checkouts(project: Project, tmp_path: Path) -> None:
    other = Project(tmp_path / "other", project.cache)
    passphrases = set()
    for checkout in (project, other):
        virtualenv(checkout)
        activation.prepare(checkout)
        file = checkout.data / "passphrase"
        assert file.stat().st_mode & 0o777 == 0o600
        passphrases.add(file.read_text())
    assert len(passphrases) == 2
    assert all(len(passphrase) >= 32 for passphrase in passphrases)


def test_commands_of_another_engine_are_taken_away(project: Project, tmp_path: Path) -> None:
    virtualenv(project)
    names = ("pulumi", "pulumi-language-python")
    activation.link_commands(project, {name: tmp_path / name for name in names}, names)
    activation.link_commands(project, {"pulumi": Path("/usr/bin/pulumi")}, names)
    assert (project.bin / "pulumi").readlink() == Path("/usr/bin/pulumi")
    assert not (project.bin / "pulumi-language-python").is_symlink()
