"""The gateway's HTTP client against servers that answer in every way that HTTP allows, and some that it does not."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from emulator.services.eas.dataplane.upstream import BUFFERED, BrokenError, UnreachableError, Upstream

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def server(handle: Handler) -> AsyncIterator[int]:
    """Its port; at the end every connection is closed and every handler has ended."""
    handlers: list[asyncio.Task[None]] = []

    async def tracked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handlers.append(task)
        try:
            await handle(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()

    listening = await asyncio.start_server(tracked, "127.0.0.1", 0)
    yield listening.sockets[0].getsockname()[1]
    listening.close()
    for task in handlers:
        task.cancel()
    await asyncio.gather(*handlers, return_exceptions=True)
    await asyncio.sleep(0)


def answering(*pieces: bytes, close: bool = False) -> Handler:
    """Answers each request head with the same bytes, piece by piece."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readuntil(b"\r\n\r\n"):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.005)
            if close:
                writer.write_eof()
                break

    return handle


async def fetched(upstream: Upstream, port: int, method: bytes = b"GET") -> tuple[int, bytes, bool]:
    """Status, body, and whether the connection was kept."""
    connection = await upstream.send(port, method, b"/", [(b"host", b"x")], b"")
    body = b""
    while not connection.complete:
        body += await connection.read()
    upstream.release(connection)
    return connection.status, body, connection.reusable


@pytest.mark.parametrize(
    ("pieces", "close", "expected"),
    [
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"], False, (200, b"hello", True)),
        ([b"HTTP/1.1 200 OK\r\nContent-", b"Length: 5\r\n\r\nhe", b"llo"], False, (200, b"hello", True)),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhe", b"llo\r\n0\r\n\r\n"], False,
         (200, b"hello", True)),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n"], False,
         (200, b"hello", True)),
        ([b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo"], True, (200, b"hello", False)),
        ([b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello"], True, (200, b"hello", False)),
        ([b"HTTP/1.1 204 No Content\r\n\r\n"], False, (204, b"", True)),
        ([b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"], False, (304, b"", True)),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"], False,
         (200, b"ok", True)),
        ([b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"], False,
         (200, b"", True)),
    ],
)  # fmt: skip
async def test_an_answer_is_read_whole(pieces: list[bytes], close: bool, expected: tuple[int, bytes, bool]) -> None:
    upstream = Upstream()
    async with server(answering(*pieces, close=close)) as port:
        assert await fetched(upstream, port) == expected
        assert await fetched(upstream, port) == expected, "and so is the next one"
    upstream.close()


async def test_an_answer_to_head_has_no_body() -> None:
    upstream = Upstream()
    async with server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")) as port:
        assert await fetched(upstream, port, b"HEAD") == (200, b"", True)
        assert await fetched(upstream, port, b"HEAD") == (200, b"", True)
    upstream.close()


@pytest.mark.parametrize(
    "pieces",
    [
        [],
        [b"HTTP/1.1 200 OK\r\nContent-Le"],
        [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"],
        [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"],
        [b"SSH-2.0-OpenSSH_9.6\r\n\r\n"],
    ],
)
async def test_half_an_answer_is_no_answer(pieces: list[bytes]) -> None:
    upstream = Upstream()
    async with server(answering(*pieces, close=True)) as port:
        with pytest.raises(BrokenError):
            await fetched(upstream, port)
    upstream.close()


async def test_nobody_there_is_told_apart() -> None:
    async with server(answering()) as port:
        pass
    with pytest.raises(UnreachableError):
        await fetched(Upstream(), port)


async def test_what_comes_unasked_is_not_taken_for_the_next_answer() -> None:
    upstream = Upstream()
    late = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
    async with server(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", late)) as port:
        for _ in range(3):
            assert (await fetched(upstream, port))[:2] == (200, b"ok")
            await asyncio.sleep(0.05)  # for the unasked bytes to arrive
    upstream.close()


async def test_an_answer_that_nobody_reads_is_not_piled_up() -> None:
    sent = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b"x" * 65536)
            sent += 65536
            try:
                await asyncio.wait_for(writer.drain(), 0.3)
            except (TimeoutError, ConnectionError):
                break
        writer.close()

    upstream = Upstream()
    async with server(flood) as port:
        connection = await upstream.send(port, b"GET", b"/", [], b"")
        await asyncio.sleep(0.5)  # nobody reads
        assert sent < BUFFERED + 20 * 1024 * 1024, "what the sockets hold, not more"
        assert connection._buffered < 2 * BUFFERED
        upstream.release(connection)


async def test_an_answer_may_begin_before_the_request_has_ended() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while (size := int(await reader.readline(), 16)) and (piece := await reader.readexactly(size)):
            await reader.readline()
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        writer.write(b"0\r\n\r\n")

    heard: list[bytes] = []
    next_piece = asyncio.Event()

    async def speak() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"piece %d" % number
            await next_piece.wait()
            next_piece.clear()

    upstream = Upstream()
    async with server(echo) as port:
        connection = await upstream.send(port, b"POST", b"/", [], speak())
        while not connection.complete:
            if data := await connection.read():
                heard.append(data)
            next_piece.set()
        upstream.release(connection)
    assert heard == [b"piece 0", b"piece 1", b"piece 2"]
    upstream.close()
