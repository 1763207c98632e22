"""The stages that provide Pulumi and its alicloud plugin: an installed one, else one built from Go modules."""

from pathlib import Path

from engine.setup import activation, build, installed
from engine.setup.console import Console, Stage
from engine.setup.go import Go, required
from engine.setup.project import Project, SetupError, link_atomically

NEITHER = (
    "There are two ways on: install Go {go} or newer (go.dev/dl, or your distribution's package `golang`) and Pulumi "
    "is built here from source; or install Pulumi {pulumi} or newer (pulumi.com/docs/install) and it is used as it is. "
    "Then run `make setup` again."
)


def install(project: Project, console: Console) -> None:
    """Provide an engine and a plugin that fit, and link them into the virtualenv."""
    found = installed.find(project)
    if found and (found.has_plugin or (not _is_built(project) and _fetch_plugin(found, console))):
        console.run("engine", lambda _: _use_installed(project, found))
        return
    _require_go(project, found)
    version = required(project.root / "engine" / "cli", build.PULUMI)
    console.run("engine", lambda stage: _use_engine(project, stage, f"pulumi {version}"))
    console.run("alicloud", lambda stage: _use_plugin(project, stage, f"plugin {build.PLUGIN_VERSION}"))


def _is_built(project: Project) -> bool:
    return all(part.built(project.cache) for part in build.parts(project))


def _require_go(project: Project, found: installed.Installed | None) -> None:
    if _is_built(project):
        return
    module = project.root / "engine" / "cli"
    try:
        Go.find(module)
    except SetupError as error:
        have = f"pulumi {found.version} is installed, but not its alicloud plugin; and" if found else "no pulumi; and"
        ways = NEITHER.format(go=required(module, "go"), pulumi=".".join(map(str, installed.OLDEST)))
        raise SetupError(f"engine: {have} {error}. {ways}") from error


def _fetch_plugin(found: installed.Installed, console: Console) -> bool:
    try:
        with console.stage("alicloud") as stage:
            found.install_plugin(stage)
    except SetupError as error:
        console.say("alicloud", f"not used: {found.command}, which cannot get the plugin ({error})", 0.0)
        return False
    return found.has_plugin


def _use_installed(project: Project, found: installed.Installed) -> str:
    (project.engine / "bin").unlink(missing_ok=True)
    activation.link_commands(project, {"pulumi": found.command}, build.PROGRAMS)
    return f"pulumi {found.version} and alicloud {build.PLUGIN_VERSION} as installed ({found.command})"


def _use_engine(project: Project, stage: Stage, what: str) -> str:
    engine, _ = build.parts(project)
    known = engine.built(project.cache)
    folder = known or engine.build(project.cache, stage)
    changed = link_atomically(project.engine / "bin", folder)
    links = {name: project.engine / "bin" / name for name in build.PROGRAMS}
    activation.link_commands(project, links, build.PROGRAMS)
    return f"{what}, {_how(known, changed)}"


def _use_plugin(project: Project, stage: Stage, what: str) -> str:
    _, plugin = build.parts(project)
    known = plugin.built(project.cache)
    folder = known or plugin.build(project.cache, stage)
    plugins = project.engine / "home" / "plugins" / f"resource-alicloud-v{build.PLUGIN_VERSION}"
    changed = link_atomically(plugins / build.PLUGIN, folder / build.PLUGIN)
    return f"{what}, {_how(known, changed)}"


def _how(known: Path | None, changed: bool) -> str:
    if known is None:
        return "built from Go modules"
    return "taken from the cache" if changed else "up to date"
