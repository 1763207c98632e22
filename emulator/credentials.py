"""Who may call: the emulator's own access key, and the temporary ones that STS gave out."""

from datetime import datetime

from pydantic import BaseModel

from emulator.store import Store

# A well-known pair, like every emulator's: whoever reaches the loopback may use it, and it opens nothing elsewhere.
ACCESS_KEY_ID = "LTAI5tPaistackEmulator00"
ACCESS_KEY_SECRET = "paistack-emulator-secret-0000000"  # noqa: S105 - not a secret


class AccessKey(BaseModel):
    """A key pair. A temporary one has a `security_token` that must be sent along, and ends at `expires`."""

    id: str
    secret: str
    arn: str
    security_token: str | None = None
    expires: datetime | None = None


class AccessKeys:
    def __init__(self, store: Store, account_id: str) -> None:
        self._temporary = store.collection("access_keys", AccessKey)
        self._root = AccessKey(id=ACCESS_KEY_ID, secret=ACCESS_KEY_SECRET, arn=f"acs:ram::{account_id}:root")

    def find(self, access_key_id: str) -> AccessKey | None:
        """None when nobody has that key; an expired one is still found, its caller is told that it is expired."""
        return self._root if access_key_id == self._root.id else self._temporary.get(access_key_id)

    def add_temporary(self, key: AccessKey) -> None:
        self._temporary.put(key.id, key)
