"""What is made of a state and a preview after a run that was cut off."""

from typing import Any

import pytest

from jobs.existing import Existing
from jobs.problem import JobError
from jobs.recovery import (
    Adoption,
    adoptable,
    doubtful_resources,
    import_file,
    pending_operations,
    planned_creates,
    without_pending_operations,
)

ROLE = "alicloud:ram/role:Role"
BUCKET = "alicloud:oss/bucket:Bucket"
PREVIEW = {
    "steps": [
        {
            "op": "create",
            "urn": f"urn:pulumi:s::p::paistack:eas:EasService${ROLE}::fashion-role",
            "newState": {"type": ROLE, "inputs": {"roleName": "r"}},
        },
        {
            "op": "same",
            "urn": f"urn:pulumi:s::p::paistack:store:ModelStore${BUCKET}::store-bucket",
            "newState": {"type": BUCKET, "inputs": {"bucket": "b"}},
        },
        {
            "op": "create",
            "urn": "urn:pulumi:s::p::paistack:eas:EasService::fashion",
            "newState": {"type": "paistack:eas:EasService"},
        },
        {"op": "delete", "urn": "urn:pulumi:s::p::x::gone", "oldState": {"type": "x"}},
    ]
}
TEMPLATE = {
    "nameTable": {"store": "urn:pulumi:s::p::paistack:store:ModelStore::store"},
    "resources": [
        {"type": "paistack:eas:EasService", "name": "fashion", "component": True},
        {
            "type": ROLE,
            "name": "fashionRole",
            "logicalName": "fashion-role",
            "id": "<PLACEHOLDER>",
            "parent": "fashion",
        },
        {"type": "alicloud:pai/service:Service", "name": "fashion-service", "id": "<PLACEHOLDER>"},
    ],
}


class Objects:
    """A cloud that holds what it was told, by type."""

    def __init__(self, **found: Existing) -> None:
        self._found = found

    def find(self, type_: str, _inputs: Any) -> Existing | None:
        return self._found.get(type_.rpartition(":")[2])


def test_only_what_would_be_created_is_looked_for() -> None:
    assert [(create.type, create.name, create.inputs) for create in planned_creates(PREVIEW)] == [
        (ROLE, "fashion-role", {"roleName": "r"}),
        ("paistack:eas:EasService", "fashion", {}),
    ]


def test_what_is_there_and_ours_is_adopted() -> None:
    assert adoptable(planned_creates(PREVIEW), Objects(Role=Existing("r", owned=True))) == [
        Adoption(ROLE, "fashion-role", "r")
    ]


def test_what_is_not_there_is_left_to_be_created() -> None:
    assert adoptable(planned_creates(PREVIEW), Objects()) == []


def test_what_is_somebody_elses_ends_the_run_with_the_ways_out() -> None:
    with pytest.raises(JobError) as refused:
        adoptable(planned_creates(PREVIEW), Objects(Role=Existing("r", owned=False)))
    assert str(refused.value) == (
        f"{ROLE} r exists, but does not carry this stack's tag, so somebody else may rely on it. Delete it, rename it "
        f"in the stack's settings, or take it over with\n  pulumi import {ROLE} fashion-role r"
    )


def test_only_adopted_objects_and_their_parents_are_imported() -> None:
    assert import_file(TEMPLATE, [Adoption(ROLE, "fashion-role", "r")]) == {
        "nameTable": TEMPLATE["nameTable"],
        "resources": [
            {"type": "paistack:eas:EasService", "name": "fashion", "component": True},
            {"type": ROLE, "name": "fashionRole", "logicalName": "fashion-role", "id": "r", "parent": "fashion"},
        ],
    }


@pytest.mark.parametrize("state", [{"version": 3, "deployment": None}, {"deployment": {"resources": []}}])
def test_a_state_without_pending_operations_has_none(state: dict[str, Any]) -> None:
    assert pending_operations(state) == []


def test_objects_that_may_be_otherwise_than_the_state_says_are_known() -> None:
    resources = [
        {"urn": "whole"},
        {"urn": "half", "initErrors": ["connection refused"]},
        {"urn": "w", "initErrors": []},
        {"urn": "role", "type": "alicloud:ram/role:Role"},
        {"urn": "revision", "type": "pulumi-python:dynamic/eas:ServiceRevision"},
    ]

    assert doubtful_resources({"deployment": {"resources": resources}}) == ["half", "revision"]
    assert doubtful_resources({"deployment": None}) == []


def test_a_state_without_its_pending_operations_is_otherwise_the_same() -> None:
    state = {"version": 3, "deployment": {"resources": [1], "pending_operations": [{"type": "creating"}]}}

    assert pending_operations(state)
    assert without_pending_operations(state) == {"version": 3, "deployment": {"resources": [1]}}
