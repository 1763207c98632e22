"""Who owns which key of a document that the server also writes to."""

from typing import Any

import pytest

from providers.documents import declared_part, overlay

LIVE = {
    "token": "given by the server",
    "metadata": {"name": "resnet", "instance": 3, "cpu": 4},
    "containers": [{"image": "a", "port": 8000, "resources": {"requests": {}}}],
}


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        pytest.param({}, {}, LIVE, id="nothing declared, nothing touched"),
        pytest.param(
            {"metadata": {"instance": 3}},
            {"metadata": {"instance": 5}},
            LIVE | {"metadata": {"name": "resnet", "instance": 5, "cpu": 4}},
            id="a changed key",
        ),
        pytest.param(
            {"metadata": {"instance": 3, "cpu": 4}},
            {"metadata": {"instance": 3}},
            LIVE | {"metadata": {"name": "resnet", "instance": 3}},
            id="a removed key goes",
        ),
        pytest.param(
            {"metadata": {"instance": 3}},
            {"metadata": {}},
            LIVE | {"metadata": {"name": "resnet", "cpu": 4}},
            id="a key that is no longer ours goes",
        ),
        pytest.param(
            {"containers": [{"image": "a"}]},
            {"containers": [{"image": "b"}]},
            LIVE | {"containers": [{"image": "b", "port": 8000, "resources": {"requests": {}}}]},
            id="what the server added to a list's item stays",
        ),
        pytest.param(
            {"containers": [{"image": "a", "port": 8000}]},
            {"containers": [{"image": "a"}]},
            LIVE | {"containers": [{"image": "a", "resources": {"requests": {}}}]},
            id="a key removed from a list's item goes",
        ),
        pytest.param(
            {"containers": [{"image": "a"}]},
            {"containers": [{"image": "a"}, {"image": "b"}]},
            LIVE | {"containers": [{"image": "a"}, {"image": "b"}]},
            id="a list of another length is taken whole",
        ),
        pytest.param({}, {"storage": [{"oss": {}}]}, LIVE | {"storage": [{"oss": {}}]}, id="a new section"),
        pytest.param({"storage": []}, {}, LIVE, id="what is already gone stays gone"),
    ],
)
def test_what_is_declared_holds_and_what_is_not_stays(before: Any, now: Any, expected: Any) -> None:
    assert overlay(LIVE, before, now) == expected


def test_only_the_declared_part_is_watched() -> None:
    declared = {"metadata": {"instance": 1}, "containers": [{"image": "x", "command": "c"}]}

    assert declared_part(LIVE, declared) == {"metadata": {"instance": 3}, "containers": [{"image": "a"}]}


def test_a_list_of_another_length_is_seen_whole() -> None:
    assert declared_part({"storage": [1, 2]}, {"storage": [1]}) == {"storage": [1, 2]}
