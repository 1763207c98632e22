"""Who may call: the emulator's own access key, and the temporary ones that STS gave out."""

import re
import secrets
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from emulator.errors import ApiError
from emulator.store import Store

# A well-known pair, like every emulator's: whoever reaches the loopback may use it, and it opens nothing elsewhere.
ACCESS_KEY_ID = "LTAI5tPaistackEmulator00"
ACCESS_KEY_SECRET = "paistack-emulator-secret-0000000"  # noqa: S105 - not a secret
USER_NAME = "paistack"
USER_ID = "200000000000000001"

_TOKEN = re.compile(r"CAIS[A-Za-z0-9_-]{43}")
# How long the key of an ended session is kept, so that its user learns why it is refused.
_KEPT = timedelta(days=1)


class AccessKey(BaseModel):
    """A key pair and whom it belongs to. A temporary one has a `security_token` to be sent along, until `expires`."""

    model_config = ConfigDict(hide_input_in_errors=True)

    id: str
    secret: str = Field(repr=False)
    arn: str
    principal_id: str
    role_id: str | None = None
    security_token: str | None = Field(None, repr=False)
    expires: datetime | None = None


class AccessKeys:
    """The permanent key belongs to a RAM user, because STS refuses `AssumeRole` to an account's root."""

    def __init__(self, store: Store, account_id: str) -> None:
        self._temporary = store.collection("access_keys", AccessKey)
        self._permanent = AccessKey(
            id=ACCESS_KEY_ID,
            secret=ACCESS_KEY_SECRET,
            arn=f"acs:ram::{account_id}:user/{USER_NAME}",
            principal_id=USER_ID,
        )

    def find(self, access_key_id: str) -> AccessKey | None:
        """None when nobody has that key; an expired one is still found, its caller is told that it is expired."""
        return self._permanent if access_key_id == self._permanent.id else self._temporary.get(access_key_id)

    def check_token(self, key: AccessKey, security_token: str, now: datetime) -> None:
        """ApiError when a temporary `key` comes without its token or too late, or a permanent one with a token."""
        if key.security_token and not security_token:
            raise ApiError("MissingSecurityToken", "SecurityToken is mandatory for this action.")
        if security_token and not _TOKEN.fullmatch(security_token):
            raise ApiError("InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed.")
        if not secrets.compare_digest(security_token, key.security_token or ""):
            message = "Specified SecurityToken mismatch with the AccessKey."
            raise ApiError("InvalidSecurityToken.MismatchWithAccessKey", message)
        if key.expires and now >= key.expires:
            raise ApiError("InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")

    def issue(self, arn: str, principal_id: str, role_id: str, now: datetime, lasts: timedelta) -> AccessKey:
        """A new temporary key for the session of a role."""
        for old in self._temporary.values():
            if old.expires and now - old.expires > _KEPT:
                self._temporary.delete(old.id)
        key = AccessKey(
            id=f"STS.NT{secrets.token_urlsafe(18).replace('-', 'a').replace('_', 'b')}",
            secret=secrets.token_urlsafe(33),
            arn=arn,
            principal_id=principal_id,
            role_id=role_id,
            security_token=f"CAIS{secrets.token_urlsafe(32)}",
            expires=now + lasts,
        )
        self._temporary.put(key.id, key)
        return key
