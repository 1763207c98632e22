"""Machines, gateways and billing of a stack: what is read, and what is said about contradictions."""

import re
from pathlib import Path
from typing import Any

import pytest

from stacks.config import StackConfig
from stacks.problems import ConfigError
from tests.stacks.test_config import SERVICE, TARGET, stack_file

POOL = {"pools": {"base": {"instance_type": "ecs.c7.large", "count": 2}}}
SIZE = {"cpu": 1, "memory_mib": 2048}
T4 = "ecs.gn6i-c4g1.xlarge"


def billed(billing: dict[str, Any], /, **changes: Any) -> dict[str, Any]:
    """A service with this billing beside a group `pool` of its machines and a gateway `front`."""
    service = SERVICE | {"billing": billing} | changes
    places = {"machines": {"pool": POOL}, "gateways": {"front": {"size": "2c4g"}}}
    return {"target": TARGET, "services": {"fashion": service}, **places}


def of_pool(**changes: Any) -> dict[str, Any]:
    pool = POOL["pools"]["base"] | changes
    return {"target": TARGET, "machines": {"pool": {"pools": {"base": pool}}}}


def of_mix(*sources: dict[str, Any]) -> dict[str, Any]:
    return {"mixes": {"blend": {"sources": [*sources]}}}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            billed({"machines": "pool", "size": SIZE, "spot": {"max_price_usd_per_hour": 0.1}}),
            "services.fashion.billing.spot: spot machines are of the public pool, and the service runs in pool; keep",
        ),
        (
            billed({"overflow": {}}),
            "services.fashion.billing.overflow: replicas overflow out of a dedicated group, and there is none; name",
        ),
        (
            billed({"shared_gpu": {"memory_gib": 4}}),
            "services.fashion.billing.shared_gpu: EAS shares GPUs in dedicated groups only; name one in machines",
        ),
        (
            billed({"machines": "pool", "size": SIZE, "shared_gpu": {"memory_gib": 4}}),
            "services.fashion.billing.shared_gpu: ecs.c7.large has no GPU; leave it out, or take another machine",
        ),
        (
            billed({"machines": "pool", "size": SIZE | {"gpus": 1}}),
            "services.fashion.billing.size.gpus: found 1; ecs.c7.large has no GPU; leave it out",
        ),
        (
            billed({"machines": "pool", "size": SIZE | {"gpus": 1}, "shared_gpu": {"memory_gib": 4}}, instance_type=T4)
            | {"machines": {"pool": {"pools": {"base": {"instance_type": T4, "count": 1}}}}},
            "services.fashion.billing.size.gpus: found 1; EAS gives whole GPUs then, and ignores shared_gpu; keep one",
        ),
        (
            billed({"size": SIZE}),
            "services.fashion.billing.size: a replica has a whole machine of the public pool; leave it out, or name",
        ),
        (
            billed({"machines": "pool"}),
            'services.fashion.billing.machines: found "pool"; give size beside it: in a group, EAS has to know',
        ),
        (
            billed({"machines": "pol", "size": SIZE}),
            'services.fashion.billing.machines: found "pol"; there is no such group of machines; did you mean pool?',
        ),
        (
            billed({"machines": "pool", "size": SIZE}, instance_type="ecs.g7.large"),
            'services.fashion.instance_type: found "ecs.g7.large"; its replicas run in pool, whose machines are '
            "ecs.c7.large; name one of those",
        ),
        (
            billed({"spot": {"max_price_usd_per_hour": 0.1, "fallback": [T4]}}),
            f'services.fashion.billing.spot.fallback: found ["{T4}"]; {T4} has a GPU and ecs.c7.large has none',
        ),
        (
            billed({"spot": {"max_price_usd_per_hour": 0.1, "instance_types": ["ecs.c7.large"] * 2}}),
            'services.fashion.billing.spot.instance_types: found ["ecs.c7.large", "ecs.c7.large"]; ecs.c7.large is',
        ),
        (
            billed({"spot": {"max_price_usd_per_hour": 0.1, "fallback": []}}),
            "services.fashion.billing.spot.fallback: found []; it should have at least 1 item",
        ),
        (billed({"spot": {}}), "services.fashion.billing.spot.max_price_usd_per_hour: is missing"),
        (
            billed({"spot": {"max_price_usd_per_hour": 0.1, "most": "0%"}}),
            "services.fashion.billing.spot: most is 0, so that no replica would be spot; raise it, or leave spot out",
        ),
        (
            billed({"subscription": {"auto_renewal": True}}),
            "services.fashion.billing.subscription: there is no such setting; allowed are machines, mix, size,",
        ),
        (
            billed({"machines": "pool", "mix": "blend", "size": SIZE}),
            'services.fashion.billing.mix: found "blend"; a service runs in one place, and machines names one already',
        ),
        (
            billed({"mix": "blnd", "size": SIZE}) | of_mix({"machines": "pool"}),
            'services.fashion.billing.mix: found "blnd"; there is no such mix; did you mean blend?',
        ),
        (
            billed({"mix": "blend"}) | of_mix({"machines": "pool"}),
            'services.fashion.billing.mix: found "blend"; give size beside it: in a group, EAS has to know how much',
        ),
        (
            billed({"mix": "blend", "size": SIZE, "overflow": {}}) | of_mix({"machines": "pool"}),
            "services.fashion.billing.overflow: blend says itself where replicas go next; add it to its sources",
        ),
        (
            billed({"mix": "blend", "size": SIZE}, instance_type="ecs.g7.large") | of_mix({"machines": "pool"}),
            'services.fashion.instance_type: found "ecs.g7.large"; its replicas run in blend, whose machines are ',
        ),
        (
            billed({}) | of_mix({"machines": "pol"}),
            'mixes.blend.sources.0.machines: found "pol"; there is no such group of machines; did you mean pool?',
        ),
        (
            billed({}) | of_mix({"instance_type": "ecs.c7.large"}, {"machines": "pool"}),
            "mixes.blend.sources.0: pay-as-you-go is never full, so that what stands after it is never used; put it",
        ),
        (
            billed({}) | of_mix({"machines": "pool", "instance_type": "ecs.c7.large"}),
            "mixes.blend.sources.0: give either machines (a dedicated group) or instance_type (public), and not both",
        ),
        (
            billed({}) | of_mix({"machines": "pool", "max_price_usd_per_hour": 0.1}),
            "mixes.blend.sources.0: max_price_usd_per_hour is for spot machines of the public pool, and machines is a",
        ),
        (
            billed({}, gateway="frnt"),
            'services.fashion.gateway: found "frnt"; there is no such gateway; did you mean front?',
        ),
        (
            {"target": TARGET, "services": {"fashion": SERVICE | {"gateway": "front"}}},
            'services.fashion.gateway: found "front"; there is no such gateway; there are none',
        ),
        (of_pool(subscription={}), "machines.pool.pools.base.subscription.auto_renewal: is missing (Whether it is"),
        (
            of_pool(subscription={"auto_renewal": True, "period": 12}),
            "machines.pool.pools.base.subscription: period is given, but EAS's API takes no period; buy for longer in",
        ),
        (of_pool(count=0), "machines.pool.pools.base.count: found 0; it should be greater than or equal to 1"),
        (of_pool(disk_gib=100), "machines.pool.pools.base.disk_gib: found 100; it should be greater than or equal to"),
        ({"target": TARGET, "machines": {"pool": {"pools": {}}}}, "machines.pool.pools: found {}; it should have at"),
        (
            {"target": TARGET, "gateways": {"front": {"size": "2c8g"}}},
            "gateways.front.size: found \"2c8g\"; it should be '2c4g', '4c8g', '8c16g' or '16c32g'",
        ),
        (
            {"target": TARGET, "gateways": {"front": {"size": "2c4g", "internet": False, "intranet": False}}},
            "gateways.front: internet and intranet are both off, so that no service could be called through it",
        ),
    ],
)
def test_a_contradiction_in_billing_is_named_with_its_path(
    tmp_path: Path, settings: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(f"paistack:{problem}")) as refused:
        StackConfig.from_file(stack_file(tmp_path, settings))
    assert str(refused.value).startswith(f"1 problem with the settings in {tmp_path}")


def test_machines_gateway_and_billing_that_fit_are_read(tmp_path: Path) -> None:
    settings = billed({"machines": "pool", "size": SIZE, "overflow": {}}, gateway="front")

    config = StackConfig.from_file(stack_file(tmp_path, settings))

    assert config.services["fashion"].billing.machines == "pool"
    assert config.machines["pool"].pools["base"].subscription is None
    assert config.gateways["front"].nodes == 2
