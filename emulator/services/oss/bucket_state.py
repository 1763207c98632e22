"""The sub-resources of buckets that change what other operations do: versioning, encryption, policy and the like."""

import json
from typing import Any

from emulator.errors import ApiError
from emulator.services.oss import encryption, xml
from emulator.services.oss.access import is_public
from emulator.services.oss.errors import access_denied
from emulator.services.oss.operations import operation
from emulator.services.oss.records import Encryption
from emulator.services.oss.reply import Reply, document
from emulator.services.oss.request import OssRequest
from emulator.services.oss.service import Oss


@operation("PutBucketVersioning", "PUT", "bucket", "versioning", body="document")
def put_bucket_versioning(oss: Oss, request: OssRequest) -> Reply:
    root = xml.read(request.document, "VersioningConfiguration")
    return _change(oss, request, versioning=xml.choice(root, "Status", ("Enabled", "Suspended")))


@operation("GetBucketVersioning", "GET", "bucket", "versioning")
def get_bucket_versioning(oss: Oss, request: OssRequest) -> Reply:
    status = oss.index.bucket(request.bucket).versioning
    return document("VersioningConfiguration", [("Status", status or None)])


@operation("PutBucketEncryption", "PUT", "bucket", "encryption", body="document")
def put_bucket_encryption(oss: Oss, request: OssRequest) -> Reply:
    root = xml.read(request.document, "ServerSideEncryptionRule")
    default = "ApplyServerSideEncryptionByDefault"
    rule = Encryption(
        algorithm=xml.required(root, f"{default}/SSEAlgorithm"),
        kms_key_id=xml.text(root, f"{default}/KMSMasterKeyID"),
        kms_data_encryption=xml.text(root, f"{default}/KMSDataEncryption"),
    )
    return _change(oss, request, encryption=encryption.checked(rule))


@operation("GetBucketEncryption", "GET", "bucket", "encryption")
def get_bucket_encryption(oss: Oss, request: OssRequest) -> Reply:
    rule = oss.index.bucket(request.bucket).encryption
    if rule is None:
        message = "The server side encryption configuration was not found."
        details = {"BucketName": request.bucket}
        raise ApiError("NoSuchServerSideEncryptionRule", message, 404, details=details)
    members = [
        ("SSEAlgorithm", rule.algorithm),
        ("KMSMasterKeyID", rule.kms_key_id or None),
        ("KMSDataEncryption", rule.kms_data_encryption or None),
    ]
    return document("ServerSideEncryptionRule", [("ApplyServerSideEncryptionByDefault", members)])


@operation("DeleteBucketEncryption", "DELETE", "bucket", "encryption")
def delete_bucket_encryption(oss: Oss, request: OssRequest) -> Reply:
    _change(oss, request, encryption=None)
    return Reply(204)


@operation("PutBucketPublicAccessBlock", "PUT", "bucket", "publicAccessBlock", body="document")
def put_bucket_public_access_block(oss: Oss, request: OssRequest) -> Reply:
    root = xml.read(request.document, "PublicAccessBlockConfiguration")
    blocked = xml.choice(root, "BlockPublicAccess", ("true", "false")) == "true"
    return _change(oss, request, public_access_blocked=blocked)


@operation("GetBucketPublicAccessBlock", "GET", "bucket", "publicAccessBlock")
def get_bucket_public_access_block(oss: Oss, request: OssRequest) -> Reply:
    blocked = oss.index.bucket(request.bucket).public_access_blocked
    return document("PublicAccessBlockConfiguration", [("BlockPublicAccess", blocked)])


@operation("DeleteBucketPublicAccessBlock", "DELETE", "bucket", "publicAccessBlock")
def delete_bucket_public_access_block(oss: Oss, request: OssRequest) -> Reply:
    _change(oss, request, public_access_blocked=False)
    return Reply(204)


@operation("PutBucketPolicy", "PUT", "bucket", "policy", body="document")
def put_bucket_policy(oss: Oss, request: OssRequest) -> Reply:
    policy = _checked_policy(request.document)
    if oss.index.bucket(request.bucket).public_access_blocked and is_public(policy):
        raise access_denied("Put public bucket policy is not allowed.")
    return _change(oss, request, policy=policy)


@operation("GetBucketPolicy", "GET", "bucket", "policy")
def get_bucket_policy(oss: Oss, request: OssRequest) -> Reply:
    policy = oss.index.bucket(request.bucket).policy
    if not policy:
        details = {"BucketName": request.bucket}
        raise ApiError("NoSuchBucketPolicy", "The bucket policy does not exist.", 404, details=details)
    return Reply(200, {"content-type": "application/json"}, policy.encode())


