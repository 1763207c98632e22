"""Who may do what: ACLs, the bucket policy and the public access block.

The emulator's keys belong to the account that owns every bucket, and do whatever a bucket policy does not deny them.
Anonymous callers do what an ACL or a policy grants everybody, unless public access is blocked.
"""

import fnmatch
import json
from typing import Any

from emulator.credentials import AccessKey
from emulator.services.oss.errors import access_denied
from emulator.services.oss.index import Index
from emulator.services.oss.records import Bucket
from emulator.services.oss.request import OssRequest

PRIVATE, PUBLIC_READ, PUBLIC_READ_WRITE, DEFAULT = "private", "public-read", "public-read-write", "default"
BUCKET_ACLS = (PRIVATE, PUBLIC_READ, PUBLIC_READ_WRITE)
OBJECT_ACLS = (*BUCKET_ACLS, DEFAULT)

_READS = frozenset({"GetObject", "GetObjectVersion", "ListObjects", "ListObjectVersions"})
_WRITES = frozenset({"PutObject", "DeleteObject", "AbortMultipartUpload", "ListParts"})
# Who denied himself everything must still be able to take that back.
_NEVER_DENIED = frozenset({"PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy"})

Statement = dict[str, Any]


def authorise(index: Index, action: str, request: OssRequest, bucket: Bucket, key: str) -> None:
    """AccessDenied unless the caller of `request` may do `action` on `bucket`, or on the object `key` in it."""
    caller = request.caller
    if caller is not None and not bucket.policy:
        return
    effects = _policy_effects(bucket, action, key, caller)
    if "Deny" in effects and not (caller and action in _NEVER_DENIED):
        raise access_denied("You have no right to access this object because of bucket policy.")
    if caller is not None:
        return
    if bucket.public_access_blocked:
        raise access_denied("You have no right to access this object because public access is blocked.")
    if "Allow" not in effects and not _acl_grants(index, bucket, key, action):
        raise access_denied("You have no right to access this object because of bucket acl.")


def is_public(policy: str) -> bool:
    """Whether a policy grants everybody something."""
    return any(
        statement["Effect"] == "Allow" and not statement.get("Condition") and _is_for(statement, None)
        for statement in json.loads(policy)["Statement"]
    )


def _acl_grants(index: Index, bucket: Bucket, key: str, action: str) -> bool:
    acl = bucket.acl
    if key and (version := index.latest(bucket.name, key)) and version.acl != DEFAULT:
        acl = version.acl
    if acl == PUBLIC_READ_WRITE:
        return action in _READS or action in _WRITES
    return acl == PUBLIC_READ and action in _READS


def _policy_effects(bucket: Bucket, action: str, key: str, caller: AccessKey | None) -> set[str]:
    """The effects of the statements that apply; one with conditions never does."""
    if not bucket.policy:
        return set()
    resource = f"{bucket.name}/{key}" if key else bucket.name
    return {
        statement["Effect"]
        for statement in json.loads(bucket.policy)["Statement"]
        if _covers(statement, "Action", f"oss:{action}")
        and _covers(statement, "Resource", resource)
        and _is_for(statement, caller)
        and not statement.get("Condition")
    }


def _covers(statement: Statement, member: str, value: str) -> bool:
    if (excepted := statement.get(f"Not{member}")) is not None:
        return not _matches(excepted, value)
    return _matches(statement.get(member, []), value)


def _matches(patterns: str | list[str], value: str) -> bool:
    # A resource is acs:oss:REGION:ACCOUNT:BUCKET/KEY.
    names = [pattern.split(":", 4)[-1] if pattern.startswith("acs:oss:") else pattern for pattern in _listed(patterns)]
    return any(name == "*" or fnmatch.fnmatchcase(value, _literal_brackets(name)) for name in names)


def _literal_brackets(pattern: str) -> str:
    return pattern.replace("[", "[[]")


def _is_for(statement: Statement, caller: AccessKey | None) -> bool:
    """Whether a principal is everybody, or the caller by account, by id or by name."""
    principals = statement.get("Principal", ["*"])
    if isinstance(principals, dict):
        principals = [each for group in principals.values() for each in _listed(group)]
    if caller is None:
        return "*" in principals
    names = ("*", caller.arn.split(":")[3], caller.principal_id)
    return any(each in names or fnmatch.fnmatchcase(caller.arn, each) for each in _listed(principals))


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
