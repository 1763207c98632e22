"""What the settings of a split say about weights, and about the services that get requests."""

from typing import Any

import pytest
from pydantic import ValidationError

from components.traffic_config import TrafficSplitSettings, services_in_traffic


def split(weights: dict[str, int], mode: str = "canary", rollback_to: str | None = None) -> TrafficSplitSettings:
    versions: dict[str, dict[str, Any]] = {
        name: {"service": f"shop-{name}", "weight": weight} for name, weight in weights.items()
    }
    return TrafficSplitSettings.model_validate({"mode": mode, "versions": versions, "rollback_to": rollback_to})


@pytest.mark.parametrize(
    ("mode", "weights"),
    [
        ("blue_green", {"blue": 100}),
        ("blue_green", {"blue": 0, "green": 100}),
        ("blue_green", {"blue": 0, "green": 100, "red": 0}),
        ("canary", {"old": 100, "new": 0}),
        ("canary", {"old": 99, "new": 1}),
        ("canary", {"old": 50, "new": 50}),
        ("canary", {"old": 0, "new": 100}),
        ("ab", {"a": 50, "b": 50}),
        ("ab", {"a": 98, "b": 1, "c": 1}),
    ],
)
def test_each_mode_takes_the_weights_that_it_is_for(mode: str, weights: dict[str, int]) -> None:
    assert split(weights, mode).weights() == weights


def test_a_version_without_a_weight_gets_nothing() -> None:
    settings = TrafficSplitSettings.model_validate(
        {"mode": "blue_green", "versions": {"v1": {"service": "a", "weight": 100}, "v2": {"service": "b"}}}
    )

    assert settings.weights() == {"v1": 100, "v2": 0}


def test_every_problem_of_a_split_is_told_at_its_own_place() -> None:
    with pytest.raises(ValidationError) as refused:
        TrafficSplitSettings.model_validate(
            {
                "mode": "ab",
                "versions": {"v1": {"service": "a", "weight": 60}, "v2": {"service": "a", "weight": 60}},
                "shadow": {"service": "a", "percent": 5},
            }
        )

    assert [error["loc"] for error in refused.value.errors()] == [
        ("versions", "v2", "service"),
        ("shadow", "service"),
        ("versions",),
    ]


def test_the_services_in_traffic_are_those_that_get_requests_now() -> None:
    half_way = {"old": 90, "new": 10}

    assert services_in_traffic({"shop": split(half_way)}) == {"shop-old", "shop-new"}
    assert services_in_traffic({"shop": split({"old": 100, "new": 0})}) == {"shop-old"}
    assert services_in_traffic({"shop": split(half_way, rollback_to="new")}) == {"shop-new"}
