"""Policies attached to roles, and tags of both."""

import pytest
from alibabacloud_ram20150501 import models
from alibabacloud_ram20150501.client import Client

from tests.emulator.ram import test_policies, test_roles
from tests.emulator.refusals import refused

CUSTOM = {"policy_type": "Custom", "policy_name": "read-models", "role_name": "Reader"}
SYSTEM = {"policy_type": "System", "policy_name": "AliyunOSSReadOnlyAccess", "role_name": "Reader"}


@pytest.fixture(autouse=True)
def _role_and_policy(ram: Client) -> None:
    test_roles.create(ram)
    test_policies.create(ram)


def attach(ram: Client, **attachment: str) -> None:
    ram.attach_policy_to_role(models.AttachPolicyToRoleRequest(**attachment))


def detach(ram: Client, **attachment: str) -> None:
    ram.detach_policy_from_role(models.DetachPolicyFromRoleRequest(**attachment))


def attached(ram: Client) -> list[str]:
    policies = ram.list_policies_for_role(models.ListPoliciesForRoleRequest(role_name="Reader")).body.policies.policy
    return [f"{policy.policy_type}:{policy.policy_name}" for policy in policies]


def test_attached_policies_are_listed_for_the_role_until_they_are_detached(ram: Client) -> None:
    attach(ram, **CUSTOM)
    attach(ram, **SYSTEM)

    assert attached(ram) == ["Custom:read-models", "System:AliyunOSSReadOnlyAccess"]
    detach(ram, **CUSTOM)
    assert attached(ram) == ["System:AliyunOSSReadOnlyAccess"]


def test_the_entities_of_a_policy_are_its_roles(ram: Client) -> None:
    attach(ram, **CUSTOM)

    request = models.ListEntitiesForPolicyRequest(policy_name="read-models", policy_type="Custom")
    answer = ram.list_entities_for_policy(request).body

    assert [role.role_name for role in answer.roles.role] == ["Reader"]
    assert (answer.users.user, answer.groups.group) == ([], [])
    assert test_policies.get(ram).policy.attachment_count == 1


def test_neither_side_of_an_attachment_can_be_deleted(ram: Client) -> None:
    attach(ram, **CUSTOM)

    with refused("DeleteConflict.Role.Policy", 409, "read-models"):
        ram.delete_role(models.DeleteRoleRequest(role_name="Reader"))
    with refused("DeleteConflict.Role.Policy", 409, "Reader"):
        ram.delete_policy(models.DeletePolicyRequest(policy_name="read-models", cascading_delete="true"))


@pytest.mark.parametrize(
    ("changes", "code", "status"),
    [
        ({"policy_name": "nothing"}, "EntityNotExist.Policy", 404),
        ({"policy_type": "System"}, "EntityNotExist.Policy", 404),
        ({"role_name": "nobody"}, "EntityNotExist.Role", 404),
        ({"policy_type": "Foreign"}, "InvalidParameter.PolicyType", 400),
        ({}, "EntityAlreadyExists.Role.Policy", 409),
    ],
)
def test_a_wrong_attachment_is_refused(ram: Client, changes: dict[str, str], code: str, status: int) -> None:
    attach(ram, **CUSTOM)

    with refused(code, status):
        attach(ram, **{**CUSTOM, **changes})


def test_what_is_not_attached_cannot_be_detached(ram: Client) -> None:
    with refused("EntityNotExist.Role.Policy", 404):
        detach(ram, **CUSTOM)


@pytest.mark.parametrize(("kind", "name"), [("role", "Reader"), ("policy", "read-models")])
def test_tags_are_added_replaced_and_removed(ram: Client, kind: str, name: str) -> None:
    def put(**tags: str) -> None:
        given = [models.TagResourcesRequestTag(key=key, value=value) for key, value in tags.items()]
        ram.tag_resources(models.TagResourcesRequest(resource_type=kind, resource_names=[name], tag=given))

    def tags() -> dict[str, str]:
        request = models.ListTagResourcesRequest(resource_type=kind, resource_names=[name])
        return {tag.tag_key: tag.tag_value for tag in ram.list_tag_resources(request).body.tag_resources}

    put(team="vision", stage="dev")
    put(stage="prod")

    assert tags() == {"team": "vision", "stage": "prod"}
    ram.untag_resources(models.UntagResourcesRequest(resource_type=kind, resource_names=[name], tag_keys=["team"]))
    assert tags() == {"stage": "prod"}
    ram.untag_resources(models.UntagResourcesRequest(resource_type=kind, resource_names=[name], all=True))
    assert tags() == {}


def test_tags_given_at_creation_are_kept_and_listed_in_pages(ram: Client) -> None:
    given = [models.CreateRoleRequestTag(key=key, value="x") for key in ("c", "a", "b")]
    test_roles.create(ram, "tagged", tag=given)

    request = models.ListTagResourcesRequest(resource_type="role", page_size=2)
    first = ram.list_tag_resources(request).body
    request.next_token = first.next_token
    second = ram.list_tag_resources(request).body

    assert [tag.tag_key for tag in (*first.tag_resources, *second.tag_resources)] == ["a", "b", "c"]
