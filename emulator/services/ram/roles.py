"""Roles."""

from typing import Any

from pydantic import Field

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.ram.documents import check_trust_policy
from emulator.services.ram.service import ram
from emulator.services.ram.state import RamState, Role, check_description, check_name
from emulator.services.ram.tags import TagList, as_tags, tag_answer

NAME = r"[a-zA-Z0-9.@_-]+"


class CreateRole(Parameters):
    role_name: str = Field(alias="RoleName")
    trust_policy: str = Field(alias="AssumeRolePolicyDocument")
    description: str = Field("", alias="Description")
    max_session_s: int = Field(3600, alias="MaxSessionDuration", ge=3600, le=43200)
    tag: TagList = Field([], alias="Tag")


class RoleName(Parameters):
    role_name: str = Field(alias="RoleName")


class UpdateRole(RoleName):
    trust_policy: str | None = Field(None, alias="NewAssumeRolePolicyDocument")
    description: str | None = Field(None, alias="NewDescription")
    max_session_s: int | None = Field(None, alias="NewMaxSessionDuration", ge=3600, le=43200)


class ListRoles(Parameters):
    marker: str = Field("", alias="Marker")
    max_items: int = Field(100, alias="MaxItems", ge=1, le=1000)


@ram.operation("CreateRole")
def create_role(state: RamState, call: Call, query: CreateRole) -> Answer:
    check_name(query.role_name, "RoleName", NAME, length=64)
    check_trust_policy(query.trust_policy, "AssumeRolePolicyDocument")
    check_description(query.description, "Description")
    if state.roles.get(query.role_name.lower()):
        raise ApiError("EntityAlreadyExists.Role", f"The role already exists: {query.role_name}.", 409)
    now = iso(call.now)
    role = Role(
        name=query.role_name,
        id=state.new_role_id(),
        trust_policy=query.trust_policy,
        description=query.description,
        max_session_s=query.max_session_s,
        created=now,
        updated=now,
        tags=as_tags(query.tag),
    )
    state.put_role(role)
    return {"Role": {**_listed(call, role), "AssumeRolePolicyDocument": role.trust_policy}}


@ram.operation("GetRole")
def get_role(state: RamState, call: Call, query: RoleName) -> Answer:
    return {"Role": _whole(call, state.role(query.role_name))}


@ram.operation("UpdateRole")
def update_role(state: RamState, call: Call, query: UpdateRole) -> Answer:
    role = state.role(query.role_name)
    if query.trust_policy is not None:
        check_trust_policy(query.trust_policy, "NewAssumeRolePolicyDocument")
        role.trust_policy = query.trust_policy
    if query.description is not None:
        check_description(query.description, "NewDescription")
        role.description = query.description
    if query.max_session_s is not None:
        role.max_session_s = query.max_session_s
    role.updated = iso(call.now)
    state.put_role(role)
    return {"Role": _whole(call, role)}


@ram.operation("DeleteRole")
def delete_role(state: RamState, query: RoleName) -> Answer:
    role = state.role(query.role_name)
    if role.policies:
        attached = ", ".join(key.partition(":")[2] for key in role.policies)
        message = f"The role {role.name} cannot be deleted while policies are attached to it: {attached}."
        raise ApiError("DeleteConflict.Role.Policy", message, 409)
    state.roles.delete(role.name.lower())
    return {}


@ram.operation("ListRoles")
def list_roles(state: RamState, call: Call, query: ListRoles) -> Answer:
    """In the order of their names; `Marker` is the name of the last one of the page before."""
    roles = [role for key, role in state.roles.items() if key > query.marker.lower()]
    page = roles[: query.max_items]
    truncated = len(roles) > len(page)
    listed = [{**_listed(call, role), "UpdateDate": role.updated, "Tags": tag_answer(role.tags)} for role in page]
    return {"IsTruncated": truncated, "Roles": {"Role": listed}} | ({"Marker": page[-1].name} if truncated else {})


def _listed(call: Call, role: Role) -> dict[str, Any]:
    return {
        "RoleId": role.id,
        "RoleName": role.name,
        "Arn": role.arn(call.account_id),
        "Description": role.description,
        "MaxSessionDuration": role.max_session_s,
        "CreateDate": role.created,
    }


def _whole(call: Call, role: Role) -> dict[str, Any]:
    return {**_listed(call, role), "AssumeRolePolicyDocument": role.trust_policy, "UpdateDate": role.updated}
