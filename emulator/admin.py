"""The emulator's own pages: health, reset and the clock. They need no signature; only the loopback reaches them."""

import json
import math
import os

from starlette.requests import Request
from starlette.responses import JSONResponse

from emulator.clock import iso
from emulator.state import State


class Admin:
    """`GET /health`, `POST /_emulator/reset`, `GET` and `POST /_emulator/clock`."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def respond(self, request: Request) -> JSONResponse:
        match request.method, request.url.path:
            case "GET", "/health":
                return JSONResponse({"status": "ok", "pid": os.getpid(), "now": iso(self._state.clock.now())})
            case "POST", "/_emulator/reset":
                await self._state.reset()
                return JSONResponse({"status": "empty"})
            case "GET", "/_emulator/clock":
                return JSONResponse({"now": iso(self._state.clock.now())})
            case "POST", "/_emulator/clock":
                return self._advance(await request.body())
        return JSONResponse({"error": f"there is no {request.method} {request.url.path} here"}, 404)

    def _advance(self, body: bytes) -> JSONResponse:
        try:
            seconds = float(json.loads(body)["advance_s"])
        except (ValueError, KeyError, TypeError):
            seconds = math.nan
        if not 0 <= seconds < math.inf:
            return JSONResponse({"error": 'the body must be {"advance_s": SECONDS}, with SECONDS >= 0'}, 400)
        with self._state.store.transaction():
            return JSONResponse({"now": iso(self._state.clock.advance(seconds))})
