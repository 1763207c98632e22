"""Alibaba Cloud's two JSON protocols, RPC and ROA: what arrives, and the form of answers and refusals."""

import json
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from emulator.errors import ApiError

# Parameters of RPC calls that say how they are sent, not what they ask for, unless an operation has one of that name.
RPC_ENVELOPE = frozenset(
    {
        "Action", "Version", "Format", "AccessKeyId", "SecurityToken", "Timestamp", "RegionId", "ClientToken",
        "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "SignatureType",
        "Product", "SourceIp", "SecureTransport",
    }
)  # fmt: skip

MAX_BODY = 4 * 1024**2
MAX_PARAMETERS = 1000
MAX_DEPTH = 10

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class ReceivedCall:
    """A JSON API request, read whole.

    `raw_path` is the path as it was sent (percent-encoded), `query` its decoded pairs in order, `form` those of a
    form body, which `body` holds as it came. Header names are in lower case.
    """

    method: str
    raw_path: str
    path: str
    query: Pairs
    form: Pairs
    headers: Mapping[str, str]
    body: bytes

    @property
    def parameters(self) -> dict[str, str]:
        return dict(self.query + self.form)

    @property
    def version(self) -> str:
        return self.headers.get("x-acs-version") or self.parameters.get("Version", "")

    @property
    def action(self) -> str:
        return self.headers.get("x-acs-action") or self.parameters.get("Action", "")


async def received(request: Request) -> ReceivedCall:
    """The request, read whole once; ApiError when it is too long or not text where it must be."""
    known: ReceivedCall | None = request.scope.get("emulator.received")
    if known is not None:
        return known
    body = await body_of(request, MAX_BODY)
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    call = ReceivedCall(
        method=request.method,
        raw_path=request.scope["raw_path"].decode("ascii"),
        path=request.scope["path"],
        query=_pairs(request.scope["query_string"], "query"),
        form=_pairs(body, "form") if is_form else (),
        headers=dict(request.headers),
        body=body,
    )
    request.scope["emulator.received"] = call
    return call


async def body_of(request: Request, limit: int) -> bytes:
    """ApiError 413 when the body is longer than `limit` bytes; the rest is not kept."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise ApiError("RequestBodyTooLarge", f"The request body has more than {limit} bytes.", 413)
    return bytes(body)


def _pairs(text: bytes, place: str) -> Pairs:
    try:
        decoded = parse_qsl(text.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except UnicodeDecodeError:
        raise ApiError("InvalidParameter", f"The {place} is not text in UTF-8.") from None
    except ValueError:
        raise ApiError("InvalidParameter", f"The {place} has more than {MAX_PARAMETERS} parameters.") from None
    return tuple(decoded)


def rpc_parameters(call: ReceivedCall, declared: Collection[str]) -> dict[str, Any]:
    """The operation's own parameters, nested: `A.1.B=x` is `{"A": [{"B": "x"}]}`. `declared` are those that it has."""
    tree: dict[str, Any] = {}
    for name, value in call.parameters.items():
        if name in declared or name not in RPC_ENVELOPE:
            _put(tree, name, name.split("."), value)
    return {name: _with_lists(value) for name, value in tree.items()}


def _put(tree: dict[str, Any], name: str, path: Sequence[str], value: str) -> None:
    if len(path) > MAX_DEPTH:
        raise ApiError("InvalidParameter", f"{name[:100]} has more than {MAX_DEPTH} parts.")
    for part in path[:-1]:
        nested = tree.setdefault(part, {})
        if not isinstance(nested, dict):
            raise ApiError("InvalidParameter", f"{name} goes into {part}, which is also given as a value.")
        tree = nested
    if isinstance(tree.get(path[-1]), dict):
        raise ApiError("InvalidParameter", f"{name} is given as a value, and another parameter goes into it.")
    tree[path[-1]] = value


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if all(key.isascii() and key.isdigit() and len(key) < 6 for key in value):
        return [_with_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _with_lists(nested) for key, nested in value.items()}


def new_request_id() -> str:
    return str(uuid.uuid4()).upper()


def answered(payload: Mapping[str, Any], request_id: str) -> Response:
    return _json({"RequestId": request_id, **payload}, 200, request_id, {})


def refused(error: ApiError, request_id: str, host: str) -> Response:
    """The error body that both protocols share."""
    body = {
        "RequestId": request_id,
        "HostId": host,
        "Code": error.code,
        "Message": error.message,
        **error.details,
    }
    return _json(body, error.status, request_id, error.headers)


def _json(payload: Mapping[str, Any], status: int, request_id: str, headers: Mapping[str, str]) -> Response:
    content = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(content, status, {"x-acs-request-id": request_id, **headers}, "application/json; charset=utf-8")
