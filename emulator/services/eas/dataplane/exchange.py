"""One request at the gateway, and its answer, in ASGI's terms."""

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Iterator

from starlette.types import Receive, Scope, Send

from emulator.services.eas.dataplane.admission import RejectedError
from emulator.services.eas.dataplane.routes import Access
from emulator.services.eas.dataplane.upstream import Connection, Headers

PREFIX = "/api/predict/"
REQUEST_ID = b"x-eas-request-id"
HOP_BY_HOP = frozenset(
    {
        b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"proxy-authorization", b"te",
        b"trailer", b"transfer-encoding", b"upgrade", b"expect",
    }
)  # fmt: skip
NOT_ANSWERED = HOP_BY_HOP | {b"date", REQUEST_ID}  # the server in front adds its own date
IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
# "The server returns a 408 status code, terminates the request and closes the corresponding TCP connection"; so does
# an instance whose queue is full.
CLOSING = frozenset({408, 450})


class DisconnectedError(Exception):
    """The client has gone before its answer was complete."""


class Exchange:
    """`service` is the first segment of the path behind `/api/predict/`, `target` what the instance is asked for,
    `instance` the one that was asked, and `status` the answer's, as soon as there is one."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        self._headers: Headers = scope["headers"]
        self.headers = dict(self._headers)
        self.method: str = scope["method"]
        path: bytes = scope["raw_path"]
        service, _, rest = path.removeprefix(PREFIX.encode()).partition(b"/")
        self.service = service.decode("latin-1")
        query: bytes = scope["query_string"]
        self.target = b"/" + rest + b"?" + query if query else b"/" + rest
        given = self.headers.get(REQUEST_ID) or self.headers.get(b"x-request-id")
        self.request_id = given.decode("latin-1") if given else str(uuid.uuid4())
        self.status = 0
        self.instance = ""
        self._received = self._sent = 0
        self._began = time.perf_counter()
        self._first: bytes | None = None
        self._more = True
        self._streamed = False
        self._task: asyncio.Task[object] | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._gone = False
        self._finished = False

    @property
    def repeatable(self) -> bool:
        """Whether the request may be sent a second time although an instance may have got it already."""
        return self.method in IDEMPOTENT and not self._streamed and self.status == 0

    async def body(self) -> bytes | AsyncIterator[bytes]:
        """The request's body: whole when it came in one piece, else as it arrives. May be asked for again until the
        stream was read from."""
        if self._first is None:
            self._first = await self._next_chunk()
        return self._stream() if self._more else self._first

    def forwarded_headers(self) -> Headers:
        """The client's headers without those that are for this connection only, and with the request's id."""
        dropped = HOP_BY_HOP
        if named := self.headers.get(b"connection"):
            dropped = HOP_BY_HOP | {name.strip().lower() for name in named.split(b",")}
        dropped |= {REQUEST_ID, b"x-request-id"}
        request_id = self.request_id.encode("latin-1")
        kept = [(name, value) for name, value in self._headers if name not in dropped]
        return [*kept, (REQUEST_ID, request_id), (b"x-request-id", request_id)]

    async def answer(self, response: Connection) -> None:
        """Passes the instance's answer on, as it comes."""
        headers = [header for header in response.headers if header[0] not in NOT_ANSWERED]
        headers.append((REQUEST_ID, self.request_id.encode("latin-1")))
        chunk = await response.read()
        self.status = response.status
        await self._send({"type": "http.response.start", "status": self.status, "headers": headers})
        while not response.complete:
            self._sent += len(chunk)
            await self._send({"type": "http.response.body", "body": chunk, "more_body": True})
            chunk = await response.read()
        self._sent += len(chunk)
        self._finished = True
        await self._send({"type": "http.response.body", "body": chunk})

    async def reject(self, rejection: RejectedError) -> None:
        """Answers instead of an instance; after the answer has begun, the connection is all that can be closed."""
        begun, self.status = self.status, rejection.status
        if begun:
            return
        body = json.dumps({"code": rejection.status, "message": rejection.message}).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (REQUEST_ID, self.request_id.encode("latin-1")),
        ]
        if rejection.status in CLOSING:
            headers.append((b"connection", b"close"))
        await self._send({"type": "http.response.start", "status": rejection.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})

    @contextlib.contextmanager
    def attended(self) -> Iterator[None]:
        """While the client is there: DisconnectedError as soon as it has gone, whatever is under way within."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - the server runs each request in a task
        self._task = task
        try:
            yield
        except asyncio.CancelledError:
            if not self._gone:
                raise
            task.uncancel()
            raise DisconnectedError from None
        finally:
            self._finished = True
            if self._watcher is not None:
                self._watcher.cancel()

    def access(self) -> Access:
        latency_ms = (time.perf_counter() - self._began) * 1000
        path = self.target.decode("latin-1")
        return Access(
            time.time(), self.method, path, self.status, latency_ms, self.instance, self.request_id,
            self._received, self._sent,
        )  # fmt: skip

    async def _stream(self) -> AsyncIterator[bytes]:
        assert self._first is not None  # noqa: S101 - read before
        self._streamed = True
        yield self._first
        while self._more:
            yield await self._next_chunk()

    async def _watch(self) -> None:
        """Nothing more can come from the client but the news that it has gone."""
        await self._receive()
        if not self._finished and self._task is not None:
            self._gone = True
            self._task.cancel()

    async def _next_chunk(self) -> bytes:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise DisconnectedError
        self._more = message.get("more_body", False)
        if not self._more:
            self._watcher = asyncio.create_task(self._watch())
        body: bytes = message.get("body", b"")
        self._received += len(body)
        return body
