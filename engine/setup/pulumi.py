"""The stages that provide Pulumi and its alicloud plugin: an installed one, else one built from Go modules."""

from pathlib import Path

from engine.setup import activation, build, installed
from engine.setup.console import Console, Stage
from engine.setup.go import Go, required
from engine.setup.installed import Installed
from engine.setup.project import Project, SetupError, link_atomically

WAYS_ON = (
    "There are two ways on: install Go {go} or newer (from go.dev/dl, or your distribution's package `golang`), and "
    "Pulumi is built here from source; or install Pulumi {pulumi} or newer (pulumi.com/docs/install), and it is used "
    "as it is. Then run `make setup` again."
)


def find(project: Project) -> Installed | None:
    """Return the installed Pulumi, if there is one. Raises SetupError where none can be had in any way."""
    found = installed.find(project)
    if not found:
        _require_go(project, "no Pulumi is installed")
    return found


def install(project: Project, found: Installed | None, console: Console) -> None:
    """Provide an engine and a plugin that fit, and link them into the virtualenv. Raises SetupError."""
    if found and (found.has_plugin or (not _is_built(project) and _fetch_plugin(found, console))):
        console.run("engine", lambda _: _use_installed(project, found))
        return
    if found:
        _require_go(project, f"the installed pulumi {found.version} cannot get alicloud {build.PLUGIN_VERSION}")
    engine, plugin = build.parts(project)
    version = required(engine.module, build.PULUMI)
    console.run("engine", lambda stage: f"pulumi {version}, {_use_engine(project, engine, stage)}")
    console.run("alicloud", lambda stage: f"plugin {build.PLUGIN_VERSION}, {_use_plugin(project, plugin, stage)}")


def _is_built(project: Project) -> bool:
    return all(part.built(project.cache) for part in build.parts(project))


def _require_go(project: Project, lack: str) -> None:
    """Raise SetupError if something must be built and there is no Go for it."""
    if _is_built(project):
        return
    module = build.parts(project)[0].module
    try:
        Go.find(module)
    except SetupError as error:
        ways_on = WAYS_ON.format(go=required(module, "go"), pulumi=".".join(map(str, installed.OLDEST)))
        raise SetupError(f"engine: {lack}, and {error}. {ways_on}") from error


def _fetch_plugin(found: Installed, console: Console) -> bool:
    try:
        console.run("alicloud", found.install_plugin)
    except SetupError:
        console.say("alicloud", "the installed pulumi cannot fetch it; building both instead")
    return found.has_plugin


def _use_installed(project: Project, found: Installed) -> str:
    (project.engine / "bin").unlink(missing_ok=True)
    activation.link_commands(project, {"pulumi": found.command}, build.PROGRAMS)
    return f"pulumi {found.version} and alicloud {build.PLUGIN_VERSION}, as installed"


def _use_engine(project: Project, part: build.Part, stage: Stage) -> str:
    folder, built = _have(project, part, stage)
    changed = link_atomically(project.engine / "bin", folder)
    commands = {name: project.engine / "bin" / name for name in build.PROGRAMS}
    activation.link_commands(project, commands, build.PROGRAMS)
    return _how(built, changed)


def _use_plugin(project: Project, part: build.Part, stage: Stage) -> str:
    folder, built = _have(project, part, stage)
    # A real folder around a linked binary: Pulumi overlooks plugin folders that are links.
    home = project.engine / "home" / "plugins" / f"resource-alicloud-v{build.PLUGIN_VERSION}"
    changed = link_atomically(home / build.PLUGIN, folder / build.PLUGIN)
    return _how(built, changed)


def _have(project: Project, part: build.Part, stage: Stage) -> tuple[Path, bool]:
    """Return the folder of a part, and whether it had to be built."""
    if folder := part.built(project.cache):
        return folder, False
    return part.build(project.cache, stage), True


def _how(built: bool, changed: bool) -> str:
    if built:
        return "built from Go modules"
    return "taken from the cache" if changed else "up to date"
