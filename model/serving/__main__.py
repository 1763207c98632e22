"""Classifies product images over HTTP: what runs in a serving container, beside a trained model.

    python -m model.serving --model-dir /mnt/model --port 8000

The folder holds what `python -m model.train` writes: `model.pt` (TorchScript: uint8 images in, probabilities
out) or `model.onnx` (the same for ONNX Runtime), `labels.json` and `manifest.json`. Besides torch or onnxruntime it
needs numpy, Pillow, starlette and uvicorn.

    POST / or /classify   a PNG or JPEG, or JSON with one of "image", "images" (base64) and "pixels" (rows of 0..255)
    GET  /healthz         200 when the model is loaded and the process is not draining, else 503
    GET  /metrics         Prometheus text
    GET  /                what is served

Every refusal is JSON: `{"error": {"code": ..., "message": ...}}`. Too much work at once is answered with 503 and
Retry-After, not 429: it is the replica that is out of room, not the caller that broke a rate, and an alarm on the
success rate has to see it. SIGTERM turns /healthz to 503, finishes what was accepted, and ends with status 0.
"""

import logging
import os
import socket
import sys
import time
from collections.abc import Sequence
from types import FrameType

import uvicorn

from .app import create_app
from .log import JsonLines, log
from .service import Service
from .settings import Settings


class Server(uvicorn.Server):
    """uvicorn that drains before it stops, and for which being told to stop is no failure."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._stop_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        del sig, frame
        again = self._service.draining
        self._service.draining = True
        self._stop_at = time.monotonic() + (0 if again else self._service.settings.drain_delay_s)

    async def on_tick(self, counter: int) -> bool:
        due = self._stop_at is not None and time.monotonic() >= self._stop_at
        return await super().on_tick(counter) or due or self._service.failed


def listen(host: str, port: int) -> socket.socket:
    """What connections are accepted from. They inherit TCP_NODELAY, which asyncio sets only on sockets that name their
    protocol: without it, the second packet of an answer waits 40 ms for the acknowledgement of the first."""
    listener = socket.create_server((host, port), backlog=1024)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM; 0 when nothing was lost, 1 when the model or a request was."""
    settings = Settings.parse(arguments, os.environ)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    try:
        listener = listen(settings.host, settings.port)
    except OSError as error:
        where = {"host": settings.host, "port": settings.port, "error": str(error)}
        log.critical("cannot listen", extra={"fields": where})
        return 1
    host, port = listener.getsockname()[:2]
    log.info("listening", extra={"fields": {"host": host, "port": port}})
    service = Service(settings)
    config = uvicorn.Config(
        create_app(service),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, round(settings.drain_timeout_s)),
    )
    Server(config, service).run(sockets=[listener])
    log.info("stopped", extra={"fields": {"lost": service.lost}})
    return 1 if service.failed or service.lost else 0


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    # Without waiting for the threads: a forward pass that hangs, or an import of torch, is not to delay the end.
    os._exit(status)
