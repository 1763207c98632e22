"""The sub-resources of buckets that are a document: put, given back as it was put, deleted.

They are checked and kept; only lifecycle and CORS rules change what the emulator does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from emulator.errors import ApiError
from emulator.services.oss import xml
from emulator.services.oss.attributes import check_tags
from emulator.services.oss.lifecycle import check_lifecycle
from emulator.services.oss.operations import operation
from emulator.services.oss.reply import Reply, document
from emulator.services.oss.request import OssRequest, natural
from emulator.services.oss.service import Oss

BOOLEANS = ("true", "false")
CORS_METHODS = ("GET", "PUT", "DELETE", "POST", "HEAD")
MAX_BUCKET_TAGS = 20


@dataclass(frozen=True)
class Refused:
    """The answer to a get of what was never put."""

    code: str
    message: str


@dataclass(frozen=True)
class Setting:
    """`absent` is the answer before the document was put: a refusal, or the members of the default document."""

    selector: str
    root: str
    check: Callable[[Oss, Element], None]
    absent: Refused | xml.Value

    def put(self, oss: Oss, request: OssRequest) -> Reply:
        element = xml.read(request.document, self.root)
        self.check(oss, element)
        oss.index.put_setting(request.bucket, self.selector, xml.canonical(element))
        return Reply(200)

    def get(self, oss: Oss, request: OssRequest) -> Reply:
        stored = oss.index.setting(request.bucket, self.selector)
        if stored is not None:
            return Reply(200, {"content-type": "application/xml"}, stored)
        if isinstance(self.absent, Refused):
            details = {"BucketName": request.bucket}
            raise ApiError(self.absent.code, self.absent.message, 404, details=details)
        return document(self.root, self.absent)

    def delete(self, oss: Oss, request: OssRequest) -> Reply:
        oss.index.delete_setting(request.bucket, self.selector)
        return Reply(204)


def _check_cors(_oss: Oss, root: Element) -> None:
    rules = root.findall("CORSRule")
    if not 1 <= len(rules) <= 20:
        raise xml.malformed(f"there must be 1 to 20 CORSRule, found {len(rules)}")
    for rule in rules:
        xml.required(rule, "AllowedOrigin")
        methods = [(method.text or "").strip() for method in rule.findall("AllowedMethod")]
        if not methods or not set(methods) <= set(CORS_METHODS):
            raise xml.malformed(f"AllowedMethod must be some of {', '.join(CORS_METHODS)}, found {methods}")
        if (age := xml.text(rule, "MaxAgeSeconds")) and natural(age) is None:
            raise xml.malformed(f"MaxAgeSeconds is {age}, not a number")


def _check_website(_oss: Oss, root: Element) -> None:
    if root.find("IndexDocument") is not None:
        xml.required(root, "IndexDocument/Suffix")
    if root.find("ErrorDocument") is not None:
        xml.required(root, "ErrorDocument/Key")
    if not len(root):
        raise xml.malformed("WebsiteConfiguration is empty")


def _check_logging(oss: Oss, root: Element) -> None:
    enabled = root.find("LoggingEnabled")
    if enabled is None:
        return
    target = xml.required(enabled, "TargetBucket")
    if oss.index.find_bucket(target) is None:
        message = "The target bucket for logging does not exist."
        raise ApiError("InvalidTargetBucketForLogging", message, details={"TargetBucket": target})


def _check_referer(_oss: Oss, root: Element) -> None:
    xml.choice(root, "AllowEmptyReferer", BOOLEANS)


def _check_tagging(_oss: Oss, root: Element) -> None:
    tags = root.findall("TagSet/Tag")
    check_tags([(xml.required(tag, "Key"), xml.text(tag, "Value")) for tag in tags], MAX_BUCKET_TAGS)


def _check_https(_oss: Oss, root: Element) -> None:
    enabled = xml.choice(root, "TLS/Enable", BOOLEANS)
    versions = [(version.text or "").strip() for version in root.findall("TLS/TLSVersion")]
    known = {"TLSv1.0", "TLSv1.1", "TLSv1.2", "TLSv1.3"}
    if not set(versions) <= known or (enabled == "true" and not versions):
        raise xml.malformed(f"TLSVersion must be some of {', '.join(sorted(known))}, found {versions}")


def _check_payment(_oss: Oss, root: Element) -> None:
    xml.choice(root, "Payer", ("BucketOwner", "Requester"))


def _check_direct_read(_oss: Oss, root: Element) -> None:
    xml.choice(root, "Enabled", BOOLEANS)


def _check_log_fields(_oss: Oss, root: Element) -> None:
    if root.find("HeaderSet") is None and root.find("ParamSet") is None:
        raise xml.malformed("there is neither a HeaderSet nor a ParamSet")


LIFECYCLE = Setting(
    "lifecycle",
    "LifecycleConfiguration",
    lambda _oss, root: check_lifecycle(root),
    Refused("NoSuchLifecycle", "No Row found in Lifecycle Table."),
)
CORS = Setting(
    "cors",
    "CORSConfiguration",
    _check_cors,
    Refused("NoSuchCORSConfiguration", "The CORS Configuration does not exist."),
)
WEBSITE = Setting(
    "website",
    "WebsiteConfiguration",
    _check_website,
    Refused("NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration."),
)
LOGGING = Setting("logging", "BucketLoggingStatus", _check_logging, ())
REFERER = Setting(
    "referer", "RefererConfiguration", _check_referer, (("AllowEmptyReferer", "true"), ("RefererList", ()))
)
TAGGING = Setting("tagging", "Tagging", _check_tagging, (("TagSet", ()),))
HTTPS = Setting("httpsConfig", "HttpsConfiguration", _check_https, (("TLS", (("Enable", "false"),)),))
PAYMENT = Setting("requestPayment", "RequestPaymentConfiguration", _check_payment, (("Payer", "BucketOwner"),))
DIRECT_READ = Setting(
    "bucketArchiveDirectRead", "ArchiveDirectReadConfiguration", _check_direct_read, (("Enabled", "false"),)
)
LOG_FIELDS = Setting(
    "userDefinedLogFieldsConfig",
    "UserDefinedLogFieldsConfiguration",
    _check_log_fields,
    Refused("NoSuchUserDefinedLogFieldsConfig", "The specified bucket has no user-defined log fields."),
)

# Setting, and the names of the operations that put, get and delete it.
for setting, put, get, delete in (
    (LIFECYCLE, "PutBucketLifecycle", "GetBucketLifecycle", "DeleteBucketLifecycle"),
    (CORS, "PutBucketCors", "GetBucketCors", "DeleteBucketCors"),
    (WEBSITE, "PutBucketWebsite", "GetBucketWebsite", "DeleteBucketWebsite"),
    (LOGGING, "PutBucketLogging", "GetBucketLogging", "DeleteBucketLogging"),
    (REFERER, "PutBucketReferer", "GetBucketReferer", ""),
    (TAGGING, "PutBucketTags", "GetBucketTags", "DeleteBucketTags"),
    (HTTPS, "PutBucketHttpsConfig", "GetBucketHttpsConfig", ""),
    (PAYMENT, "PutBucketRequestPayment", "GetBucketRequestPayment", ""),
    (DIRECT_READ, "PutBucketArchiveDirectRead", "GetBucketArchiveDirectRead", ""),
    (LOG_FIELDS, "PutUserDefinedLogFieldsConfig", "GetUserDefinedLogFieldsConfig", "DeleteUserDefinedLogFieldsConfig"),
):
    operation(put, "PUT", "bucket", setting.selector, body="document")(setting.put)
    operation(get, "GET", "bucket", setting.selector)(setting.get)
    if delete:
        operation(delete, "DELETE", "bucket", setting.selector)(setting.delete)
