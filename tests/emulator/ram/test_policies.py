"""Policies and their versions."""

import json

import pytest
from alibabacloud_ram20150501 import models
from alibabacloud_ram20150501.client import Client

from tests.emulator.ram.conftest import POLICY
from tests.emulator.refusals import refused


def create(ram: Client, name: str = "read-models", document: str = POLICY) -> None:
    ram.create_policy(models.CreatePolicyRequest(policy_name=name, policy_document=document))


def get(ram: Client, name: str = "read-models", kind: str = "Custom") -> models.GetPolicyResponseBody:
    return ram.get_policy(models.GetPolicyRequest(policy_name=name, policy_type=kind)).body


def add_version(ram: Client, document: str = POLICY, **changes: object) -> str:
    request = models.CreatePolicyVersionRequest(policy_name="read-models", policy_document=document, **changes)
    return str(ram.create_policy_version(request).body.policy_version.version_id)


def versions(ram: Client) -> dict[str, bool]:
    request = models.ListPolicyVersionsRequest(policy_name="read-models", policy_type="Custom")
    listed = ram.list_policy_versions(request).body.policy_versions.policy_version
    return {version.version_id: version.is_default_version for version in listed}


def statement(**changes: object) -> str:
    allow = {"Effect": "Allow", "Action": "oss:GetObject", "Resource": "acs:oss:*:*:bucket/*", **changes}
    return json.dumps({"Version": "1", "Statement": [{key: value for key, value in allow.items() if value}]})


def test_a_created_policy_is_found_with_its_document(ram: Client) -> None:
    create(ram)

    found = get(ram)

    assert found.default_policy_version.policy_document == POLICY
    assert (found.policy.policy_type, found.policy.attachment_count) == ("Custom", 0)


def test_a_new_version_is_in_force_only_when_it_is_made_the_default(ram: Client) -> None:
    create(ram)

    assert add_version(ram) == "v2"
    assert versions(ram) == {"v1": True, "v2": False}
    assert add_version(ram, statement(Effect="Deny"), set_as_default=True) == "v3"
    assert "Deny" in get(ram).default_policy_version.policy_document


def test_a_policy_has_at_most_five_versions(ram: Client) -> None:
    create(ram)
    for _ in range(4):
        add_version(ram)

    with refused("LimitExceeded.Policy.Version", 409):
        add_version(ram)


def test_rotation_drops_the_oldest_version_that_is_not_in_force(ram: Client) -> None:
    create(ram)
    for _ in range(4):
        add_version(ram)

    assert add_version(ram, rotate_strategy="DeleteOldestNonDefaultVersionWhenLimitExceeded") == "v6"
    assert list(versions(ram)) == ["v1", "v3", "v4", "v5", "v6"]


def test_a_version_that_is_in_force_cannot_be_deleted(ram: Client) -> None:
    create(ram)
    add_version(ram)

    with refused("DeleteConflict.Policy.Version.Default", 409):
        ram.delete_policy_version(models.DeletePolicyVersionRequest(policy_name="read-models", version_id="v1"))
    ram.set_default_policy_version(models.SetDefaultPolicyVersionRequest(policy_name="read-models", version_id="v2"))
    ram.delete_policy_version(models.DeletePolicyVersionRequest(policy_name="read-models", version_id="v1"))
    with refused("EntityNotExist.Policy.Version", 404):
        ram.get_policy_version(
            models.GetPolicyVersionRequest(policy_name="read-models", policy_type="Custom", version_id="v1")
        )


def test_a_policy_with_several_versions_is_deleted_only_with_all_of_them(ram: Client) -> None:
    create(ram)
    add_version(ram)

    with refused("DeleteConflict.Policy.Version", 409):
        ram.delete_policy(models.DeletePolicyRequest(policy_name="read-models"))
    ram.delete_policy(models.DeletePolicyRequest(policy_name="read-models", cascading_delete="true"))
    with refused("EntityNotExist.Policy", 404):
        get(ram)


def test_a_description_can_be_changed(ram: Client) -> None:
    create(ram)

    ram.update_policy_description(
        models.UpdatePolicyDescriptionRequest(policy_name="read-models", new_description="models of the shop")
    )

    assert get(ram).policy.description == "models of the shop"


def test_custom_and_system_policies_are_listed_apart_and_together(ram: Client) -> None:
    create(ram)

    def names(kind: str | None) -> list[str]:
        answer = ram.list_policies(models.ListPoliciesRequest(policy_type=kind)).body
        return [policy.policy_name for policy in answer.policies.policy]

    assert names("Custom") == ["read-models"]
    assert "AliyunOSSReadOnlyAccess" in names("System")
    assert names(None) == sorted([*names("System"), "read-models"])


def test_a_system_policy_can_be_read(ram: Client) -> None:
    assert "oss:Get*" in get(ram, "AliyunOSSReadOnlyAccess", "System").default_policy_version.policy_document


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("", "PolicyDocument"),
        ("[]", "object"),
        ('{"Version": "1"}', "at Statement"),
        ('{"Version": "1", "Statement": []}', "at Statement"),
        (statement(Effect="Maybe"), "'Allow' or 'Deny'"),
        (statement(Sid="x"), "Statement.0.Sid"),
        (statement(Action=None), "one of Action and NotAction"),
        (statement(NotAction="oss:*"), "one of Action and NotAction"),
        (statement(Action="read everything"), "Statement.0.Action"),
        (statement(Resource="my-bucket"), "Statement.0.Resource"),
        (statement(Resource=None), "one of Resource and NotResource"),
        (statement(Condition={"IpAddress": "10.0.0.1"}), "Statement.0.Condition.IpAddress"),
        (statement().replace('"1"', '"2"'), "at Version"),
    ],
)
def test_a_malformed_document_is_refused_at_its_place(ram: Client, document: str, problem: str) -> None:
    with refused("MalformedPolicyDocument", 400, problem):
        create(ram, document=document)


@pytest.mark.parametrize(
    ("name", "document", "code", "status"),
    [
        ("under_score", POLICY, "InvalidParameter.PolicyName.InvalidChars", 400),
        ("x" * 129, POLICY, "InvalidParameter.PolicyName.Length", 400),
        ("long", " " * 6145, "InvalidParameter.PolicyDocument.Length", 400),
        ("read-models", POLICY, "EntityAlreadyExists.Policy", 409),
    ],
)
def test_a_wrong_policy_is_refused(ram: Client, name: str, document: str, code: str, status: int) -> None:
    create(ram)

    with refused(code, status):
        create(ram, name, document)
