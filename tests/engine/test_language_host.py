"""The Python language host under the real engine: programs, policy packs, component packages."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from cloud.oss import oss_bucket
from cloud.target import Credentials, Target
from engine.environment import ROOT, pulumi_environment
from jobs.environment import target_environment
from tests.emulator.running import RunningEmulator, run_emulator

pytestmark = pytest.mark.engine

LIMIT_S = 400.0
FAILED = 1

PROVIDER = """
    from pathlib import Path
    from pulumi import Input, Output, ResourceOptions
    from pulumi.dynamic import CreateResult, Resource, ResourceProvider, UpdateResult

    class NoteProvider(ResourceProvider):
        def create(self, props):
            Path(props["path"]).write_text(props["text"])
            return CreateResult(props["path"], props)

        def update(self, id, olds, news):
            Path(id).write_text(news["text"])
            return UpdateResult(news)

        def delete(self, id, props):
            Path(id).unlink()

    class Note(Resource):
        text: Output[str]

        def __init__(self, name: str, path: str, text: Input[str], opts: ResourceOptions | None = None) -> None:
            super().__init__(NoteProvider(), name, {"path": path, "text": text}, opts)
"""

PROGRAM = """
    import pulumi
    from notes import Note

    config = pulumi.Config()
    note = Note("note", path=config.require("path"), text=config.require("text"))
    pulumi.export("text", note.text)
    pulumi.export("where", [pulumi.get_project(), pulumi.get_stack(), pulumi.get_organization()])
    pulumi.export("secret", config.get_secret("secret"))
"""


def write(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(dedent(text))
    return folder


@dataclass(frozen=True)
class Stack:
    """A Pulumi project in a folder of its own, with one stack `dev` on a backend of its own."""

    folder: Path
    environment: dict[str, str]

    def pulumi(self, *arguments: str, status: int = 0) -> str:
        """Run a command to its end and return what it printed; fails unless it exits with `status`."""
        done = subprocess.run(
            ["pulumi", "--non-interactive", *arguments],
            cwd=self.folder,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=LIMIT_S,
        )
        assert done.returncode == status, f"pulumi {' '.join(arguments)} exited with {done.returncode}:\n{done.stdout}"
        return done.stdout

    def up(self, *arguments: str, status: int = 0) -> str:
        return self.pulumi("up", "--yes", "--skip-preview", *arguments, status=status)

    def outputs(self, *arguments: str) -> dict[str, object]:
        printed = self.pulumi("stack", "output", "--json", *arguments)
        outputs: dict[str, object] = json.loads(printed)
        return outputs

    def set(self, **config: str) -> None:
        for name, value in config.items():
            self.pulumi("config", "set", name, value)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    state = write(tmp_path / "state")
    environment = pulumi_environment(
        environ={
            "PATH": os.environ["PATH"],
            "HOME": os.environ["HOME"],
            "PULUMI_BACKEND_URL": f"file://{state}",
            "PULUMI_CONFIG_PASSPHRASE": "a test's",
            "NO_COLOR": "1",
        }
    )
    assert shutil.which("pulumi", path=environment["PATH"]), "no pulumi: run `make setup`"
    project = f"""
        name: notes
        runtime: {{name: python, options: {{virtualenv: {ROOT / ".venv"}}}}}
    """
    folder = write(tmp_path / "program", **{"Pulumi.yaml": project, "notes.py": PROVIDER, "__main__.py": PROGRAM})
    made = Stack(folder, environment)
    made.pulumi("stack", "init", "dev")
    return made


@pytest.fixture
def account(tmp_path: Path) -> Iterator[RunningEmulator]:
    """An account with nothing in it."""
    with run_emulator(tmp_path / "emulator") as running:
        yield running


@pytest.fixture
def note(stack: Stack, tmp_path: Path) -> Path:
    """The file that the stack's one resource manages."""
    path = tmp_path / "note.txt"
    stack.set(path=str(path), text="first")
    return path


def test_a_resource_is_previewed_made_changed_refreshed_and_destroyed(stack: Stack, note: Path) -> None:
    assert "2 to create" in _squeezed(stack.pulumi("preview"))
    assert not note.exists()
    stack.up()
    assert note.read_text() == "first"
    assert stack.outputs()["where"] == ["notes", "dev", "organization"]
    assert "2 unchanged" in _squeezed(stack.up("--expect-no-changes"))
    stack.set(text="second")
    assert "1 updated" in _squeezed(stack.up())
    assert note.read_text() == "second"
    assert "2 unchanged" in _squeezed(stack.pulumi("refresh", "--yes", "--expect-no-changes"))
    stack.pulumi("destroy", "--yes")
    assert not note.exists()


@pytest.mark.usefixtures("note")
def test_a_secret_stays_one(stack: Stack) -> None:
    stack.pulumi("config", "set", "--secret", "secret", "swordfish")
    printed = stack.up()
    exported = stack.pulumi("stack", "export")
    assert stack.outputs()["secret"] == "[secret]"
    assert stack.outputs("--show-secrets")["secret"] == "swordfish"
    assert "swordfish" not in printed + exported


@pytest.mark.usefixtures("note")
def test_a_program_that_fails_says_how(stack: Stack) -> None:
    write(stack.folder, **{"__main__.py": "raise ValueError('no such spec')"})
    assert "ValueError: no such spec" in stack.up(status=FAILED)
    write(stack.folder, **{"__main__.py": "raise SystemExit(7)"})
    assert "program exited with non-zero exit code: 7" in stack.up(status=FAILED)


def test_an_unknown_runtime_option_is_named(stack: Stack) -> None:
    write(stack.folder, **{"Pulumi.yaml": "name: notes\nruntime: {name: python, options: {venv: .venv}}\n"})
    printed = stack.pulumi("preview", status=FAILED)
    assert "runtime.options.venv is unknown; known are virtualenv and toolchain" in printed


