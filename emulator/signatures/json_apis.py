"""RPC, ROA and ACS3 signatures."""

from emulator.credentials import ACCESS_KEY_ID, AccessKey, AccessKeys
from emulator.errors import ApiError
from emulator.wire import ReceivedCall


def authenticate(call: ReceivedCall, keys: AccessKeys) -> AccessKey:
    """The key that signed `call`."""
    key = keys.find(ACCESS_KEY_ID)
    if key is None:
        raise ApiError("InvalidAccessKeyId.NotFound", f"Specified access key is not found: {call.action}", 404)
    return key
