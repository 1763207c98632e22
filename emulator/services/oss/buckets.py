"""Buckets: create, delete, list, and what they say of themselves."""

from emulator.errors import ApiError
from emulator.services.oss import xml
from emulator.services.oss.access import BUCKET_ACLS, PUBLIC_READ, PUBLIC_READ_WRITE
from emulator.services.oss.attributes import STORAGE_CLASSES, parsed_tags
from emulator.services.oss.encryption import from_headers
from emulator.services.oss.errors import access_denied, invalid_argument
from emulator.services.oss.operations import operation
from emulator.services.oss.records import DELETE_MARKER, Bucket
from emulator.services.oss.reply import Reply, document
from emulator.services.oss.request import OssRequest, check_bucket_name, timestamp
from emulator.services.oss.service import Oss

REDUNDANCIES = ("LRS", "ZRS")
MAX_BUCKETS = 100


@operation("PutBucket", "PUT", "bucket", body="document")
def put_bucket(oss: Oss, request: OssRequest) -> Reply:
    check_bucket_name(request.bucket)
    storage_class, redundancy = _configuration(request.document)
    acl = request.headers.get("x-oss-acl") or ""
    check_acl(acl or "private")
    existing = oss.index.find_bucket(request.bucket)
    if existing is not None:
        _check_same(existing, request, storage_class, redundancy)
        bucket = existing.model_copy(update={"acl": acl} if acl else {})
    else:
        if len(oss.index.buckets()) >= MAX_BUCKETS:
            message = f"You have attempted to create more buckets than allowed ({MAX_BUCKETS})."
            raise ApiError("TooManyBuckets", message)
        bucket = Bucket(
            name=request.bucket,
            region=request.region or oss.region,
            created=int(request.now.timestamp()),
            acl=acl or "private",
            storage_class=storage_class or "Standard",
            redundancy=redundancy or "LRS",
            encryption=from_headers(request.headers),
            resource_group=request.headers.get("x-oss-resource-group-id", oss.default_resource_group),
        )
    oss.index.put_bucket(bucket)
    if tags := parsed_tags(request.headers.get("x-oss-bucket-tagging", "")):
        pairs = [("Tag", [("Key", key), ("Value", value)]) for key, value in tags.items()]
        oss.index.put_setting(bucket.name, "tagging", xml.write("Tagging", [("TagSet", pairs)]))
    return Reply(200, {"location": f"/{bucket.name}"})


def _configuration(body: bytes) -> tuple[str, str]:
    """Storage class and redundancy of a CreateBucketConfiguration; empty where it says nothing."""
    if not body:
        return "", ""
    root = xml.read(body, "CreateBucketConfiguration")
    storage_class, redundancy = xml.text(root, "StorageClass"), xml.text(root, "DataRedundancyType")
    if storage_class and storage_class not in STORAGE_CLASSES:
        raise invalid_argument("StorageClass", storage_class, f"There are {', '.join(STORAGE_CLASSES)}.")
    if redundancy and redundancy not in REDUNDANCIES:
        raise invalid_argument("DataRedundancyType", redundancy, f"There are {', '.join(REDUNDANCIES)}.")
    return storage_class, redundancy


def _check_same(existing: Bucket, request: OssRequest, storage_class: str, redundancy: str) -> None:
    """BucketAlreadyExists when a bucket is created again with what cannot be changed."""
    for wanted, found in (
        (storage_class, existing.storage_class),
        (redundancy, existing.redundancy),
        (request.region, existing.region),
    ):
        if wanted and wanted != found:
            message = f"The bucket exists already, with {found} and not {wanted}, which cannot be changed."
            raise ApiError("BucketAlreadyExists", message, 409, details={"BucketName": existing.name})


def check_acl(acl: str) -> None:
    if acl not in BUCKET_ACLS:
        raise invalid_argument("x-oss-acl", acl, f"The ACL must be one of {', '.join(BUCKET_ACLS)}.")


@operation("DeleteBucket", "DELETE", "bucket")
def delete_bucket(oss: Oss, request: OssRequest) -> Reply:
    if not oss.index.is_empty(request.bucket):
        message = "The bucket you tried to delete is not empty."
        raise ApiError("BucketNotEmpty", message, 409, details={"BucketName": request.bucket})
    oss.index.delete_bucket(request.bucket)
    return Reply(204)


@operation("ListBuckets", "GET", "service")
def list_buckets(oss: Oss, request: OssRequest) -> Reply:
    prefix, marker = request.query.get("prefix", ""), request.query.get("marker", "")
    limit = request.number("max-keys", 100, 1, 1000)
    group = request.headers.get("x-oss-resource-group-id")
    found = [
        bucket
        for bucket in oss.index.buckets()
        if bucket.name.startswith(prefix) and bucket.name > marker and group in (None, bucket.resource_group)
    ]
    shown, truncated = found[:limit], len(found) > limit
    return document(
        "ListAllMyBucketsResult",
        [
            ("Prefix", prefix),
            ("Marker", marker),
            ("MaxKeys", limit),
            ("IsTruncated", truncated),
            ("NextMarker", shown[-1].name if truncated else None),
            ("Owner", oss.owner),
            ("Buckets", [("Bucket", _listed(bucket)) for bucket in shown]),
        ],
    )


