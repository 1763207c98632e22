"""What RAM remembers."""

import re

from pydantic import BaseModel

from emulator.errors import ApiError
from emulator.services.ram.documents import TrustPolicy
from emulator.services.ram.system_policies import SYSTEM_POLICIES
from emulator.store import Store

MAX_VERSIONS = 5


class Role(BaseModel):
    """`created` and `updated` are written as the API does; `policies` maps type and name to the attachment's date."""

    name: str
    id: str
    trust_policy: str
    description: str
    max_session_s: int
    created: str
    updated: str
    tags: dict[str, str] = {}
    policies: dict[str, str] = {}

    def arn(self, account_id: str) -> str:
        return f"acs:ram::{account_id}:role/{self.name.lower()}"

    @property
    def trust(self) -> TrustPolicy:
        return TrustPolicy.model_validate_json(self.trust_policy)


class PolicyVersion(BaseModel):
    id: str
    document: str
    created: str


class Policy(BaseModel):
    """A custom or system policy; the oldest version is the first."""

    name: str
    type: str
    description: str
    created: str
    updated: str
    default_version: str
    versions: list[PolicyVersion]
    last_version: int = 1
    tags: dict[str, str] = {}

    @property
    def key(self) -> str:
        return f"{self.type}:{self.name}"

    def version(self, version_id: str) -> PolicyVersion:
        """ApiError when there is no such version, or no longer."""
        for version in self.versions:
            if version.id == version_id:
                return version
        raise ApiError("EntityNotExist.Policy.Version", f"The policy version does not exist: {version_id}.", 404)


class RamState:
    def __init__(self, store: Store) -> None:
        self.roles = store.collection("ram.roles", Role)
        self.custom_policies = store.collection("ram.policies", Policy)
        self._ids = store.settings("ram")

    def new_role_id(self) -> str:
        return str(self._ids.next_number("role_id", first=300_000_000_000_000_001))

    def role(self, name: str) -> Role:
        """The role of that name in any case: no two differ by it alone, since ARNs are in lower case."""
        if role := self.roles.get(name.lower()):
            return role
        raise ApiError("EntityNotExist.Role", f"The role does not exist: {name}.", 404)

    def put_role(self, role: Role) -> None:
        self.roles.put(role.name.lower(), role)

    def policy(self, name: str, kind: str = "Custom") -> Policy:
        if kind == "Custom" and (policy := self.custom_policies.get(name)):
            return policy
        if kind == "System" and (document := SYSTEM_POLICIES.get(name)):
            return _system_policy(name, document)
        raise ApiError("EntityNotExist.Policy", f"The {kind.lower()} policy does not exist: {name}.", 404)

    def put_policy(self, policy: Policy) -> None:
        self.custom_policies.put(policy.name, policy)

    def roles_with(self, policy: Policy) -> list[Role]:
        return [role for role in self.roles.values() if policy.key in role.policies]


def _system_policy(name: str, document: str) -> Policy:
    born = "2015-05-01T00:00:00Z"
    version = PolicyVersion(id="v1", document=document, created=born)
    return Policy(
        name=name, type="System", description="", created=born, updated=born, default_version="v1", versions=[version]
    )


def check_name(name: str, parameter: str, pattern: str, length: int) -> None:
    """ApiError in RAM's words when `name` is too long or has other characters than `pattern` allows."""
    if not 1 <= len(name) <= length:
        message = f"{parameter} must have 1 to {length} characters, not {len(name)}."
        raise ApiError(f"InvalidParameter.{parameter}.Length", message)
    if not re.fullmatch(pattern, name):
        message = f"{parameter} {name!r} contains invalid characters; it must match {pattern}."
        raise ApiError(f"InvalidParameter.{parameter}.InvalidChars", message)


def check_description(description: str, parameter: str) -> None:
    if len(description) > 1024:
        raise ApiError(f"InvalidParameter.{parameter}.Length", f"{parameter} must have at most 1024 characters.")