def test_about_tells_the_python_in_use(stack: Stack) -> None:
    about = json.loads(stack.pulumi("about", "--json"))
    assert about["runtime"]["language"] == "python"
    assert Path(about["runtime"]["executable"]).is_relative_to(ROOT / ".venv")
    assert "pulumi_alicloud" in {found["name"].replace("-", "_") for found in about["dependencies"]}
    assert about["cliAbout"]["version"] >= "3.250"


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """A policy pack that refuses notes with a bad word in a stack that is called dev."""
    rules = """
        import pulumi
        from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

        def clean(args, report):
            if pulumi.get_stack() == "dev" and "bad" in args.props.get("text", ""):
                report(f"a note of {pulumi.get_project()} must not be bad")

        PolicyPack("rules", policies=[
            ResourceValidationPolicy("clean", "No bad notes.", clean, EnforcementLevel.MANDATORY)
        ])
    """
    declared = f"runtime: {{name: python, options: {{virtualenv: {ROOT / '.venv'}}}}}\n"
    return write(tmp_path / "pack", **{"PulumiPolicy.yaml": declared, "__main__.py": rules})


def test_a_policy_pack_lets_through_and_refuses(stack: Stack, note: Path, pack: Path) -> None:
    stack.up("--policy-pack", str(pack))
    assert note.read_text() == "first"
    stack.set(text="a bad one")
    printed = stack.up("--policy-pack", str(pack), status=FAILED)
    assert "a note of notes must not be bad" in printed
    assert "Traceback" not in printed
    assert note.read_text() == "first"


@pytest.mark.slow
@pytest.mark.usefixtures("note")
def test_a_component_package_is_installed_added_and_used(stack: Stack, tmp_path: Path) -> None:
    requirements = "pulumi\n"
    component = """
        from typing import Optional, TypedDict
        import pulumi
        from pulumi.provider.experimental import component_provider_host

        class GreetingArgs(TypedDict):
            name: pulumi.Input[str]

        class Greeting(pulumi.ComponentResource):
            text: pulumi.Output[str]

            def __init__(self, name: str, args: GreetingArgs, opts: Optional[pulumi.ResourceOptions] = None) -> None:
                super().__init__("greetings:index:Greeting", name, {}, opts)
                self.text = pulumi.Output.concat("Hello, ", args["name"])
                self.register_outputs({"text": self.text})

        component_provider_host(name="greetings", components=[Greeting])
    """
    package = write(
        tmp_path / "greetings",
        **{"PulumiPlugin.yaml": "runtime: python\n", "requirements.txt": requirements, "__main__.py": component},
    )
    program = """
        import pulumi
        import pulumi_greetings as greetings

        pulumi.export("text", greetings.Greeting("greeting", name="PAI").text)
    """
    project = "name: notes\nruntime: {name: python, options: {virtualenv: .venv}}\n"
    write(stack.folder, **{"Pulumi.yaml": project, "requirements.txt": requirements, "__main__.py": program})
    stack.pulumi("install")
    assert (stack.folder / ".venv" / "bin" / "python").exists()
    assert "import pulumi_greetings as greetings" in stack.pulumi("package", "add", str(package))
    stack.up()
    assert stack.outputs()["text"] == "Hello, PAI"


def test_an_imported_resource_is_written_as_python(stack: Stack, account: RunningEmulator) -> None:
    target = Target(region="cn-hangzhou", account_id="1234567890123456", emulator=account.url)
    stack.environment.update(target_environment(target, {}))
    bucket = oss_bucket(target, Credentials.from_environment(target, stack.environment), "made-elsewhere")
    bucket.create_bucket()
    provider = {"region": target.region, "accountId": target.account_id, "accountType": "Domestic", "protocol": "HTTP"}
    stack.set(**{f"alicloud:{name}": value for name, value in provider.items()})
    written = stack.folder / "imported.py"
    stack.pulumi("import", "--yes", "--out", str(written), "alicloud:oss/bucket:Bucket", "models", "made-elsewhere")
    assert 'models = alicloud.oss.Bucket("models",' in written.read_text()
    assert 'bucket="made-elsewhere"' in written.read_text()


@pytest.mark.parametrize(
    ("end", "whole_group"),
    [pytest.param(signal.SIGINT, True, id="interrupted"), pytest.param(signal.SIGKILL, False, id="killed")],
)
def test_an_up_that_is_cut_off_leaves_no_process(stack: Stack, end: signal.Signals, whole_group: bool) -> None:
    """Ctrl-C goes to the whole group of processes; a kill meets the CLI alone, which then cannot end the others."""
    program = """
        import threading
        import pulumi_alicloud as alicloud

        def stay(_):
            print("the program and its plugin run", flush=True)
            threading.Event().wait()

        alicloud.Provider("provider", account_id="1234567890123456", account_type="Domestic").id.apply(stay)
    """
    write(stack.folder, **{"__main__.py": program})
    command = ["pulumi", "--non-interactive", "up", "--yes", "--skip-preview"]
    up = subprocess.Popen(
        command,
        cwd=stack.folder,
        env=stack.environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    assert up.stdout is not None
    with up:
        assert any("the program and its plugin run" in line for line in up.stdout)
        started = psutil.Process(up.pid).children(recursive=True)
        names = {process.name() for process in started}
        os.kill(-up.pid if whole_group else up.pid, end)
        up.communicate(timeout=LIMIT_S)
    _, alive = psutil.wait_procs(started, timeout=30)
    assert {"pulumi-language-python", "pulumi-resource-alicloud"} <= names
    assert not alive


def _squeezed(text: str) -> str:
    return " ".join(text.split())
