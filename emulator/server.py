"""The HTTP server: uvicorn, and what a proxy that faces careless clients must refuse before any application runs."""

import logging

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD = 256 * 1024  # bytes of request line and headers that may arrive before they are complete

log = logging.getLogger("emulator")


def server(app: ASGIApp) -> uvicorn.Server:
    """A server of `app`, to be run on a listening socket."""
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nobody stands between a client on the loopback and this server
        timeout_keep_alive=75,  # longer than the SDKs keep an idle connection
        timeout_graceful_shutdown=10,  # seconds for requests that are under way
    )
    return uvicorn.Server(config)


class Protocol(HttpToolsProtocol):
    """Says why it refuses a tunnel, and bounds the memory that a request takes before it reaches the application.

    The reason is in the status line, which is what clients tell of a proxy's refusal.
    """

    _head_size = 0
    _in_head = True
    _refusal: tuple[int, str] | None = None

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self.parser.get_method() == b"CONNECT":
            target = self.url.decode("latin-1")
            reason = "The emulator proxies plain HTTP only; set the protocol HTTP instead of HTTPS"
            log.warning("refused a tunnel to %s: %s", target, reason)
            self._refusal = (405, reason)
            raise ValueError(reason)  # ends the parsing
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head, self._head_size = True, 0
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        self._head_size += len(data) if self._in_head else 0
        super().data_received(data)
        if self._in_head and self._head_size > MAX_HEAD and not self.transport.is_closing():
            self._refuse(431, f"Request line and headers have more than {MAX_HEAD} bytes")

    def send_400_response(self, msg: str) -> None:
        self._refuse(*(self._refusal or (400, msg)))

    def _refuse(self, status: int, reason: str) -> None:
        head = f"HTTP/1.1 {status} {reason}\r\ncontent-type: text/plain\r\ncontent-length: {len(reason)}\r\n"
        self.transport.write(f"{head}connection: close\r\n\r\n{reason}".encode("latin-1"))
        self.transport.close()
