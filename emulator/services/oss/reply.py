"""The answer to an OSS request."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.types import Receive, Scope, Send

from emulator.errors import ApiError
from emulator.services.oss import xml
from emulator.services.oss.content import Reader


@dataclass(slots=True)
class Reply:
    """`body` is sent as it is, or read from open segments that the reply closes.

    `size` is the length of what is read, or of what the answer to HEAD is about.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | Reader = b""
    size: int | None = None

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        try:
            await self._send(scope["method"] == "HEAD", send)
        finally:
            if isinstance(self.body, Reader):
                self.body.close()

    async def _send(self, head: bool, send: Send) -> None:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]
        if self.status not in (204, 304):
            size = len(self.body) if isinstance(self.body, bytes) and self.size is None else self.size
            headers.append((b"content-length", b"%d" % (size or 0)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if isinstance(self.body, bytes) or head:
            body = b"" if head else self.body
            await send({"type": "http.response.body", "body": body})
            return
        async for chunk in self.body.stream():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body"})


def document(root: str, members: xml.Value, headers: Mapping[str, str] | None = None) -> Reply:
    return Reply(200, {"content-type": "application/xml", **(headers or {})}, xml.write(root, members))


def refusal(error: ApiError, request_id: str, host: str, *, head: bool) -> Reply:
    """OSS's error document; the answer to HEAD, which has no body, carries it in a header."""
    headers = dict(error.headers)
    if error.status == 304:
        return Reply(304, headers)
    members = [("Code", error.code), ("Message", error.message), ("RequestId", request_id), ("HostId", host)]
    body = xml.write("Error", [*members, *((name, str(value)) for name, value in error.details.items())])
    if head:
        headers["x-oss-err"] = base64.b64encode(body).decode()
        return Reply(error.status, headers)
    return Reply(error.status, {"content-type": "application/xml", **headers}, body)
