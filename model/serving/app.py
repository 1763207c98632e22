"""The pages by their paths, and what is done around every request."""

import logging
import re
import time
import uuid

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .log import log
from .predicted import tags_of
from .refusal import RefusedError
from .service import Service

KNOWN_PATHS = ("/", "/classify", "/healthz", "/metrics")
REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


class Observed:
    """Around every request: its id, one log line, one count; `Connection: close` on what is answered while draining."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started, status = time.perf_counter(), 500
        scope.setdefault("state", {})
        request_id = requested_id(scope) or uuid.uuid4().hex

        async def observed_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id.encode()))
                if self._service.draining:
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            await self._app(scope, receive, observed_send)
        except Exception:
            # The client has got its 500 by now.
            log.exception("failed", extra={"fields": {"request_id": request_id}})
        finally:
            path = scope["path"] if scope["path"] in KNOWN_PATHS else "other"
            self._service.answers[path, status] += 1
            elapsed = round((time.perf_counter() - started) * 1000, 3)
            entry = {"request_id": request_id, "method": scope["method"], "path": scope["path"]}
            quiet = path in ("/healthz", "/metrics") and status == 200
            told = scope["state"].get("predicted", {})
            if tags := tags_of(dict(scope["headers"])):
                told = {**told, "tags": tags}
            fields = {**entry, "status": status, "latency_ms": elapsed, **told}
            log.log(logging.DEBUG if quiet else logging.INFO, "request", extra={"fields": fields})


def requested_id(scope: Scope) -> str | None:
    headers = dict(scope["headers"])
    named = headers.get(b"x-request-id") or headers.get(b"x-eas-request-id") or b""
    request_id: str = named.decode("latin-1")
    return request_id if REQUEST_ID.fullmatch(request_id) else None


def create_app(service: Service) -> ASGIApp:
    async def refuse(_request: Request, error: Exception) -> Response:
        refused = refusal_of(error)
        service.refusals[refused.code] += 1
        content = {"error": {"code": refused.code, "message": refused.message}}
        return JSONResponse(content, refused.status, headers=refused.headers)

    app = Starlette(
        routes=[
            Route("/", service.root, methods=["GET", "POST"]),
            Route("/classify", service.classify, methods=["POST"]),
            Route("/healthz", service.healthz),
            Route("/metrics", service.metrics),
        ],
        exception_handlers={RefusedError: refuse, HTTPException: refuse, Exception: refuse},
        lifespan=service.lifespan,
    )
    app.router.redirect_slashes = False
    return Observed(app, service)


def refusal_of(error: Exception) -> RefusedError:
    """What the client is told: a refusal as it is, Starlette's own in the same form, of anything else nothing."""
    if isinstance(error, RefusedError):
        return error
    if not isinstance(error, HTTPException):
        return RefusedError(500, "internal", "the service failed; its log says why, under this request's id")
    if error.status_code != 405 or not error.headers:
        return RefusedError(error.status_code, "not_found", f"there are {', '.join(KNOWN_PATHS)}")
    message = f"the method is not allowed here; allowed: {', '.join(sorted(error.headers['Allow'].split(', ')))}"
    return RefusedError(405, "method_not_allowed", message, error.headers)
