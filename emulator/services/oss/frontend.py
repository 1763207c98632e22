"""How OSS meets HTTP: a request is parsed, proven, allowed, received and answered, or refused in OSS's own form."""

import base64
import binascii
import hashlib
import os
import time
from collections.abc import AsyncIterator
from datetime import datetime

from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Receive

from emulator.addresses import Address
from emulator.credentials import AccessKeys
from emulator.errors import ApiError
from emulator.services.oss import (
    appending,
    bucket_settings,
    bucket_state,
    buckets,
    copying,
    cors,
    deleting,
    lifecycle,
    listing,
    multipart,
    object_settings,
    objects,
    restoring,
)
from emulator.services.oss.access import authorise
from emulator.services.oss.errors import access_denied, no_such_bucket
from emulator.services.oss.operations import Operation, resolve
from emulator.services.oss.reply import Reply, refusal
from emulator.services.oss.request import OssRequest, split_path, split_query
from emulator.services.oss.service import Oss
from emulator.signatures.oss import Times, authenticate
from emulator.state import State

# Their handlers register themselves.
MODULES = (
    appending,
    bucket_settings,
    bucket_state,
    buckets,
    copying,
    cors,
    deleting,
    listing,
    multipart,
    object_settings,
    objects,
    restoring,
)

MAX_DOCUMENT = 2 * 1024**2
MAX_DATA = 5 * 1024**3


class OssFrontend:
    """OSS over `state`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._day = 0  # of the last time that lifecycle rules were applied

    async def respond(self, incoming: Request, address: Address) -> ASGIApp:
        request_id = os.urandom(12).hex().upper()
        try:
            request = self._parsed(incoming, address, request_id)
            self._age(request.now)
            answer = await answered(self._state.oss, self._state.access_keys, request, incoming.receive)
            if "origin" in request.headers:
                asked = cors.CrossOrigin(request.headers["origin"], request.method)
                answer.headers.update(cors.headers(self._state.oss, request.bucket, asked))
        except ApiError as error:
            host = incoming.headers.get("host", "")
            answer = refusal(error, request_id, host, head=incoming.method == "HEAD")
        answer.headers["server"] = "AliyunOSS"
        answer.headers["x-oss-request-id"] = request_id
        return answer

    def _age(self, now: datetime) -> None:
        """Applies lifecycle rules when a new day has begun since the last request."""
        if self._day != now.toordinal():
            self._day = now.toordinal()
            with self._state.oss.transaction():
                lifecycle.apply_rules(self._state.oss, now)

    def _parsed(self, incoming: Request, address: Address, request_id: str) -> OssRequest:
        scope = incoming.scope
        bucket, key = split_path(scope["raw_path"].decode("latin-1"), address.bucket)
        if address.region and bucket and not address.bucket:
            message = "The bucket you are attempting to access must be addressed using OSS third level domain."
            raise ApiError("SecondLevelDomainForbidden", message, 403)
        return OssRequest(
            method=scope["method"],
            request_id=request_id,
            region=address.region,
            bucket=bucket,
            key=key,
            query=split_query(scope["query_string"]),
            headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
            now=self._state.clock.now(),
        )


async def answered(oss: Oss, keys: AccessKeys, request: OssRequest, receive: Receive) -> Reply:
    """Answers `request`, whose body is taken from `receive`; ApiError when it is refused."""
    request.caller = authenticate(request, keys, Times(time.time(), request.now))
    operation = resolve(request)
    _allow(oss, operation, request)
    try:
        await _receive_body(oss, operation, request, receive)
        if not operation.writes:
            return operation.handler(oss, request)
        with oss.transaction():
            return operation.handler(oss, request)
    except BaseException:
        if request.upload is not None:
            oss.blobs.discard(request.upload.segments)
        raise


def _allow(oss: Oss, operation: Operation, request: OssRequest) -> None:
    """Refuses what the caller may not do, before any of the body is received."""
    if operation.target == "service" or operation.name == "PutBucket":
        if request.caller is None:
            raise access_denied("Anonymous access is forbidden for this operation.")
        return
    bucket = oss.index.find_bucket(request.bucket)
    if bucket is None:
        raise no_such_bucket(request.bucket)
    if request.region and request.region != bucket.region:
        message = "The bucket you are attempting to access must be addressed using the specified endpoint."
        raise access_denied(message, Bucket=bucket.name, Endpoint=f"{bucket.location}.aliyuncs.com")
    if operation.name == "OptionObject":
        return  # browsers ask before they sign
    authorise(oss.index, operation.action, request, bucket, request.key)
    if "x-oss-copy-source" in request.headers and operation.selector.endswith("copy"):
        source, key, _ = copying.source_name(request)
        authorise(oss.index, "GetObject", request, oss.index.bucket(source), key)


async def _receive_body(oss: Oss, operation: Operation, request: OssRequest, receive: Receive) -> None:
    if operation.body == "document":
        request.document = b"".join([chunk async for chunk in _chunks(receive, MAX_DOCUMENT)])
        _check_digest(request, hashlib.md5(request.document, usedforsecurity=False).digest())
    elif operation.body in ("data", "part"):
        if "content-length" not in request.headers and "transfer-encoding" not in request.headers:
            raise ApiError("MissingContentLength", "You must provide the Content-Length HTTP header.", 411)
        if int(request.headers.get("content-length", 0)) > MAX_DATA:
            raise _too_large(MAX_DATA)
        request.upload = await oss.blobs.receive(_chunks(receive, MAX_DATA), inline=operation.body == "data")
        _check_digest(request, request.upload.md5)
    elif operation.body == "copied part":
        request.upload = await oss.blobs.receive(copying.part_data(oss, request), inline=False)


def _check_digest(request: OssRequest, md5: bytes) -> None:
    """InvalidDigest when the data is not what `Content-MD5` says."""
    claimed = request.headers.get("content-md5")
    if not claimed:
        return
    try:
        digest = base64.b64decode(claimed, validate=True)
    except binascii.Error:
        digest = b""
    if len(digest) != 16:
        raise ApiError("InvalidDigest", "The Content-MD5 you specified is not valid.")
    if digest != md5:
        details = {"ClientDigest": claimed, "ServerDigest": base64.b64encode(md5).decode()}
        raise ApiError(
            "InvalidDigest", "The Content-MD5 you specified did not match what we received.", details=details
        )


async def _chunks(receive: Receive, limit: int) -> AsyncIterator[bytes]:
    """The body; EntityTooLarge when it is longer than `limit`, ClientDisconnect when it is cut off."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise _too_large(limit)
        if chunk:
            yield chunk
        more = message.get("more_body", False)


def _too_large(limit: int) -> ApiError:
    message = "Your proposed upload exceeds the maximum allowed object size."
    return ApiError("EntityTooLarge", message, details={"MaxSizeAllowed": str(limit)})
