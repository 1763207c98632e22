"""Requests to instances: a small HTTP/1.1 client over pooled connections of the loopback.

It exists because of the gateway's budget: it takes a fifth of the processor time of aiohttp, which would be most of
what a request through the gateway costs. It passes headers on as the bytes that they are, and knows whether anything
of a request was sent.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import cast

import httptools

Headers = Sequence[tuple[bytes, bytes]]

# A server may close an idle connection at any moment, and a request that is sent into that moment is lost: idle
# connections are given up well before common servers do (uvicorn and Node.js keep them for 5 s).
KEPT_IDLE_S = 2.0
CONNECT_TIMEOUT_S = 5.0
# An answer that its reader does not take is buffered up to here; then the instance has to wait.
BUFFERED = 256 * 1024


class UnreachableError(Exception):
    """No connection could be made: nothing of the request was sent."""


class BrokenError(Exception):
    """The connection ended before the answer was complete, or what came was not HTTP."""


class Upstream:
    """Idle connections by port. A request takes the one that was used last, or makes a new one."""

    def __init__(self) -> None:
        self._idle: dict[int, list[Connection]] = {}

    async def send(
        self, port: int, method: bytes, target: bytes, headers: Headers, body: bytes | AsyncIterator[bytes]
    ) -> "Connection":
        """The connection on which the answer of the instance on `port` has begun to arrive; to be `release`d.

        `headers` are sent as they are, with the length of the body added where it is missing. UnreachableError and
        BrokenError when there is no answer; what `body` raises is raised here."""
        connection = self._taken(port) or await self._connected(port)
        try:
            await connection.ask(method, target, headers, body)
        except BaseException:
            connection.close()
            raise
        return connection

    def release(self, connection: "Connection") -> None:
        """Keeps the connection for the next request where it can be used again."""
        if connection.reusable:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.setdefault(connection.port, []).append(connection)
        else:
            connection.close()

    def close(self) -> None:
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()

    def _taken(self, port: int) -> "Connection | None":
        connections = self._idle.get(port)
        fresh_since = asyncio.get_running_loop().time() - KEPT_IDLE_S
        while connections:
            connection = connections.pop()
            if connection.reusable and connection.idle_since > fresh_since:
                return connection
            connection.close()
        return None

    async def _connected(self, port: int) -> "Connection":
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                _, connection = await loop.create_connection(lambda: Connection(port), "127.0.0.1", port)
        except (OSError, TimeoutError) as error:
            raise UnreachableError(str(error)) from None
        return connection


class Connection(asyncio.Protocol):
    """One connection, with one request on it at a time. `status` and `headers` are those of the current answer."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.idle_since = 0.0
        self.status = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._closed = self._paused = False
        self._head = self._has_length = self._keep_alive = False
        self._complete = True
        self._failure: Exception | None = None
        self._chunks: list[bytes] = []
        self._buffered = 0
        self._waiter: asyncio.Future[None] | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._upload: asyncio.Task[None] | None = None

    @property
    def reusable(self) -> bool:
        return self._complete and self._keep_alive and not self._closed and self._upload is None

    @property
    def complete(self) -> bool:
        """Whether the whole answer has arrived, and `read` has returned all of it."""
        return self._complete and not self._chunks

    async def ask(self, method: bytes, target: bytes, headers: Headers, body: bytes | AsyncIterator[bytes]) -> None:
        """Sends a request and returns when the headers of its answer are there."""
        assert self._transport is not None  # noqa: S101 - connected
        self._parser = httptools.HttpResponseParser(self)
        self._head = method == b"HEAD"
        self._has_length = self._keep_alive = self._complete = False
        self.status, self.headers = 0, []
        lines = [method + b" " + target + b" HTTP/1.1", *(name + b": " + value for name, value in headers)]
        sized = any(name == b"content-length" for name, _ in headers)
        if isinstance(body, bytes):
            if body and not sized:
                lines.append(b"content-length: %d" % len(body))
            self._transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        else:
            if not sized:
                lines.append(b"transfer-encoding: chunked")
            self._transport.write(b"\r\n".join(lines) + b"\r\n\r\n")
            self._upload = asyncio.create_task(self._send_body(body, chunked=not sized))
        while not self.status:
            await self._more()

    async def read(self) -> bytes:
        """The next piece of the answer's body; empty at its end."""
        while not self._chunks and not self._complete:
            await self._more()
        data = b"".join(self._chunks)
        self._chunks.clear()
        self._buffered = 0
        if self._paused and not self._closed:
            assert self._transport is not None  # noqa: S101 - connected
            self._transport.resume_reading()
            self._paused = False
        return data

    def close(self) -> None:
        self._closed = True
        if self._upload is not None:
            self._upload.cancel()
        if self._transport is not None:
            self._transport.abort()

    async def _more(self) -> None:
        """Returns when something has arrived."""
        if self._failure is None:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        if self._failure is not None:
            raise self._failure

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _fail(self, error: Exception) -> None:
        if self._failure is None and not self._complete:
            self._failure = error
        self._wake()

    async def _send_body(self, body: AsyncIterator[bytes], *, chunked: bool) -> None:
        assert self._transport is not None  # noqa: S101 - connected
        try:
            async for piece in body:
                if piece:
                    self._transport.write(b"%x\r\n%b\r\n" % (len(piece), piece) if chunked else piece)
                    await self._writable.wait()
            if chunked:
                self._transport.write(b"0\r\n\r\n")
            self._upload = None
        except Exception as error:  # noqa: BLE001 - raised again where the answer is waited for
            self._fail(error)

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        if self._complete:  # nothing was asked: it must not be taken for the next answer
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(BrokenError(f"the answer is not HTTP: {error}"))
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._closed = True
        if error is None and self.status and not self._has_length:  # such a body ends with its connection
            self._complete = True
        self._fail(BrokenError("the connection was closed before the answer was complete"))
        self._writable.set()

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.status:
            return  # a trailer
        name = name.lower()
        self.headers.append((name, value))
        if name in (b"content-length", b"transfer-encoding"):
            self._has_length = True

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # an interim answer; the real one follows
            self.headers = []
            return
        self.status = status
        self._keep_alive = self._parser.should_keep_alive()
        self._complete = self._head
        self._wake()

    def on_body(self, data: bytes) -> None:
        self._chunks.append(data)
        self._buffered += len(data)
        if self._buffered > BUFFERED and not self._paused and self._transport is not None:
            self._transport.pause_reading()
            self._paused = True
        self._wake()

    def on_message_complete(self) -> None:
        if self.status:
            self._complete = True
            self._wake()
