"""How a service's machines are paid for, with the real engine, our dynamic resources and the emulator."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jobs.emulator import EmulatorProcess
from jobs.problem import JobError
from jobs.update import run
from tests.engine.asking import trickle
from tests.engine.conftest import Deployment

pytestmark = [pytest.mark.engine, pytest.mark.slow]

LARGE, XLARGE = "ecs.c7.large", "ecs.c7.xlarge"
ON_DEMAND = ("PublicResource", LARGE, False)
SPOT = ("PublicResource", LARGE, True)
OWN = ("PrivateResource", LARGE, False)
IN_POOL = {"machines": "pool", "size": {"cpu": 2, "memory_mib": 4096}}


@pytest.fixture(scope="module")
def deployed(
    emulator: EmulatorProcess, state_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A stack with one service on pay-as-you-go machines of the public pool."""
    deployment = Deployment("bl", tmp_path_factory.mktemp("billing"), state_folder, emulator)
    deployment.up()
    yield deployment
    deployment.destroy()
    cloud = deployment.cloud()
    assert (cloud.everything(), cloud.machines(), cloud.mixes(), cloud.gateways()) == ([], {}, [], {})


@pytest.fixture
def changing(deployed: Deployment) -> Iterator[Deployment]:
    """The deployed stack for a test that changes it, as at first."""
    settings = json.dumps(deployed.settings)
    yield deployed
    deployed.settings = json.loads(settings)
    deployed.up()


def places(deployment: Deployment) -> list[tuple[str, str, bool]]:
    return deployment.cloud().places(deployment.service_name)


def pool(count: int, instance_type: str = LARGE, **further: Any) -> dict[str, Any]:
    return {"pool": {"pools": {"base": {"instance_type": instance_type, "count": count, **further}}}}


def nothing_more_to_do(deployment: Deployment) -> None:
    deployment.up("--expect-no-changes")
    assert deployment.refresh("--expect-no-changes") == 0
    assert deployment.planned() == {}


def test_spot_is_a_change_of_the_service_alone_and_the_preview_tells_the_price(changing: Deployment) -> None:
    assert places(changing) == [ON_DEMAND]
    changing.service["billing"] = {"spot": {"max_price_usd_per_hour": 0.05}}

    planned = changing.steps()

    assert {name: step["op"] for name, step in planned.items()} == {"tiny": "update", "tiny-revision": "update"}
    before, after = (planned["tiny-revision"][state]["inputs"]["config"] for state in ("oldState", "newState"))
    assert before["cloud"] == {"computing": {"instance_type": LARGE}}
    assert after["cloud"] == {
        "computing": {
            "instances": [{"type": LARGE, "spot_price_limit": 0.05}, {"type": LARGE}],
            "disable_spot_protection_period": False,
        }
    }
    changing.up()
    assert places(changing) == [SPOT]
    nothing_more_to_do(changing)


def test_a_service_moves_to_machines_of_its_own_and_back_without_losing_a_request(changing: Deployment) -> None:
    with trickle(changing.outputs()) as counted:
        changing.settings["machines"] = pool(2)
        changing.service["billing"] = IN_POOL
        assert changing.planned() == {
            "pool": "create",
            "pool-group": "create",
            "pool-base": "create",
            "tiny": "update",
            "tiny-revision": "update",
        }
        changing.up()
        assert changing.cloud().machines() == {"pool_bl": [(LARGE, "PostPaid")] * 2}
        assert places(changing) == [OWN]
        nothing_more_to_do(changing)

        del changing.settings["machines"], changing.service["billing"]
        changing.up()
        assert changing.cloud().machines() == {}
        assert places(changing) == [ON_DEMAND]
    assert set(counted) == {"info"}


def test_the_number_of_machines_changes_in_place_and_their_type_replaces_them(changing: Deployment) -> None:
    changing.settings["machines"] = pool(1)
    changing.service["billing"] = IN_POOL
    changing.up()

    changing.settings["machines"] = pool(3)
    planned = changing.steps()
    assert {name: step["op"] for name, step in planned.items()} == {"pool": "update", "pool-base": "update"}
    counts = [planned["pool-base"][state]["inputs"]["count"] for state in ("oldState", "newState")]
    assert counts == [1, 3]
    changing.up()
    assert changing.cloud().machines() == {"pool_bl": [(LARGE, "PostPaid")] * 3}

    changing.settings["machines"] = pool(1, XLARGE)
    changing.service["instance_type"] = XLARGE
    assert changing.planned().keys() == {"pool", "pool-base", "tiny"}
    with trickle(changing.outputs()) as counted:
        changing.up()
    assert set(counted) == {"info"}
    assert changing.cloud().machines() == {"pool_bl": [(XLARGE, "PostPaid")]}
    assert places(changing) == [("PrivateResource", XLARGE, False)]
    nothing_more_to_do(changing)


def test_a_machine_that_somebody_deleted_shows_and_is_bought_again(changing: Deployment) -> None:
    changing.settings["machines"] = pool(2)
    changing.up()
    changing.cloud().delete_a_machine("pool_bl")

    assert changing.refresh() == 0
    assert changing.planned() == {"pool-base": "update"}
    changing.up()

    assert changing.cloud().machines() == {"pool_bl": [(LARGE, "PostPaid")] * 2}


def test_what_has_no_room_in_the_group_overflows_into_the_public_pool(changing: Deployment) -> None:
    changing.settings["machines"] = pool(2)
    further = {"billing": IN_POOL | {"overflow": {}}, "replicas": 3, "rollout": {"max_unavailable": 1}}
    changing.service.update(further)

    changing.up()

    assert places(changing) == [OWN, OWN, ON_DEMAND]
    nothing_more_to_do(changing)


def test_a_gateway_and_a_mix_are_made_before_their_service_and_go_after_it(changing: Deployment) -> None:
    sources = [{"machines": "pool"}, {"instance_type": LARGE, "max_price_usd_per_hour": 0.05}]
    changing.settings |= {"machines": pool(1), "mixes": {"blend": {"sources": sources}}}
    changing.settings["gateways"] = {"front": {"size": "2c4g"}}
    billing = {"mix": "blend", "size": IN_POOL["size"]}
    changing.service.update({"gateway": "front", "billing": billing, "replicas": 2})

    changing.up()

    cloud = changing.cloud()
    assert cloud.config(changing.service_name)["networking"] == {"gateway": cloud.gateways()["front_bl"]}
    assert changing.ask().status_code == 200
    assert places(changing) == [OWN, SPOT]
    nothing_more_to_do(changing)


def test_a_subscription_that_would_shrink_is_refused_in_the_preview_and_kept_by_destroy(
    own_emulator: EmulatorProcess, state_folder: Path, tmp_path: Path
) -> None:
    deployment = Deployment("sb", tmp_path, state_folder, own_emulator)
    deployment.settings |= {"services": {}, "machines": pool(2, subscription={"auto_renewal": True})}
    deployment.up()

    deployment.settings["machines"] = pool(1, subscription={"auto_renewal": True})
    with pytest.raises(JobError, match=r"property count.*was 2 and is to be 1, but a subscription is paid for"):
        deployment.planned()

    assert run("destroy", deployment.open(), ["--skip-preview"]) != 0
    assert deployment.cloud().machines() == {"pool_sb": [(LARGE, "PrePaid")] * 2}
