"""Two versions behind one address, with the real engine, our dynamic resources and the emulator."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from jobs.emulator import EmulatorProcess
from tests.engine.asking import answer, trickle
from tests.engine.conftest import Deployment

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def deployed(
    emulator: EmulatorProcess, state_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A stack with the versions blue and green of a shop, of which blue has all requests."""
    deployment = Deployment("tr", tmp_path_factory.mktemp("traffic"), state_folder, emulator)
    of_version = {name: deployment.service | {"container": container(deployment, name)} for name in ("blue", "green")}
    deployment.settings |= {"services": of_version, "traffic": {"shop": shop("blue_green", blue=100)}}
    deployment.up()
    yield deployment
    deployment.destroy()
    assert deployment.cloud().everything() == []
    assert deployment.cloud().groups() == []


@pytest.fixture
def changing(deployed: Deployment) -> Iterator[Deployment]:
    """The deployed stack for a test that changes it, as at first."""
    settings = json.dumps(deployed.settings)
    yield deployed
    deployed.settings = json.loads(settings)
    deployed.up()


def container(deployment: Deployment, level: str) -> dict[str, Any]:
    plain: dict[str, Any] = deployment.service["container"]
    return plain | {"environment": {"LEVEL": level}}


def shop(mode: str, **weights: int) -> dict[str, Any]:
    versions = {name: {"service": name, "weight": weights.get(name, 0)} for name in ("blue", "green")}
    return {"mode": mode, "versions": versions}


def outputs(deployment: Deployment) -> dict[str, Any]:
    found: dict[str, Any] = deployment.open().pulumi.outputs()["traffic"]["shop"]
    return found


def answers(deployment: Deployment, requests: int) -> Counter[str]:
    """How many of so many requests each version answered."""
    known = outputs(deployment)
    with httpx.Client(headers={"Authorization": known["token"]}, trust_env=False) as client:
        return Counter(answer(client, known["endpoint"]) for _ in range(requests))


def test_one_version_gets_everything_and_the_other_has_its_own_address(deployed: Deployment) -> None:
    assert answers(deployed, 10) == {"blue": 10}

    green = deployed.open().pulumi.outputs()["services"]["green"]
    asked = httpx.get(green["endpoint"], headers={"Authorization": green["token"]}, trust_env=False)
    assert asked.text == "first green"


def test_neither_a_second_up_nor_a_refresh_changes_anything(deployed: Deployment) -> None:
    deployed.up("--expect-no-changes")
    assert deployed.refresh("--expect-no-changes") == 0
    assert deployed.planned() == {}


def test_the_groups_token_is_in_clear_text_nowhere_in_the_state(deployed: Deployment) -> None:
    assert outputs(deployed)["token"] not in json.dumps(deployed.open().pulumi.export_state())


def test_weights_are_changed_by_their_releases_and_the_preview_tells_old_and_new(changing: Deployment) -> None:
    changing.settings["traffic"]["shop"] = shop("canary", blue=90, green=10)

    planned = changing.steps()

    assert {name: step["op"] for name, step in planned.items()} == {
        "shop": "update",
        "shop-release-blue": "update",
        "shop-release-green": "update",
    }
    blue, green = planned["shop-release-blue"], planned["shop-release-green"]
    assert (blue["oldState"]["inputs"]["weight"], blue["newState"]["inputs"]["weight"]) == (100, 90)
    assert (green["oldState"]["inputs"]["weight"], green["newState"]["inputs"]["weight"]) == (0, 10)
    changing.up()
    assert answers(changing, 100) == {"blue": 90, "green": 10}
    assert changing.refresh("--expect-no-changes") == 0


def test_no_request_is_lost_while_the_traffic_moves_on_and_one_setting_moves_it_back(changing: Deployment) -> None:
    with trickle(outputs(changing)) as counted:
        for mode, blue, green in (("canary", 50, 50), ("blue_green", 0, 100)):
            changing.settings["traffic"]["shop"] = shop(mode, blue=blue, green=green)
            changing.up()
        assert answers(changing, 10) == {"green": 10}

        changing.settings["traffic"]["shop"] |= {"rollback_to": "blue"}
        changing.up()
        assert answers(changing, 10) == {"blue": 10}

    assert set(counted) == {"blue", "green"}