def _listed(bucket: Bucket) -> xml.Value:
    return [
        ("CreationDate", timestamp(bucket.created)),
        ("ExtranetEndpoint", f"{bucket.location}.aliyuncs.com"),
        ("IntranetEndpoint", f"{bucket.location}-internal.aliyuncs.com"),
        ("Location", bucket.location),
        ("Name", bucket.name),
        ("Region", bucket.region),
        ("ResourceGroupId", bucket.resource_group),
        ("StorageClass", bucket.storage_class),
    ]


@operation("GetBucketInfo", "GET", "bucket", "bucketInfo")
def get_bucket_info(oss: Oss, request: OssRequest) -> Reply:
    bucket = oss.index.bucket(request.bucket)
    members: list[tuple[str, xml.Value]] = [
        ("AccessMonitor", bucket.access_monitor),
        ("CreationDate", timestamp(bucket.created)),
        ("ExtranetEndpoint", f"{bucket.location}.aliyuncs.com"),
        ("IntranetEndpoint", f"{bucket.location}-internal.aliyuncs.com"),
        ("Location", bucket.location),
        ("StorageClass", bucket.storage_class),
        ("TransferAcceleration", "Enabled" if bucket.transfer_acceleration else "Disabled"),
        ("CrossRegionReplication", "Disabled"),
        ("DataRedundancyType", bucket.redundancy),
        ("Name", bucket.name),
        ("ResourceGroupId", bucket.resource_group),
        ("BlockPublicAccess", bucket.public_access_blocked),
        ("Versioning", bucket.versioning or None),
        ("Owner", oss.owner),
        ("AccessControlList", [("Grant", bucket.acl)]),
        ("ServerSideEncryptionRule", _encryption_info(bucket)),
    ]
    return document("BucketInfo", [("Bucket", members)])


def _encryption_info(bucket: Bucket) -> xml.Value:
    rule = bucket.encryption
    if rule is None:
        return [("SSEAlgorithm", "None")]
    return [
        ("SSEAlgorithm", rule.algorithm),
        ("KMSMasterKeyID", rule.kms_key_id or None),
        ("KMSDataEncryption", rule.kms_data_encryption or None),
    ]


@operation("GetBucketLocation", "GET", "bucket", "location")
def get_bucket_location(oss: Oss, request: OssRequest) -> Reply:
    return document("LocationConstraint", oss.index.bucket(request.bucket).location)


@operation("GetBucketStat", "GET", "bucket", "stat")
def get_bucket_stat(oss: Oss, request: OssRequest) -> Reply:
    usage = {name: (size, count) for name, size, count in oss.index.usage(request.bucket)}
    markers = usage.pop(DELETE_MARKER, (0, 0))[1]
    uploads, parts = oss.index.unfinished(request.bucket)
    members: list[tuple[str, xml.Value]] = [
        ("Storage", sum(size for size, _ in usage.values())),
        ("ObjectCount", sum(count for _, count in usage.values())),
        ("MultipartUploadCount", uploads),
        ("LiveChannelCount", 0),
        ("LastModifiedTime", int(request.now.timestamp())),
        ("MultipartPartCount", parts),
        ("DeleteMarkerCount", markers),
    ]
    for name, prefix in (("Standard", "Standard"), ("IA", "InfrequentAccess"), ("Archive", "Archive"),
                         ("ColdArchive", "ColdArchive"), ("DeepColdArchive", "DeepColdArchive")):  # fmt: skip
        size, count = usage.get(name, (0, 0))
        members += [(f"{prefix}Storage", size), (f"{prefix}ObjectCount", count)]
        if name != "Standard":
            members.append((f"{prefix}RealStorage", size))
    return document("BucketStat", members)


@operation("PutBucketAcl", "PUT", "bucket", "acl")
def put_bucket_acl(oss: Oss, request: OssRequest) -> Reply:
    bucket = oss.index.bucket(request.bucket)
    acl = request.headers.get("x-oss-acl", "")
    check_acl(acl)
    if bucket.public_access_blocked and acl in (PUBLIC_READ, PUBLIC_READ_WRITE):
        raise access_denied("Put public bucket acl is not allowed.")
    oss.index.put_bucket(bucket.model_copy(update={"acl": acl}))
    return Reply(200)


@operation("GetBucketAcl", "GET", "bucket", "acl")
def get_bucket_acl(oss: Oss, request: OssRequest) -> Reply:
    bucket = oss.index.bucket(request.bucket)
    return document("AccessControlPolicy", [("Owner", oss.owner), ("AccessControlList", [("Grant", bucket.acl)])])


@operation("DescribeRegions", "GET", "service", "regions")
def describe_regions(oss: Oss, request: OssRequest) -> Reply:
    region = request.query.get("regions") or f"oss-{oss.region}"
    info = [
        ("Region", region),
        ("InternetEndpoint", f"{region}.aliyuncs.com"),
        ("InternalEndpoint", f"{region}-internal.aliyuncs.com"),
        ("AccelerateEndpoint", "oss-accelerate.aliyuncs.com"),
    ]
    return document("RegionInfoList", [("RegionInfo", info)])
