"""What STS works on."""

from datetime import datetime, timedelta

from emulator.credentials import AccessKey, AccessKeys
from emulator.services.ram.state import RamState, Role


class StsState:
    """STS remembers nothing but the keys that it gave out; the roles are RAM's."""

    def __init__(self, ram: RamState, keys: AccessKeys) -> None:
        self.ram, self._keys = ram, keys

    def open_session(self, role: Role, name: str, lasts: timedelta, account_id: str, now: datetime) -> AccessKey:
        """A temporary key with which its holder acts as `role`."""
        arn = f"acs:ram::{account_id}:assumed-role/{role.name.lower()}/{name}"
        return self._keys.issue(arn, f"{role.id}:{name}", role.id, now, lasts)
