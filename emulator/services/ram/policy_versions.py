"""Versions of a policy: at most five, one of them in force."""

from typing import Literal

from pydantic import Field

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.ram.documents import check_policy
from emulator.services.ram.policies import GetPolicy, PolicyType, version_answer
from emulator.services.ram.service import ram
from emulator.services.ram.state import MAX_VERSIONS, Policy, PolicyVersion, RamState


class CreatePolicyVersion(Parameters):
    policy_name: str = Field(alias="PolicyName")
    document: str = Field(alias="PolicyDocument")
    set_as_default: bool = Field(False, alias="SetAsDefault")
    rotation: Literal["None", "DeleteOldestNonDefaultVersionWhenLimitExceeded"] = Field("None", alias="RotateStrategy")


class OneVersion(Parameters):
    policy_name: str = Field(alias="PolicyName")
    version_id: str = Field(alias="VersionId", pattern=r"^v\d+$")


class GetPolicyVersion(OneVersion):
    policy_type: PolicyType = Field(alias="PolicyType")


@ram.operation("CreatePolicyVersion")
def create_policy_version(state: RamState, call: Call, query: CreatePolicyVersion) -> Answer:
    check_policy(query.document)
    policy = state.policy(query.policy_name)
    if len(policy.versions) >= MAX_VERSIONS:
        _make_room(policy, rotate=query.rotation != "None")
    policy.last_version += 1
    policy.updated = iso(call.now)
    version = PolicyVersion(id=f"v{policy.last_version}", document=query.document, created=policy.updated)
    policy.versions.append(version)
    if query.set_as_default:
        policy.default_version = version.id
    state.put_policy(policy)
    return {"PolicyVersion": version_answer(policy, version)}


@ram.operation("GetPolicyVersion")
def get_policy_version(state: RamState, query: GetPolicyVersion) -> Answer:
    policy = state.policy(query.policy_name, query.policy_type)
    return {"PolicyVersion": version_answer(policy, policy.version(query.version_id))}


@ram.operation("ListPolicyVersions")
def list_policy_versions(state: RamState, query: GetPolicy) -> Answer:
    policy = state.policy(query.policy_name, query.policy_type)
    return {"PolicyVersions": {"PolicyVersion": [version_answer(policy, version) for version in policy.versions]}}


@ram.operation("SetDefaultPolicyVersion")
def set_default_policy_version(state: RamState, call: Call, query: OneVersion) -> Answer:
    policy = state.policy(query.policy_name)
    policy.default_version = policy.version(query.version_id).id
    policy.updated = iso(call.now)
    state.put_policy(policy)
    return {}


@ram.operation("DeletePolicyVersion")
def delete_policy_version(state: RamState, query: OneVersion) -> Answer:
    policy = state.policy(query.policy_name)
    version = policy.version(query.version_id)
    if version.id == policy.default_version:
        message = f"The default policy version cannot be deleted: {version.id} of {policy.name}."
        raise ApiError("DeleteConflict.Policy.Version.Default", message, 409)
    policy.versions.remove(version)
    state.put_policy(policy)
    return {}


def _make_room(policy: Policy, *, rotate: bool) -> None:
    if not rotate:
        message = f"The policy {policy.name} has {MAX_VERSIONS} versions already, which is the limit."
        raise ApiError("LimitExceeded.Policy.Version", message, 409)
    policy.versions.remove(next(version for version in policy.versions if version.id != policy.default_version))
