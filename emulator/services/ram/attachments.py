"""Policies attached to roles. Users and groups are not emulated: nothing is ever attached to one."""

from pydantic import Field

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.ram.policies import GetPolicy, PolicyType
from emulator.services.ram.roles import RoleName
from emulator.services.ram.service import ram
from emulator.services.ram.state import RamState


class Attachment(Parameters):
    policy_type: PolicyType = Field(alias="PolicyType")
    policy_name: str = Field(alias="PolicyName")
    role_name: str = Field(alias="RoleName")

    @property
    def key(self) -> str:
        return f"{self.policy_type}:{self.policy_name}"


@ram.operation("AttachPolicyToRole")
def attach_policy_to_role(state: RamState, call: Call, query: Attachment) -> Answer:
    role = state.role(query.role_name)
    policy = state.policy(query.policy_name, query.policy_type)
    if policy.key in role.policies:
        message = f"The policy {policy.name} is already attached to the role {role.name}."
        raise ApiError("EntityAlreadyExists.Role.Policy", message, 409)
    role.policies[policy.key] = iso(call.now)
    state.put_role(role)
    return {}


@ram.operation("DetachPolicyFromRole")
def detach_policy_from_role(state: RamState, query: Attachment) -> Answer:
    role = state.role(query.role_name)
    if query.key not in role.policies:
        message = f"The policy {query.policy_name} is not attached to the role {role.name}."
        raise ApiError("EntityNotExist.Role.Policy", message, 404)
    del role.policies[query.key]
    state.put_role(role)
    return {}


@ram.operation("ListPoliciesForRole")
def list_policies_for_role(state: RamState, query: RoleName) -> Answer:
    listed = []
    for key, attached in state.role(query.role_name).policies.items():
        kind, _, name = key.partition(":")
        policy = state.policy(name, kind)
        listed.append(
            {
                "PolicyName": policy.name,
                "PolicyType": policy.type,
                "Description": policy.description,
                "DefaultVersion": policy.default_version,
                "AttachDate": attached,
            }
        )
    return {"Policies": {"Policy": listed}}


@ram.operation("ListEntitiesForPolicy")
def list_entities_for_policy(state: RamState, call: Call, query: GetPolicy) -> Answer:
    policy = state.policy(query.policy_name, query.policy_type)
    roles = [
        {
            "RoleId": role.id,
            "RoleName": role.name,
            "Arn": role.arn(call.account_id),
            "Description": role.description,
            "AttachDate": role.policies[policy.key],
        }
        for role in state.roles_with(policy)
    ]
    return {"Roles": {"Role": roles}, "Users": {"User": []}, "Groups": {"Group": []}}
