"""STS, as far as it tells a caller who he is."""

from emulator.operations import Answer, Call, Product
from emulator.state import State

sts = Product("sts", "2015-04-01", "RPC")


@sts.operation("GetCallerIdentity")
def get_caller_identity(_state: State, call: Call) -> Answer:
    return {
        "IdentityType": "Account",
        "AccountId": call.account_id,
        "PrincipalId": call.account_id,
        "UserId": call.account_id,
        "Arn": f"acs:ram::{call.account_id}:root",
    }
