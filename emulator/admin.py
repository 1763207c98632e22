"""The emulator's own pages: health, reset, the clock, and what the cloud would have sent.

They need no signature; only the loopback reaches them."""

import json
import math
import os
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse

from emulator.addresses import LOOPBACK
from emulator.clock import iso
from emulator.errors import ApiError
from emulator.services.cms.contacts import activate
from emulator.services.eas.resources.machine_operations import Purchase
from emulator.services.eas.resources.spot import Reclaim, reclaim
from emulator.state import State
from emulator.wire import body_of

MAX_ADVANCE_S = 10 * 365 * 86_400


class Admin:
    """`GET /health`, `POST /_emulator/reset`, `GET` and `POST /_emulator/clock`, `GET /_emulator/outbox`,
    `POST /_emulator/contacts/activate`, `POST /_emulator/eas/...`."""

    def __init__(self, state: State) -> None:
        self._state = state

    async def respond(self, request: Request) -> JSONResponse:
        try:
            return await self._respond(request)
        except ApiError as error:
            return JSONResponse({"error": error.message}, error.status)

    async def _respond(self, request: Request) -> JSONResponse:
        _check_origin(request)
        path = request.scope["path"]
        match request.method, path:
            case "GET" | "HEAD", "/health":
                return JSONResponse(self._health())
            case "POST", "/_emulator/reset":
                await self._state.reset()
                return JSONResponse({"status": "empty"})
            case "GET" | "HEAD", "/_emulator/clock":
                return JSONResponse({"now": iso(self._state.clock.now())})
            case "POST", "/_emulator/clock":
                return self._advance(await body_of(request, limit=1024))
            case "GET" | "HEAD", "/_emulator/outbox":
                messages = [message.model_dump(mode="json") for message in self._state.cms.outbox.values()]
                return JSONResponse({"messages": messages})
            case "POST", "/_emulator/contacts/activate":
                return self._activate(await body_of(request, limit=1024))
            case "POST", "/_emulator/eas/reclaim":
                return self._reclaim(await body_of(request, limit=1024))
            case "POST", "/_emulator/eas/machines":
                return self._start_machines(await body_of(request, limit=1024))
        raise ApiError("", f"there is no {request.method} {path} here", 404)

    def _health(self) -> dict[str, Any]:
        return {
            "status": "ok",
            "pid": os.getpid(),
            "data_dir": str(self._state.settings.data_dir),
            "now": iso(self._state.clock.now()),
            "counts": self._state.store.counts(),
        }

    def _advance(self, body: bytes) -> JSONResponse:
        try:
            seconds = float(json.loads(body)["advance_s"])
        except (ValueError, KeyError, TypeError, RecursionError):
            seconds = math.nan
        if not 0 <= seconds <= MAX_ADVANCE_S:
            raise ApiError("", f'the body must be {{"advance_s": SECONDS}}, with SECONDS from 0 to {MAX_ADVANCE_S}')
        return JSONResponse({"now": iso(self._state.advance(seconds))})

    def _activate(self, body: bytes) -> JSONResponse:
        """Has a person agree to be a contact: `{"contact": NAME}`."""
        try:
            name = str(json.loads(body)["contact"])
        except (ValueError, KeyError, TypeError, RecursionError):
            raise ApiError("", 'the body must be {"contact": NAME}') from None
        with self._state.store.transaction():
            contact = activate(self._state.cms, name)
        return JSONResponse({"contact": name, "activated": contact.activated})

    def _reclaim(self, body: bytes) -> JSONResponse:
        """Takes spot instances away: `{"service": NAME, "instances": 1, "notice_s": 300, "region": "cn-hangzhou"}`."""
        try:
            wanted = Reclaim.model_validate({"region": self._state.settings.region, **json.loads(body)})
        except ValidationError as error:
            first = error.errors()[0]
            raise ApiError("", f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
        except (ValueError, TypeError, RecursionError):
            raise ApiError("", 'the body must be {"service": NAME, ...}') from None
        with self._state.store.transaction():
            return JSONResponse({"instances": reclaim(self._state.eas, wanted)})

    def _start_machines(self, body: bytes) -> JSONResponse:
        """How long machines of resource groups that are bought from now on take until they are ready."""
        try:
            wanted = Purchase.model_validate_json(body)
        except ValidationError:
            raise ApiError("", 'the body must be {"start_s": SECONDS}, with SECONDS from 0 to 86400') from None
        self._state.eas.machine_start_s = wanted.start_s
        return JSONResponse({"start_s": wanted.start_s})


def _check_origin(request: Request) -> None:
    """These pages need no signature, so no page of another site may reach them through somebody's browser."""
    origin = request.headers.get("origin")
    if origin and not LOOPBACK.match(origin.partition("://")[2]):
        raise ApiError("", f"pages of {origin} may not call this", 403)
