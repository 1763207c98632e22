"""OSS signatures, versions 1 and 4, in the `Authorization` header and in presigned URLs.

Times in requests are compared with the wall clock, which is what clients sign with.
"""

import base64
import hashlib
import hmac
import re
from calendar import timegm
from datetime import UTC, datetime
from email.utils import parsedate
from functools import lru_cache
from typing import NamedTuple, Protocol
from urllib.parse import quote

from emulator.credentials import AccessKey, AccessKeys
from emulator.errors import ApiError

MAX_SKEW_S = 15 * 60
MAX_PRESIGNED_S = 7 * 24 * 3600
V4 = "OSS4-HMAC-SHA256"
SECONDS = re.compile(r"^[0-9]{1,12}$")

# Version 1 signs, of all parameters, only those that select what is asked for.
V1_SIGNED_PARAMETERS = frozenset(
    {
        "accessPoint", "accessPointPolicy", "acl", "append", "asyncFetch", "bucketArchiveDirectRead", "bucketInfo",
        "callback", "callback-var", "cloudboxes", "cname", "comp", "continuation-token", "cors", "delete",
        "encryption", "endTime", "group", "httpsConfig", "img", "inventory", "inventoryId", "lifecycle", "link",
        "live", "location", "logging", "metaQuery", "objectInfo", "objectMeta", "partNumber", "policy",
        "policyStatus", "position", "publicAccessBlock", "qos", "qosInfo", "qosRequester", "redundancyTransition",
        "referer", "regionList", "regions", "replication", "replicationLocation", "replicationProgress",
        "requestPayment", "requesterQosInfo", "resourceGroup", "resourcePool", "resourcePoolBuckets",
        "resourcePoolInfo", "response-cache-control", "response-content-disposition", "response-content-encoding",
        "response-content-language", "response-content-type", "response-expires", "restore", "rtc",
        "security-token", "sequential", "startTime", "stat", "status", "style", "styleName", "symlink", "tagging",
        "transferAcceleration", "udf", "udfApplication", "udfApplicationLog", "udfId", "udfImage", "udfImageDesc",
        "udfName", "uploadId", "uploads", "userDefinedLogFieldsConfig", "versionId", "versioning", "versions", "vod",
        "website", "withHashContext", "worm", "wormExtend", "wormId", "x-oss-ac-forward-allow",
        "x-oss-ac-source-ip", "x-oss-ac-subnet-mask", "x-oss-ac-vpc-id", "x-oss-access-point-name",
        "x-oss-async-process", "x-oss-enable-md5", "x-oss-enable-sha1", "x-oss-enable-sha256", "x-oss-hash-ctx",
        "x-oss-md5-ctx", "x-oss-process", "x-oss-redundancy-transition-taskid", "x-oss-request-payer",
        "x-oss-target-redundancy-type", "x-oss-traffic-limit", "x-oss-write-get-object-response",
    }
)  # fmt: skip


