from pathlib import Path

import pytest

from engine.setup import installed
from engine.setup.console import Stage
from engine.setup.project import Project, SetupError
from tests.engine_setup.conftest import Script

PULUMI = """
case $1 in
version) echo v{version} ;;
plugin) dir=$PULUMI_HOME/plugins/resource-$4-v$5; mkdir -p $dir && touch $dir/pulumi-resource-$4 ;;
esac
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def install(script: Script, folder: Path, version: str, host: bool = True) -> Path:
    if host:
        script(folder / "pulumi-language-python", "exit 0")
    return script(folder / "pulumi", PULUMI.format(version=version))


def find(project: Project, path: str, home: Path) -> installed.Installed | None:
    return installed.find(project, {"PATH": path, "PULUMI_HOME": str(home)})


@pytest.mark.parametrize(
    ("version", "host", "usable"),
    [
        ("3.250.0", True, True),
        ("3.272.0-alpha.1", True, True),
        ("4.0.0", True, True),
        ("3.249.9", True, False),
        ("3.99.0", True, False),
        ("", True, False),
        ("3.260.0", False, False),
    ],
)
def test_an_installed_pulumi_is_used_if_it_is_new_and_can_run_python(
    project: Project, path: Path, script: Script, home: Path, version: str, host: bool, usable: bool
) -> None:
    install(script, path, version, host)
    assert (find(project, str(path), home) is not None) == usable


def test_the_first_usable_one_is_taken_and_our_own_is_not(
    project: Project, path: Path, script: Script, home: Path, tmp_path: Path
) -> None:
    old, own, new = tmp_path / "old", project.bin, tmp_path / "new"
    for folder, version in ((old, "3.100.0"), (own, "3.259.0"), (new, "3.260.0")):
        install(script, folder, version)
    found = find(project, f"{old}:{own}:{new}:{path}", home)
    assert found
    assert (found.command, found.version) == (new / "pulumi", "3.260.0")


def test_a_pulumi_from_the_cache_is_not_an_installed_one(
    project: Project, path: Path, script: Script, home: Path, tmp_path: Path
) -> None:
    cached = install(script, project.cache / "engine-1-go1", "3.259.0")
    other = tmp_path / "another-checkout"
    other.mkdir()
    (other / "pulumi").symlink_to(cached)
    assert find(project, f"{other}:{path}", home) is None


def test_the_plugin_is_fetched_by_the_installed_pulumi(
    project: Project, path: Path, script: Script, home: Path
) -> None:
    install(script, path, "3.260.0")
    found = find(project, str(path), home)
    assert found
    assert not found.has_plugin
    found.install_plugin(Stage("alicloud", project.log))
    assert found.has_plugin


def test_a_plugin_that_cannot_be_fetched_is_an_error(project: Project, path: Path, script: Script, home: Path) -> None:
    install(script, path, "3.260.0")
    script(path / "pulumi", "[ $1 = version ] && echo v3.260.0 && exit; echo no such host; exit 1")
    found = find(project, str(path), home)
    assert found
    with pytest.raises(SetupError, match="no such host"):
        found.install_plugin(Stage("alicloud", project.log))
