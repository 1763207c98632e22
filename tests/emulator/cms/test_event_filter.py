"""Which events a rule's filter lets through."""

from datetime import UTC, datetime
from typing import Any

import pytest

from emulator.services.cms.event_filter import QueryError, condition, matches
from emulator.services.cms.event_records import EventPattern, SystemEvent

CONTENT = '{"serviceName": "shop", "serviceGroup": "", "message": "The container exited with code 7"}'
EVENT = SystemEvent(
    id="1", time=datetime(2026, 1, 1, tzinfo=UTC), product="learn", kind="ServiceInstance", region="cn-hangzhou",
    name="EAS:ServiceInstance:Failed", level="CRITICAL", status="Failed", resource_id="", instance_name="shop-1-a",
    content=CONTENT,
)  # fmt: skip


def pattern(**changes: Any) -> EventPattern:
    every: dict[str, Any] = {
        "product": "learn", "kinds": [], "levels": [], "names": [], "statuses": [], "sql_filter": "", "keyword": "",
    }  # fmt: skip
    return EventPattern(**every | changes)


@pytest.mark.parametrize(
    ("changes", "is_about_it"),
    [
        ({}, True),
        ({"product": "ecs"}, False),
        ({"kinds": ["*"], "levels": ["*"]}, True),
        ({"kinds": ["ServiceInstance"], "levels": ["WARN", "CRITICAL"]}, True),
        ({"kinds": ["Exception"]}, False),
        ({"levels": ["INFO"]}, False),
        ({"names": ["EAS:ServiceInstance:Failed"]}, True),
        ({"names": ["EAS:ServiceInstance:Running"]}, False),
        ({"statuses": ["Failed"]}, True),
        ({"statuses": ["Running"]}, False),
        ({"keyword": "code 7"}, True),
        ({"keyword": "code 8"}, False),
        ({"sql_filter": "shop", "levels": ["INFO"]}, False),
    ],
)
def test_everything_that_a_pattern_names_must_fit(changes: dict[str, Any], is_about_it: bool) -> None:
    assert matches(pattern(**changes), EVENT) is is_about_it


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("shop", True),
        ('"SHOP"', True),
        ("sho", False),
        ("shop_2", False),
        ("shop and exited", True),
        ("shop and running", False),
        ("running or exited", True),
        ("shop exited", True),
        ("not running", True),
        ("not shop", False),
        ("running and shop or exited", True),
        ("running and (shop or exited)", False),
        ("not (running or shop)", False),
        ('"exited with"', True),
        ('"and"', False),
    ],
)
def test_terms_are_whole_words_that_and_or_and_not_join(query: str, holds: bool) -> None:
    assert matches(pattern(sql_filter=query), EVENT) is holds


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("serviceName: shop", "not ':'"),
        ("sho*", r"not '\*'"),
        ("* | select count(1)", r"not '\*'"),
        ("(shop", "not closed"),
        ("shop)", "not expected"),
        ("shop and", "a term is missing"),
        ("or shop", "a term is missing"),
        ('"shop', "no partner"),
        ("a " * 51, "at most 50"),
        ("(" * 5000, "at most 50"),
    ],
)
def test_a_query_that_is_wrong_or_not_known_is_refused(query: str, problem: str) -> None:
    with pytest.raises(QueryError, match=problem):
        condition(query)
