"""STS, as far as it tells a caller who he is."""

from emulator.operations import Answer, Call, Product
from emulator.state import State

sts = Product("sts", "2015-04-01", "RPC")


@sts.operation("GetCallerIdentity")
def get_caller_identity(_state: State, call: Call) -> Answer:
    """Source: STS GetCallerIdentity; a role's session has a `RoleId`, a RAM user a `UserId`."""
    caller = call.caller
    of_role = {"RoleId": caller.role_id} if caller.role_id else {"UserId": caller.principal_id}
    return {
        "IdentityType": "AssumedRoleUser" if caller.role_id else "RAMUser",
        "AccountId": call.account_id,
        "PrincipalId": caller.principal_id,
        "Arn": caller.arn,
        **of_role,
    }