def test_rolling_back_does_not_wait_for_the_version_that_is_broken(changing: Deployment) -> None:
    changing.settings["traffic"]["shop"] = shop("ab", blue=50, green=50)
    changing.up()
    broken = {"server": str(Path(__file__).with_name("__init__.py"))}  # ends at once
    changing.settings["services"]["green"]["container"] |= broken
    changing.settings["traffic"]["shop"] |= {"rollback_to": "blue"}

    with trickle(outputs(changing)) as counted:
        assert changing.open().pulumi.run("up", "--yes", "--skip-preview", "--non-interactive") != 0

        assert answers(changing, 10) == {"blue": 10}
    assert set(counted) <= {"blue", "green"}


def test_a_version_that_leaves_the_split_goes_without_losing_a_request(changing: Deployment) -> None:
    with trickle(outputs(changing)) as counted:
        changing.settings["traffic"]["shop"] = {
            "mode": "blue_green",
            "versions": {"green": {"service": "green", "weight": 100}},
        }
        changing.up()
        assert answers(changing, 10) == {"green": 10}

    assert set(counted) == {"blue", "green"}
    assert "group" not in changing.cloud().config("blue_tr")["metadata"]


def test_a_shadow_gets_copies_and_nobody_its_answers(changing: Deployment) -> None:
    del changing.settings["traffic"]["shop"]["versions"]["green"]
    changing.settings["traffic"]["shop"]["shadow"] = {"service": "green", "percent": 50}
    changing.up()

    assert answers(changing, 20) == {"blue": 20}
    assert changing.cloud().mirror("blue_tr") == ("50", "green_tr")
    assert changing.refresh("--expect-no-changes") == 0


def test_drift_in_a_weight_shows_on_refresh_and_up_puts_it_right(changing: Deployment) -> None:
    changing.settings["traffic"]["shop"] = shop("canary", blue=90, green=10)
    changing.up()
    changing.cloud().release("green_tr", weight=90)

    assert changing.refresh() == 0
    assert changing.planned() == {"shop-release-green": "update"}
    changing.up()

    assert answers(changing, 100) == {"blue": 90, "green": 10}


def test_a_pinned_version_is_gone_back_to_and_left_again(changing: Deployment) -> None:
    service = changing.settings["services"]["blue"]
    before = changing.cloud().version("blue_tr")
    service["container"] |= {"environment": {"LEVEL": "bad"}}
    changing.up()

    service["pinned_version"] = before
    with trickle(outputs(changing)) as counted:
        changing.up()
        assert answers(changing, 10) == {"blue": 10}
        changing.up("--expect-no-changes")
        assert changing.refresh("--expect-no-changes") == 0
        del service["pinned_version"]
        changing.up()
        assert answers(changing, 10) == {"bad": 10}
    assert set(counted) == {"blue", "bad"}


def test_a_staged_rollout_stops_at_its_partition_and_goes_on_when_it_is_lowered(changing: Deployment) -> None:
    service = changing.settings["services"]["blue"]
    service["replicas"] = 2
    changing.up()

    service |= {"rollout": {"partition": 1}, "container": service["container"] | {"environment": {"LEVEL": "next"}}}
    changing.up()
    assert answers(changing, 10) == {"blue": 5, "next": 5}

    service["rollout"] = {"partition": 0}
    changing.up()
    assert answers(changing, 10) == {"next": 10}


def test_a_lock_holds_against_deletion_and_is_opened_by_destroy(changing: Deployment) -> None:
    changing.settings["services"]["green"]["safety_lock"] = "dangerous"
    changing.up()

    assert changing.cloud().lock("green_tr") == "dangerous"
    changing.settings["services"]["green"] |= {"replicas": 2, "safety_lock": "none"}
    changing.up()
    assert changing.cloud().lock("green_tr") == "none"
