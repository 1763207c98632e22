"""A tiny model server, started by the services of the tests as `python stand_in.py PORT [WAIT_S]`, or without arguments
with both in the environment.

It answers every path with a JSON description of the request, with what the environment says about itself, and does
what the query asks for: `sleep=S`, `status=N`, `exit=N`, `hang` (no answer ever), `stream=N` (that many chunks),
`close` (closes without an answer), `unready`/`ready` and `dead` (what /health answers from now on). Without `sleep`, it
waits as long as SLEEP_S in the environment says.
On SIGTERM it takes no more connections, finishes what it has begun and ends.
"""

import asyncio
import json
import logging
import os
import signal
import sys
import time
from urllib.parse import parse_qs, urlsplit

log = logging.getLogger("stand-in")
health = 200
open_requests = 0
ending = asyncio.Event()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    global open_requests
    while line := await reader.readline():
        open_requests += 1
        try:
            if not await answer(line, reader, writer):
                break
        finally:
            open_requests -= 1
    writer.close()


async def answer(line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Whether the connection stays open."""
    global health
    method, target, _ = line.decode().split()
    headers = {}
    while (header := await reader.readline()) != b"\r\n":
        name, _, value = header.decode().partition(":")
        headers[name.lower()] = value.strip()
    body = await read_body(headers, reader)
    url = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
    log.info("%s %s", method, target)
    if "exit" in query:
        os._exit(int(query["exit"]))
    if "close" in query:
        return False
    if "hang" in query:
        await asyncio.sleep(3600)
    await asyncio.sleep(float(query.get("sleep", os.environ.get("SLEEP_S", 0))))
    health = {"unready": 503, "dead": 500, "ready": 200}.get(next(iter(query), ""), health)
    status = health if url.path == "/health" else int(query.get("status", 200))
    described = {
        "method": method,
        "path": url.path,
        "query": url.query,
        "headers": headers,
        "body": body.decode("latin-1"),
        "version": os.environ.get("VERSION", ""),
        "pid": os.getpid(),
        "argv": sys.argv,
        "environment": dict(os.environ),
        "directory": os.getcwd(),
    }
    if "stream" in query:
        return await stream(int(query["stream"]), writer)
    content = json.dumps(described).encode()
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    writer.write(head if method == "HEAD" else head + content)
    await writer.drain()
    return not ending.is_set()


async def read_body(headers: dict[str, str], reader: asyncio.StreamReader) -> bytes:
    if headers.get("transfer-encoding") != "chunked":
        return await reader.readexactly(int(headers.get("content-length", 0)))
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        await reader.readline()
    await reader.readline()
    return body


async def stream(chunks: int, writer: asyncio.StreamWriter) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for number in range(chunks):
        piece = f"chunk {number}\n".encode()
        writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
        await writer.drain()
        await asyncio.sleep(0.05)
    writer.write(b"0\r\n\r\n")
    return True


async def main(port: int, wait_s: float) -> None:
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, ending.set)
    log.info("version %s starts", os.environ.get("VERSION", ""))
    time.sleep(wait_s)
    server = await asyncio.start_server(serve, "127.0.0.1", port)
    await ending.wait()
    server.close()
    while open_requests:
        await asyncio.sleep(0.005)
    log.info("ended in order")


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    given = sys.argv[1:] or [os.environ["PORT"], os.environ.get("WAIT_S", "0")]
    asyncio.run(main(int(given[0]), float(given[1]) if len(given) > 1 else 0.0))