@operation("DeleteBucketPolicy", "DELETE", "bucket", "policy")
def delete_bucket_policy(oss: Oss, request: OssRequest) -> Reply:
    _change(oss, request, policy="")
    return Reply(204)


@operation("GetBucketPolicyStatus", "GET", "bucket", "policyStatus")
def get_bucket_policy_status(oss: Oss, request: OssRequest) -> Reply:
    policy = oss.index.bucket(request.bucket).policy
    return document("PolicyStatus", [("IsPublic", bool(policy) and is_public(policy))])


@operation("PutBucketTransferAcceleration", "PUT", "bucket", "transferAcceleration", body="document")
def put_bucket_transfer_acceleration(oss: Oss, request: OssRequest) -> Reply:
    root = xml.read(request.document, "TransferAccelerationConfiguration")
    return _change(oss, request, transfer_acceleration=xml.choice(root, "Enabled", ("true", "false")) == "true")


@operation("GetBucketTransferAcceleration", "GET", "bucket", "transferAcceleration")
def get_bucket_transfer_acceleration(oss: Oss, request: OssRequest) -> Reply:
    enabled = oss.index.bucket(request.bucket).transfer_acceleration
    if enabled is None:
        message = "The transfer acceleration configuration does not exist."
        details = {"BucketName": request.bucket}
        raise ApiError("NoSuchTransferAccelerationConfiguration", message, 404, details=details)
    return document("TransferAccelerationConfiguration", [("Enabled", enabled)])


@operation("PutBucketAccessMonitor", "PUT", "bucket", "accessmonitor", body="document")
def put_bucket_access_monitor(oss: Oss, request: OssRequest) -> Reply:
    root = xml.read(request.document, "AccessMonitorConfiguration")
    return _change(oss, request, access_monitor=xml.choice(root, "Status", ("Enabled", "Disabled")))


@operation("GetBucketAccessMonitor", "GET", "bucket", "accessmonitor")
def get_bucket_access_monitor(oss: Oss, request: OssRequest) -> Reply:
    return document("AccessMonitorConfiguration", [("Status", oss.index.bucket(request.bucket).access_monitor)])


@operation("PutBucketResourceGroup", "PUT", "bucket", "resourceGroup", body="document")
def put_bucket_resource_group(oss: Oss, request: OssRequest) -> Reply:
    root = xml.read(request.document, "BucketResourceGroupConfiguration")
    return _change(oss, request, resource_group=xml.text(root, "ResourceGroupId") or oss.default_resource_group)


@operation("GetBucketResourceGroup", "GET", "bucket", "resourceGroup")
def get_bucket_resource_group(oss: Oss, request: OssRequest) -> Reply:
    group = oss.index.bucket(request.bucket).resource_group
    return document("BucketResourceGroupConfiguration", [("ResourceGroupId", group)])


def _change(oss: Oss, request: OssRequest, **changes: Any) -> Reply:
    oss.index.put_bucket(oss.index.bucket(request.bucket).model_copy(update=changes))
    return Reply(200)


def _checked_policy(body: bytes) -> str:
    """InvalidPolicyDocument unless the document is a bucket policy."""
    try:
        policy = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _invalid_policy(f"it is not JSON: {error}") from None
    if not isinstance(policy, dict) or policy.get("Version") != "1":
        raise _invalid_policy('"Version" must be "1"')
    if not isinstance(policy.get("Statement"), list):
        raise _invalid_policy('"Statement" must be a list')
    for number, statement in enumerate(policy["Statement"]):
        _check_statement(statement, f"Statement[{number}]")
    return body.decode()


def _check_statement(statement: object, where: str) -> None:
    if not isinstance(statement, dict):
        raise _invalid_policy(f"{where} is not an object")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise _invalid_policy(f'"Effect" of {where} must be Allow or Deny')
    for member in ("Action", "Resource"):
        if not _are_texts(statement.get(member, statement.get(f"Not{member}"))):
            raise _invalid_policy(f'"{member}" of {where} must be a text or a list of texts')
    principals = statement.get("Principal", "*")
    groups = list(principals.values()) if isinstance(principals, dict) else [principals]
    if not groups or not all(_are_texts(group) for group in groups):
        raise _invalid_policy(f'"Principal" of {where} must be a text or a list of texts')


def _are_texts(value: object) -> bool:
    listed = value if isinstance(value, list) else [value]
    return bool(listed) and all(isinstance(each, str) for each in listed)


def _invalid_policy(why: str) -> ApiError:
    return ApiError("InvalidPolicyDocument", f"The policy document is not valid: {why}.")
