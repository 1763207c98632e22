"""STS: who a caller is, and temporary keys for a role's session."""

import re
from datetime import timedelta

from pydantic import Field

from emulator.clock import iso
from emulator.credentials import AccessKey
from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters, Product
from emulator.services.ram.documents import check_policy
from emulator.services.ram.state import Role
from emulator.services.sts.state import StsState

sts = Product("sts", "2015-04-01", "RPC")


class AssumeRole(Parameters):
    role_arn: str = Field(alias="RoleArn")
    session_name: str = Field(alias="RoleSessionName")
    duration_s: int = Field(3600, alias="DurationSeconds")
    policy: str | None = Field(None, alias="Policy")
    external_id: str | None = Field(None, alias="ExternalId", min_length=2, max_length=1224, pattern=r"^[\w+=,.@:/-]*$")


@sts.operation("GetCallerIdentity")
def get_caller_identity(_state: StsState, call: Call) -> Answer:
    """A role's session has a `RoleId`, a RAM user a `UserId`."""
    caller = call.caller
    of_role = {"RoleId": caller.role_id} if caller.role_id else {"UserId": caller.principal_id}
    return {
        "IdentityType": "AssumedRoleUser" if caller.role_id else "RAMUser",
        "AccountId": call.account_id,
        "PrincipalId": caller.principal_id,
        "Arn": caller.arn,
        **of_role,
    }


@sts.operation("AssumeRole")
def assume_role(state: StsState, call: Call, query: AssumeRole) -> Answer:
    """The session's permissions are not narrowed by `Policy`, which is only checked: the emulator enforces none."""
    if not re.fullmatch(r"[a-zA-Z0-9.@_-]{2,64}", query.session_name):
        message = "The parameter RoleSessionName is wrongly formed: it has 2 to 64 characters of a-zA-Z0-9.@-_."
        raise ApiError("InvalidParameter.RoleSessionName", message)
    if query.policy:
        check_policy(query.policy)
    role = _role(state, call, query.role_arn)
    if not 900 <= query.duration_s <= role.max_session_s:
        message = f"DurationSeconds must be 900 to {role.max_session_s} for this role, not {query.duration_s}."
        raise ApiError("InvalidParameter.DurationSeconds", message)
    if not role.trust.trusts(_identity(call.caller), call.account_id):
        message = f"You are not authorized to perform sts:AssumeRole: {role.name} does not trust {call.caller.arn}."
        raise ApiError("NoPermission", message, 403)
    key = state.open_session(role, query.session_name, timedelta(seconds=query.duration_s), call.account_id, call.now)
    assert key.expires is not None  # noqa: S101 - narrows the type
    return {
        "AssumedRoleUser": {"Arn": key.arn, "AssumedRoleId": key.principal_id},
        "Credentials": {
            "AccessKeyId": key.id,
            "AccessKeySecret": key.secret,
            "SecurityToken": key.security_token,
            "Expiration": iso(key.expires),
        },
    }


def _role(state: StsState, call: Call, arn: str) -> Role:
    found = re.fullmatch(r"acs:ram::(\d+):role/(.+)", arn)
    if not found:
        message = f"The parameter RoleArn is wrongly formed: {arn!r} is not acs:ram::ACCOUNT:role/NAME."
        raise ApiError("InvalidParameter.RoleArn", message)
    if found[1] != call.account_id:
        raise ApiError("EntityNotExist.Role", f"The specified role does not exist: {arn}.", 404)
    return state.ram.role(found[2])


def _identity(caller: AccessKey) -> str:
    """The ARN by which a trust policy names a caller; it names a session by its role."""
    return re.sub(r":assumed-role/([^/]+)/.*", r":role/\1", caller.arn)