class SignedRequest(Protocol):
    """`query` is decoded; header names are in lower case, their values one character a byte.

    `region` is that of the endpoint which is asked, or empty where it has none.
    """

    @property
    def method(self) -> str: ...
    @property
    def region(self) -> str: ...
    @property
    def bucket(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def query(self) -> dict[str, str]: ...
    @property
    def headers(self) -> dict[str, str]: ...


class Times(NamedTuple):
    """`wall` is the time by which clients sign, in seconds since the epoch; `emulated` that at which keys expire."""

    wall: float
    emulated: datetime


def authenticate(request: SignedRequest, keys: AccessKeys, now: Times) -> AccessKey | None:
    """The key that signed `request`; None when it is not signed at all.

    ApiError, in OSS's words, for an unknown key, a wrong signature, a time too far off, or an expired URL or token.
    """
    authorization = request.headers.get("authorization")
    if authorization is not None:
        if authorization.startswith("OSS "):
            return _v1_header(request, authorization, keys, now)
        if authorization.startswith(V4):
            return _v4_header(request, authorization, keys, now)
        raise _invalid("Authorization", authorization.partition(" ")[0], f"is not a scheme; there are OSS and {V4}")
    if "x-oss-signature-version" in request.query:
        return _v4_url(request, keys, now)
    if "Signature" in request.query or "OSSAccessKeyId" in request.query:
        return _v1_url(request, keys, now)
    return None


# Version 1


def _v1_header(request: SignedRequest, authorization: str, keys: AccessKeys, now: Times) -> AccessKey:
    key_id, separator, signature = authorization[4:].strip().partition(":")
    if not separator:
        raise _invalid("Authorization", "OSS", "must be followed by an access key id, a colon and a signature")
    key = _key(keys, now, key_id, request.headers.get("x-oss-security-token") or request.headers.get("security-token"))
    date = request.headers.get("x-oss-date") or request.headers.get("date", "")
    _check_skew(_v1_time(date), date, now.wall)
    _check_v1(request, key, date, signature)
    return key


@lru_cache(maxsize=64)
def _v1_time(date: str) -> int:
    """`Tue, 24 Nov 2026 02:04:05 GMT`; what a client sends within a second is read once."""
    parsed = parsedate(date)
    if parsed is None:
        raise ApiError("AccessDenied", "OSS authentication requires a valid Date.", 403)
    return timegm(parsed)


def _v1_url(request: SignedRequest, keys: AccessKeys, now: Times) -> AccessKey:
    expires, signature = request.query.get("Expires", ""), request.query.get("Signature", "")
    key_id = request.query.get("OSSAccessKeyId", "")
    if not (expires and signature and key_id):
        message = "Query-string authentication requires the Signature, Expires and OSSAccessKeyId parameters."
        raise ApiError("AccessDenied", message, 403)
    key = _key(keys, now, key_id, request.query.get("security-token"))
    if not SECONDS.match(expires):
        raise _invalid("Expires", expires, "must be a time in seconds since the epoch")
    if int(expires) < now.wall:
        raise _expired(int(expires), now.wall)
    _check_v1(request, key, expires, signature)
    return key


def _check_v1(request: SignedRequest, key: AccessKey, date: str, signature: str) -> None:
    to_sign = _v1_string(request, date)
    expected = base64.b64encode(_mac(key.secret.encode(), to_sign, "sha1")).decode()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise _does_not_match(key, signature, to_sign)


def _v1_string(request: SignedRequest, date: str) -> bytes:
    headers = request.headers
    lines = [request.method, headers.get("content-md5", ""), headers.get("content-type", ""), date]
    lines += [f"{name}:{headers[name].strip()}" for name in sorted(headers) if name.startswith("x-oss-")]
    resource = f"/{request.bucket}/{request.key}" if request.bucket else "/"
    signed = sorted((name, value) for name, value in request.query.items() if name in V1_SIGNED_PARAMETERS)
    if signed:
        resource += "?" + "&".join(f"{name}={value}" if value else name for name, value in signed)
    return "\n".join([*lines, ""]).encode("latin-1") + resource.encode()


# Version 4


def _v4_header(request: SignedRequest, authorization: str, keys: AccessKeys, now: Times) -> AccessKey:
    fields = dict(
        (name.strip(), value)
        for name, _, value in (each.partition("=") for each in authorization[len(V4) :].strip().split(","))
    )
    if "Credential" not in fields or "Signature" not in fields:
        raise _invalid("Authorization", V4, "must be followed by Credential and Signature")
    key_id, scope = _credential(fields["Credential"])
    key = _key(keys, now, key_id, request.headers.get("x-oss-security-token"))
    moment = request.headers.get("x-oss-date") or request.headers.get("date", "")
    _check_skew(_v4_time(moment, scope), moment, now.wall)
    _check_region(request, scope)
    _check_v4(request, key, scope, moment, fields["Signature"].strip(), fields.get("AdditionalHeaders", ""))
    return key


def _v4_url(request: SignedRequest, keys: AccessKeys, now: Times) -> AccessKey:
    query = request.query
    missing = [
        name for name in ("x-oss-credential", "x-oss-date", "x-oss-expires", "x-oss-signature") if not query.get(name)
    ]
    if missing or query["x-oss-signature-version"] != V4:
        wrong = ", ".join(missing) or "x-oss-signature-version"
        raise ApiError(
            "AccessDenied", f"Query-string authentication is not complete: {wrong} is missing or wrong.", 403
        )
    key_id, scope = _credential(query["x-oss-credential"])
    key = _key(keys, now, key_id, query.get("x-oss-security-token"))
    moment, lasts = query["x-oss-date"], query["x-oss-expires"]
    if not SECONDS.match(lasts) or not 1 <= int(lasts) <= MAX_PRESIGNED_S:
        raise _invalid("x-oss-expires", lasts, f"must be a number of seconds from 1 to {MAX_PRESIGNED_S}")
    signed = _v4_time(moment, scope)
    _check_region(request, scope)
    if signed > now.wall + MAX_SKEW_S:
        raise ApiError("AccessDenied", "Request is not valid yet.", 403, details={"x-oss-date": moment})
    if signed + int(lasts) < now.wall:
        raise _expired(signed + int(lasts), now.wall)
    _check_v4(request, key, scope, moment, query["x-oss-signature"], query.get("x-oss-additional-headers", ""))
    return key


def _credential(credential: str) -> tuple[str, str]:
    """The access key id and the scope: `DATE/REGION/oss/aliyun_v4_request`."""
    key_id, _, scope = credential.strip().partition("/")
    parts = scope.split("/")
    if len(parts) != 4 or parts[2] != "oss" or parts[3] != "aliyun_v4_request":
        raise _invalid("Credential", credential, "must be KEY/DATE/REGION/oss/aliyun_v4_request")
    return key_id, scope


@lru_cache(maxsize=64)
def _v4_time(moment: str, scope: str) -> int:
    """`20261124T020405Z`; the older Go SDK sends only a `Date` header, and signs that."""
    try:
        parsed = datetime.strptime(moment, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        fields = parsedate(moment)
        if fields is None:
            raise ApiError("AccessDenied", "OSS authentication requires a valid Date or x-oss-date.", 403) from None
        parsed = datetime.fromtimestamp(timegm(fields), UTC)
    if not scope.startswith(parsed.strftime("%Y%m%d")):
        raise _invalid("Credential", scope, f"has another date than the request ({moment})")
    return int(parsed.timestamp())


def _check_region(request: SignedRequest, scope: str) -> None:
    if request.region and scope.split("/")[1] != request.region:
        details = {"Region": request.region}
        raise ApiError("InvalidArgument", "Invalid signing region in Authorization header.", details=details)


def _check_v4(request: SignedRequest, key: AccessKey, scope: str, moment: str, signature: str, additional: str) -> None:
    canonical = _v4_canonical(request, additional)
    to_sign = f"{V4}\n{moment}\n{scope}\n{hashlib.sha256(canonical).hexdigest()}".encode()
    expected = _mac(_v4_signing_key(key.secret, scope), to_sign, "sha256").hex()
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        raise _does_not_match(key, signature, to_sign, canonical)


def _v4_canonical(request: SignedRequest, additional: str) -> bytes:
    headers = request.headers
    names = sorted(filter(None, additional.lower().split(";")))
    signed = sorted(
        name
        for name in headers
        if name.startswith("x-oss-") or name in ("content-type", "content-md5") or name in names
    )
    resource = f"/{request.bucket}/{request.key}" if request.bucket else "/"
    query = sorted(
        (quote(name, safe=""), quote(value, safe=""))
        for name, value in request.query.items()
        if name != "x-oss-signature"
    )
    lines = (
        request.method,
        quote(resource, safe="/"),
        "&".join(f"{name}={value}" if value else name for name, value in query),
        "".join(f"{name}:{headers[name].strip()}\n" for name in signed),
        ";".join(names),
        headers.get("x-oss-content-sha256", "UNSIGNED-PAYLOAD"),
    )
    return "\n".join(lines).encode("latin-1")


@lru_cache(maxsize=64)
def _v4_signing_key(secret: str, scope: str) -> bytes:
    signing = f"aliyun_v4{secret}".encode()
    for part in scope.split("/"):
        signing = hmac.digest(signing, part.encode(), "sha256")
    return signing


# What both have


def _mac(key: bytes, message: bytes, algorithm: str) -> bytes:
    mac = _keyed(key, algorithm).copy()
    mac.update(message)
    return mac.digest()


@lru_cache(maxsize=64)
def _keyed(key: bytes, algorithm: str) -> hmac.HMAC:
    return hmac.new(key, digestmod=algorithm)


def _key(keys: AccessKeys, now: Times, key_id: str, token: str | None) -> AccessKey:
    key = keys.find(key_id)
    if key is None or (key.security_token is not None and not token):
        message = "The OSS Access Key Id you provided does not exist in our records."
        raise ApiError("InvalidAccessKeyId", message, 403, details={"OSSAccessKeyId": key_id})
    if key.security_token is not None and not hmac.compare_digest(key.security_token.encode(), (token or "").encode()):
        raise ApiError("InvalidSecurityToken", "The security token you provided is invalid.", 403)
    if key.expires is not None and key.expires <= now.emulated:
        raise ApiError("SecurityTokenExpired", "The security token you provided has expired.", 403)
    return key


def _check_skew(signed: float, sent: str, now: float) -> None:
    if abs(now - signed) > MAX_SKEW_S:
        details = {
            "MaxAllowedSkewMilliseconds": str(MAX_SKEW_S * 1000),
            "RequestTime": sent,
            "ServerTime": _written(now),
        }
        message = "The difference between the request time and the current time is too large."
        raise ApiError("RequestTimeTooSkewed", message, 403, details=details)


def _expired(expires: float, now: float) -> ApiError:
    details = {"Expires": _written(expires), "ServerTime": _written(now)}
    return ApiError("AccessDenied", "Request has expired.", 403, details=details)


def _does_not_match(key: AccessKey, signature: str, to_sign: bytes, canonical: bytes = b"") -> ApiError:
    message = (
        "The request signature we calculated does not match the signature you provided."
        " Check your key and signing method."
    )
    details = {
        "OSSAccessKeyId": key.id,
        "SignatureProvided": signature,
        "StringToSign": to_sign.decode(errors="replace"),
        "StringToSignBytes": to_sign.hex(" ").upper(),
    }
    if canonical:
        details["CanonicalRequest"] = canonical.decode(errors="replace")
    return ApiError("SignatureDoesNotMatch", message, 403, details=details)


def _invalid(name: str, value: str, why: str) -> ApiError:
    return ApiError("InvalidArgument", f"{name} {why}.", details={"ArgumentName": name, "ArgumentValue": value})


def _written(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
