"""A stack's life with the real engine, the real provider and the emulator."""

import json
import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.emulator import EmulatorProcess
from jobs.environment import command_environment, offline_environment
from jobs.pulumi_stack import PulumiStack
from stacks.config import StackConfig, settings_file
from tests.engine.conftest import Deployment, write_artefact

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def deployed(
    emulator: EmulatorProcess, state_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A stack that is there."""
    deployment = Deployment("life", tmp_path_factory.mktemp("life"), state_folder, emulator)
    deployment.up()
    yield deployment
    deployment.destroy()


@pytest.fixture
def changing(deployed: Deployment) -> Iterator[Deployment]:
    """The deployed stack for a test that changes it, with the settings as at first, but as the last test left it."""
    settings = json.dumps(deployed.settings)
    yield deployed
    deployed.settings = json.loads(settings)


def test_a_deployed_service_answers_those_who_have_its_token(deployed: Deployment) -> None:
    assert deployed.ask().text == "first info"
    assert deployed.ask(token="guessed").status_code == 401


def test_a_second_up_changes_nothing(deployed: Deployment) -> None:
    deployed.up("--expect-no-changes")


def test_a_refresh_changes_nothing(deployed: Deployment) -> None:
    assert deployed.refresh("--expect-no-changes") == 0
    assert deployed.planned() == {}


def test_the_token_is_in_clear_text_nowhere_in_the_state(deployed: Deployment) -> None:
    deployed.refresh()
    state = json.dumps(deployed.open().pulumi.export_state())

    assert deployed.outputs()["token"] not in state


def test_wrong_settings_end_the_run_with_their_path_and_without_a_traceback(
    deployed: Deployment, capfd: pytest.CaptureFixture[str]
) -> None:
    pulumi = deployed.open().pulumi
    settings = pulumi.config_file.read_text()
    pulumi.config_file.write_text(settings.replace("instance_type:", "instance_typ:"))

    assert pulumi.run("preview", "--non-interactive") != 0
    shown = "".join(capfd.readouterr())
    assert "paistack:services.tiny.instance_typ: there is no such setting; did you mean instance_type?" in shown
    assert "Traceback" not in shown


def test_an_environment_that_does_not_lead_to_the_target_ends_the_run(
    deployed: Deployment, capfd: pytest.CaptureFixture[str]
) -> None:
    pulumi = deployed.open().pulumi
    elsewhere = {name: value for name, value in pulumi.environment.items() if name.upper() != "HTTP_PROXY"}

    assert replace(pulumi, environment=elsewhere).run("preview", "--non-interactive") != 0
    shown = "".join(capfd.readouterr())
    assert "HTTP_PROXY is not set" in shown
    assert 'eval "$(paistack env --stack STACK)"' in shown
    assert "Traceback" not in shown


def encrypted(deployment: Deployment, path: str, value: str) -> dict[str, str]:
    """`value` as `pulumi config set --secret` writes it into the stack's file."""
    stack = deployment.open().pulumi
    stack.capture("config", "set", "--secret", "--path", path, value)
    found: Any = yaml.safe_load(stack.config_file.read_text())["config"]
    for key in path.split("."):
        found = found[key]
    secure: dict[str, str] = found
    return secure


def test_a_secret_is_in_clear_text_nowhere_and_reaches_the_container(changing: Deployment) -> None:
    secret = encrypted(changing, "paistack:services.tiny.container.secrets.LEVEL", "opensesame")
    changing.service["container"] |= {"environment": {}, "secrets": {"LEVEL": secret}}

    changing.up()

    assert changing.ask().text == "first opensesame"
    changing.refresh()
    assert "opensesame" not in json.dumps(changing.open().pulumi.export_state())


def test_a_changed_setting_changes_the_revision_and_nothing_else(changing: Deployment) -> None:
    changing.up()
    changing.service["container"]["environment"] = {"LEVEL": "debug"}

    assert changing.planned() == {"tiny": "update", "tiny-revision": "update"}
    changing.up()
    assert changing.ask().text == "first debug"
    assert changing.refresh("--expect-no-changes") == 0


def test_more_replicas_are_one_update_of_the_service(changing: Deployment) -> None:
    changing.service["replicas"] = 2

    changing.up()

    assert changing.cloud().config(changing.service_name)["metadata"]["instance"] == 2


def test_a_key_that_is_removed_from_the_settings_goes(changing: Deployment) -> None:
    changing.service["request"] = {"max_concurrency": 9}
    changing.up()
    assert "networking" in changing.cloud().config(changing.service_name)

    del changing.service["request"]
    changing.up()

    assert "networking" not in changing.cloud().config(changing.service_name)


def test_what_others_add_to_a_service_is_no_drift_and_survives_a_change(changing: Deployment) -> None:
    changing.up()
    changing.cloud().change(changing.service_name, {"features": {"theirs": "kept"}})

    assert changing.refresh() == 0
    assert changing.planned() == {}
    changing.service["shutdown"] = {"grace_period_s": 5}
    changing.up()
    assert changing.cloud().config(changing.service_name)["features"] == {"theirs": "kept"}


def test_drift_in_a_setting_shows_on_refresh_and_up_puts_it_right(changing: Deployment) -> None:
    changing.up()
    cloud = changing.cloud()
    cloud.change(changing.service_name, {"metadata": {"rpc": {"keepalive": 1}}})

    assert changing.refresh() == 0
    assert changing.planned() == {"tiny-revision": "update"}
    changing.up()
    assert cloud.config(changing.service_name)["metadata"]["rpc"]["keepalive"] == 30_000


def test_a_service_that_is_renamed_is_replaced_and_the_old_one_goes(changing: Deployment) -> None:
    changing.service["service_name"] = "renamed"

    planned = changing.planned()
    assert {planned[name] for name in ("tiny-service", "tiny-revision", "tiny-endpoint")} <= {
        "replace",
        "create-replacement",
        "delete-replaced",
    }
    changing.up()
    assert changing.cloud().services() == {"renamed": "Running"}
    assert changing.ask().text == "first info"


def test_another_model_is_other_objects_beside_the_old_ones(changing: Deployment) -> None:
    write_artefact(changing.folder / "model", "second")

    changing.up()

    assert changing.ask().text == "second info"
    [bucket] = changing.cloud().buckets()
    models = [key for key in changing.cloud().objects(bucket) if key.endswith("model.pt")]
    assert len(models) == 2


def test_destroy_leaves_the_account_empty(own_emulator: EmulatorProcess, state_folder: Path, tmp_path: Path) -> None:
    deployment = Deployment("brief", tmp_path, state_folder, own_emulator)
    deployment.up()
    assert deployment.cloud().services() == {"tiny_brief": "Running"}

    deployment.destroy()

    assert deployment.cloud().everything() == []


def test_the_clouds_refusal_is_told_without_a_traceback(
    changing: Deployment, capfd: pytest.CaptureFixture[str]
) -> None:
    changing.service["workspace_id"] = "404404"
    changing.service["container"]["image"] = "no image at all"

    assert changing.open().pulumi.run("up", "--yes", "--skip-preview", "--non-interactive") != 0
    shown = "".join(capfd.readouterr())
    assert "CloudError: InvalidParameter: " in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("stack", ["dev", "staging", "production"])
def test_a_stack_that_is_not_deployed_previews_without_an_account_and_without_a_network(
    stack: str, state_folder: Path, tmp_path: Path
) -> None:
    artefact = write_artefact(tmp_path / "model", "any")
    settings = tmp_path / "settings.yaml"
    settings.write_text(settings_file(stack).read_text().replace(".paistack/models/fashion", str(artefact)))
    target = StackConfig.from_file(settings).target
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        proxy = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        watched = {"HTTPS_PROXY": proxy, "https_proxy": proxy, "PULUMI_CONFIG_PASSPHRASE": "of the tests"}
        backend = {"PULUMI_BACKEND_URL": f"file://{state_folder}"}
        environment = command_environment(offline_environment(target) | watched | backend, os.environ)
        pulumi = PulumiStack.open(stack, settings, environment, copies=tmp_path / "stacks")

        preview = json.loads(pulumi.capture("preview", "--json"))

        nobody.settimeout(0)
        with pytest.raises(BlockingIOError):
            nobody.accept()
    assert preview["changeSummary"]["create"] >= 14
