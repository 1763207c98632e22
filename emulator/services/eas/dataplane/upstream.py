"""Requests to instances over pooled connections of the loopback."""

from collections.abc import AsyncIterator, Sequence

import aiohttp
from yarl import URL

Headers = Sequence[tuple[bytes, bytes]]

# A server may close an idle connection at any moment, and a request that is sent into that moment is lost: idle
# connections are given up well before common servers do (uvicorn and Node.js keep them for 5 s).
KEPT_IDLE_S = 2.0


class UnreachableError(Exception):
    """No connection could be made: nothing of the request was sent."""


class BrokenError(Exception):
    """The connection ended before the answer was complete."""


class Upstream:
    """An HTTP client that passes requests on as they are; `open` before use."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEPT_IDLE_S),
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=None, connect=5.0),
            auto_decompress=False,
            skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
        )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def send(
        self, port: int, method: str, target: str, headers: Headers, body: bytes | AsyncIterator[bytes]
    ) -> aiohttp.ClientResponse:
        """The answer of the instance on `port`, with its body still to be read.

        UnreachableError or BrokenError when there is none."""
        assert self._session is not None  # noqa: S101 - opened at the start
        try:
            return await self._session.request(
                method,
                URL(f"http://127.0.0.1:{port}{target}", encoded=True),
                headers=[(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers],
                data=body or None,
                allow_redirects=False,
            )
        except aiohttp.ClientConnectorError as error:
            raise UnreachableError(str(error)) from None
        except aiohttp.ClientError as error:
            raise BrokenError(str(error)) from None
