"""Roles, as the vendor's SDK sees them."""

import pytest
from alibabacloud_ram20150501 import models
from alibabacloud_ram20150501.client import Client

from tests.emulator.ram.conftest import trust
from tests.emulator.refusals import refused


def create(ram: Client, name: str = "Reader", **changes: object) -> models.CreateRoleResponseBodyRole:
    settings = {"role_name": name, "assume_role_policy_document": trust(), **changes}
    return ram.create_role(models.CreateRoleRequest(**settings)).body.role


def get(ram: Client, name: str) -> models.GetRoleResponseBodyRole:
    return ram.get_role(models.GetRoleRequest(role_name=name)).body.role


def test_a_created_role_is_found_with_all_that_it_was_given(ram: Client) -> None:
    document = trust(Service=["eas.pai.aliyuncs.com"])

    create(ram, description="reads models", max_session_duration=7200, assume_role_policy_document=document)

    role = get(ram, "Reader")
    assert role.arn == "acs:ram::1234567890123456:role/reader"
    assert (role.description, role.max_session_duration) == ("reads models", 7200)
    assert role.assume_role_policy_document == document


def test_an_update_changes_only_what_it_names(ram: Client) -> None:
    create(ram, description="old")

    ram.update_role(models.UpdateRoleRequest(role_name="Reader", new_description="new"))

    role = get(ram, "Reader")
    assert (role.description, role.max_session_duration) == ("new", 3600)
    assert role.assume_role_policy_document == trust()


def test_a_second_role_of_the_same_name_is_refused(ram: Client) -> None:
    create(ram)

    with refused("EntityAlreadyExists.Role", 409):
        create(ram, "reader")


def test_a_deleted_role_is_gone(ram: Client) -> None:
    create(ram)

    ram.delete_role(models.DeleteRoleRequest(role_name="Reader"))

    with refused("EntityNotExist.Role", 404):
        get(ram, "Reader")


def test_roles_are_listed_in_pages(ram: Client) -> None:
    for name in ("c", "a", "b"):
        create(ram, name)

    first = ram.list_roles(models.ListRolesRequest(max_items=2)).body
    second = ram.list_roles(models.ListRolesRequest(max_items=2, marker=first.marker)).body

    assert [role.role_name for role in first.roles.role] == ["a", "b"]
    assert [role.role_name for role in second.roles.role] == ["c"]
    assert (first.is_truncated, second.is_truncated) == (True, False)


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"role_name": "a b"}, "InvalidParameter.RoleName.InvalidChars", "'a b'"),
        ({"role_name": "a" * 65}, "InvalidParameter.RoleName.Length", "1 to 64 characters, not 65"),
        ({"description": "x" * 1025}, "InvalidParameter.Description.Length", "at most 1024"),
        ({"max_session_duration": 60}, "InvalidParameter.MaxSessionDuration", "3600"),
        ({"assume_role_policy_document": "{"}, "MalformedPolicyDocument", "AssumeRolePolicyDocument"),
        ({"assume_role_policy_document": trust(Person="x")}, "MalformedPolicyDocument", "Principal.Person"),
        ({"assume_role_policy_document": trust(RAM=[])}, "MalformedPolicyDocument", "RAM, Service or Federated"),
        ({"assume_role_policy_document": " " * 2049}, "InvalidParameter.AssumeRolePolicyDocument.Length", "2048"),
        ({"assume_role_policy_document": None}, "MissingParameter", "AssumeRolePolicyDocument"),
        ({"allow_console_login": True}, "InvalidParameter", "AllowConsoleLogin"),
    ],
)
def test_a_wrong_role_is_refused(ram: Client, changes: dict[str, object], code: str, message: str) -> None:
    with refused(code, 400, message):
        create(ram, str(changes.pop("role_name", "Reader")), **changes)
