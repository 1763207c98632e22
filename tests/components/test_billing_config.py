"""From billing settings to EAS's own JSON."""

from typing import Any

import pytest

from components.billing_config import BillingSettings, computing, default_group_name, placement

T4, A10, LARGE = "ecs.gn6i-c4g1.xlarge", "ecs.gn7i-c8g1.2xlarge", "ecs.c7.large"
IN_POOL = {"machines": "pool", "size": {"cpu": 4, "memory_mib": 15_000, "gpus": 1}}
ON_POOL = {"resource": "eas-r-1", "cpu": 4, "memory": 15_000}


@pytest.mark.parametrize(
    ("billing", "in_public", "in_metadata"),
    [
        ({}, {"instance_type": T4}, {}),
        (
            {"spot": {"max_price_usd_per_hour": 0.4}},
            {
                "instances": [{"type": T4, "spot_price_limit": 0.4}, {"type": T4}],
                "disable_spot_protection_period": False,
            },
            {"resource_rebalancing": True},
        ),
        (
            {
                "spot": {
                    "max_price_usd_per_hour": 1.5, "instance_types": [T4, A10], "fallback": [A10], "most": "80%",
                    "protected_hour": False, "return_to_spot": False,
                }
            },
            {
                "instances": [
                    {"type": T4, "spot_price_limit": 1.5, "capacity": "80%"},
                    {"type": A10, "spot_price_limit": 1.5, "capacity": "80%"},
                    {"type": A10},
                ],
                "disable_spot_protection_period": True,
            },
            {},
        ),
        (IN_POOL, None, ON_POOL | {"gpu": 1}),
        (
            IN_POOL | {"size": {"cpu": 4, "memory_mib": 15_000}, "shared_gpu": {"memory_gib": 6, "core_percent": 30}},
            None,
            ON_POOL | {"gpu_memory": 6, "gpu_core_percentage": 30},
        ),
        (
            IN_POOL | {"overflow": {}},
            {"instances": [{"type": T4}]},
            ON_POOL | {"gpu": 1, "resource_burstable": True, "resource_rebalancing": True},
        ),
        (
            IN_POOL | {"overflow": {"instance_types": [T4, A10], "move_back": False}},
            {"instances": [{"type": T4}, {"type": A10}]},
            ON_POOL | {"gpu": 1, "resource_burstable": True},
        ),
    ],
)  # fmt: skip
def test_billing_becomes_eass_keys(
    billing: dict[str, Any], in_public: dict[str, Any] | None, in_metadata: dict[str, Any]
) -> None:
    settings = BillingSettings.model_validate(billing)

    assert computing(settings, T4) == in_public
    assert placement(settings, "eas-r-1" if settings.machines else None) == in_metadata


def test_a_groups_name_by_default_is_no_longer_than_eas_allows() -> None:
    assert default_group_name("pool", "dev") == "pool_dev"
    long = default_group_name("a-very-long-group-of-gpu", "production")
    assert len(long) == 27
    assert long == default_group_name("a-very-long-group-of-gpu", "production")
    assert long != default_group_name("a-very-long-group-of-gpu", "production-2")
