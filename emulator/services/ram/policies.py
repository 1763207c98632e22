"""Policies."""

from typing import Any, Literal

from pydantic import Field

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.ram.documents import check_policy
from emulator.services.ram.service import ram
from emulator.services.ram.state import Policy, PolicyVersion, RamState, check_description, check_name
from emulator.services.ram.system_policies import SYSTEM_POLICIES
from emulator.services.ram.tags import TagList, as_tags, tag_answer

NAME = r"[a-zA-Z0-9-]+"
PolicyType = Literal["Custom", "System"]


class CreatePolicy(Parameters):
    policy_name: str = Field(alias="PolicyName")
    document: str = Field(alias="PolicyDocument")
    description: str = Field("", alias="Description")
    tag: TagList = Field([], alias="Tag")


class GetPolicy(Parameters):
    policy_name: str = Field(alias="PolicyName")
    policy_type: PolicyType = Field(alias="PolicyType")


class DeletePolicy(Parameters):
    policy_name: str = Field(alias="PolicyName")
    cascading: bool = Field(False, alias="CascadingDelete")


class ListPolicies(Parameters):
    policy_type: PolicyType | None = Field(None, alias="PolicyType")
    marker: str = Field("", alias="Marker")
    max_items: int = Field(100, alias="MaxItems", ge=1, le=1000)


class UpdatePolicyDescription(Parameters):
    policy_name: str = Field(alias="PolicyName")
    description: str = Field(alias="NewDescription")


@ram.operation("CreatePolicy")
def create_policy(state: RamState, call: Call, query: CreatePolicy) -> Answer:
    check_name(query.policy_name, "PolicyName", NAME, length=128)
    check_policy(query.document)
    check_description(query.description, "Description")
    if state.custom_policies.get(query.policy_name):
        raise ApiError("EntityAlreadyExists.Policy", f"The policy already exists: {query.policy_name}.", 409)
    now = iso(call.now)
    policy = Policy(
        name=query.policy_name,
        type="Custom",
        description=query.description,
        created=now,
        updated=now,
        default_version="v1",
        versions=[PolicyVersion(id="v1", document=query.document, created=now)],
        tags=as_tags(query.tag),
    )
    state.put_policy(policy)
    return {"Policy": _brief(policy)}


@ram.operation("GetPolicy")
def get_policy(state: RamState, query: GetPolicy) -> Answer:
    policy = state.policy(query.policy_name, query.policy_type)
    return {
        "Policy": {**_brief(policy), **_standing(state, policy)},
        "DefaultPolicyVersion": version_answer(policy, policy.version(policy.default_version)),
    }


@ram.operation("UpdatePolicyDescription")
def update_policy_description(state: RamState, call: Call, query: UpdatePolicyDescription) -> Answer:
    check_description(query.description, "NewDescription")
    policy = state.policy(query.policy_name)
    policy.description, policy.updated = query.description, iso(call.now)
    state.put_policy(policy)
    return {"Policy": {**_brief(policy), "UpdateDate": policy.updated}}


@ram.operation("DeletePolicy")
def delete_policy(state: RamState, query: DeletePolicy) -> Answer:
    """`CascadingDelete` deletes the other versions too; what is attached stays protected."""
    policy = state.policy(query.policy_name)
    if roles := state.roles_with(policy):
        names = ", ".join(role.name for role in roles)
        message = f"The policy {policy.name} cannot be deleted while it is attached to roles: {names}."
        raise ApiError("DeleteConflict.Role.Policy", message, 409)
    if len(policy.versions) > 1 and not query.cascading:
        message = f"The policy {policy.name} has versions beside its default version; delete these first."
        raise ApiError("DeleteConflict.Policy.Version", message, 409)
    state.custom_policies.delete(policy.name)
    return {}


@ram.operation("ListPolicies")
def list_policies(state: RamState, query: ListPolicies) -> Answer:
    """In the order of their names, custom ones and system ones together; `Marker` is the last name before."""
    custom = [] if query.policy_type == "System" else state.custom_policies.values()
    system = [] if query.policy_type == "Custom" else [state.policy(name, "System") for name in SYSTEM_POLICIES]
    every = sorted(
        (policy for policy in [*custom, *system] if policy.name > query.marker), key=lambda policy: policy.name
    )
    page = every[: query.max_items]
    truncated = len(every) > len(page)
    listed = [{**_brief(policy), **_standing(state, policy), "Tags": tag_answer(policy.tags)} for policy in page]
    return {"IsTruncated": truncated, "Policies": {"Policy": listed}} | ({"Marker": page[-1].name} if truncated else {})


def _brief(policy: Policy) -> dict[str, Any]:
    return {
        "PolicyName": policy.name,
        "PolicyType": policy.type,
        "Description": policy.description,
        "DefaultVersion": policy.default_version,
        "CreateDate": policy.created,
    }


def _standing(state: RamState, policy: Policy) -> dict[str, Any]:
    return {"UpdateDate": policy.updated, "AttachmentCount": len(state.roles_with(policy))}


def version_answer(policy: Policy, version: PolicyVersion) -> dict[str, Any]:
    return {
        "VersionId": version.id,
        "IsDefaultVersion": version.id == policy.default_version,
        "PolicyDocument": version.document,
        "CreateDate": version.created,
    }
