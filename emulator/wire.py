"""Alibaba Cloud's two JSON protocols, RPC and ROA: what arrives, and the form of answers and refusals."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from emulator.errors import ApiError

# Parameters of every RPC call that say how it is sent, not what it asks for.
RPC_ENVELOPE = frozenset(
    {
        "Action", "Version", "Format", "AccessKeyId", "SecurityToken", "Timestamp", "RegionId", "ClientToken",
        "Signature", "SignatureMethod", "SignatureVersion", "SignatureNonce", "SignatureType",
        "Product", "SourceIp", "SecureTransport",
    }
)  # fmt: skip


@dataclass(frozen=True)
class ReceivedCall:
    """A JSON API request, read whole.

    `raw_path` is the path as it was sent (percent-encoded), `query` its decoded pairs in order, `form` those of a
    form body, which `body` holds as it came. Header names are in lower case.
    """

    method: str
    raw_path: str
    path: str
    query: tuple[tuple[str, str], ...]
    form: tuple[tuple[str, str], ...]
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
    body = await request.body()
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    return ReceivedCall(
        method=request.method,
        raw_path=request.scope["raw_path"].decode("ascii"),
        path=request.scope["path"],
        query=tuple(parse_qsl(request.scope["query_string"].decode("ascii"), keep_blank_values=True)),
        form=tuple(parse_qsl(body.decode(), keep_blank_values=True)) if is_form else (),
        headers=dict(request.headers),
        body=body,
    )


def rpc_parameters(call: ReceivedCall) -> dict[str, Any]:
    """The operation's own parameters, nested: `A.1.B=x` is `{"A": [{"B": "x"}]}`."""
    tree: dict[str, Any] = {}
    for name, value in call.parameters.items():
        if name in RPC_ENVELOPE:
            continue
        node, *rest = name.split(".")
        branch = tree
        for part in rest:
            nested = branch.setdefault(node, {})
            if not isinstance(nested, dict):
                raise ApiError("InvalidParameter", f"{name} goes into {node}, which is also given as a value")
            branch, node = nested, part
        branch[node] = value
    return {name: _with_lists(value) for name, value in tree.items()}


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if all(key.isdigit() for key in value):
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
