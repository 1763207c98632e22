"""The console's server: the page, and what it asks for as JSON. Everything is read, nothing is changed.

It answers on the loopback only, and only requests that name it: a page of another site that finds its way here by a
name of its own is refused. No answer holds a token or a key.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from httpx import HTTPError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send
from Tea.exceptions import TeaException

from jobs.logs import LEVELS, Search, read, since_of
from jobs.problem import JobError
from jobs.webconsole import services
from jobs.webconsole.alarms import alarms, outbox
from jobs.webconsole.measurements import RANGES, Range, course, newest, reported
from jobs.webconsole.source import Source

PAGE = Path(__file__).parent / "page"
MOST_LINES = 500
KEPT_S = 2.0
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self'; img-src 'self' data:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


class OnlyForThisMachine:
    """Refuses requests to a name that is not this machine's own loopback, and those of other sites' pages."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._respond(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _respond(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        host = headers.get("host", "")
        named = host.rpartition(":")[0] in ("127.0.0.1", "localhost")
        origin = headers.get("origin")
        if not named or (origin is not None and origin != f"http://{host}"):
            refused = JSONResponse({"error": "this page is for this machine only"}, 403)
            await refused(scope, receive, send)
            return

        async def guarded(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] += [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
            await send(message)

        await self._app(scope, receive, guarded)


class Kept:
    """Answers a question once for all who ask it within `KEPT_S`: several pages, or a page that is in a hurry."""

    def __init__(self) -> None:
        self._answers: dict[str, tuple[float, Any]] = {}
        self._locks: dict[str, threading.Lock] = {}

    def get(self, question: str, ask: Callable[[], Any]) -> Any:
        with self._locks.setdefault(question, threading.Lock()):
            asked, answer = self._answers.get(question, (0.0, None))
            if time.monotonic() - asked > KEPT_S or asked == 0.0:
                answer = ask()
                self._answers[question] = (time.monotonic(), answer)
            return answer


def create_app(source: Source) -> ASGIApp:
    """The ASGI application over one stack."""
    kept = Kept()

    def stack(request: Request) -> dict[str, Any]:
        del request
        return dict(kept.get("stack", lambda: _stack(source)))

    def service(request: Request) -> dict[str, Any]:
        key = request.path_params["key"]
        name = source.name_of(key)
        return dict(kept.get(f"service/{key}", lambda: _service(source, key, name)))

    def metrics(request: Request) -> dict[str, Any]:
        key, asked = request.path_params["key"], request.query_params.get("range", "1h")
        name, range_ = source.name_of(key), _range(asked)
        return dict(kept.get(f"metrics/{key}/{asked}", lambda: _metrics(source, name, range_)))

    def logs(request: Request) -> dict[str, Any]:
        return _logs(source, source.name_of(request.path_params["key"]), request)

    def page(request: Request) -> Response:
        del request
        return FileResponse(PAGE / "index.html", media_type="text/html; charset=utf-8")

    answers = [
        ("/api/stack", stack),
        ("/api/services/{key}", service),
        ("/api/services/{key}/metrics", metrics),
        ("/api/services/{key}/logs", logs),
    ]
    return Starlette(
        routes=[
            Route("/", page),
            *(Route(path, partial(_answered, answer)) for path, answer in answers),
            Mount("/page", StaticFiles(directory=PAGE)),
        ],
        middleware=[Middleware(OnlyForThisMachine)],
        exception_handlers={HTTPException: _refused},
    )


async def _refused(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    return JSONResponse({"error": error.detail}, error.status_code)


async def _answered(answer: Callable[[Request], dict[str, Any]], request: Request) -> Response:
    """The SDKs block, so each answer is made on a thread. What the cloud refuses is told with its own code."""
    from starlette.concurrency import run_in_threadpool

    try:
        return JSONResponse(await run_in_threadpool(answer, request))
    except JobError as problem:
        return JSONResponse({"error": str(problem)}, 404)
    except HTTPError as error:
        return JSONResponse({"error": f"the emulator does not answer: {error}"}, 502)
    except TeaException as error:
        return JSONResponse({"error": f"{error.code}: {error.message}"}, 502)


def _stack(source: Source) -> dict[str, Any]:
    now = source.now()
    found = services.overview(source)
    values = newest(source.cms, [each["name"] for each in found], now)
    target = source.config.target
    return {
        "stack": source.stack,
        "where": f"emulator {target.emulator}" if target.emulator else target.region,
        "now": now.timestamp(),
        "services": [{**each, "newest": values.get(each["name"], {})} for each in found],
        "alarms": alarms(source, now),
        "outbox": outbox(source),
        "traffic": services.traffic(source),
    }


def _service(source: Source, key: str, name: str) -> dict[str, Any]:
    return {
        "replicas": services.replicas(source, name),
        "events": services.events(source, name),
        "scaling": services.scaling(source, key),
        "settings": _settings(source, key),
    }


def _settings(source: Source, key: str) -> dict[str, Any]:
    its = source.config.services[key]
    return {
        "model": its.model.name,
        "runtime": its.model.runtime,
        "instance_type": its.instance_type,
        "least_replicas": its.least_replicas,
        "most_replicas": its.most_replicas,
        "timeout_s": its.request.timeout_s,
    }


def _metrics(source: Source, name: str, range_: Range) -> dict[str, Any]:
    now = source.now()
    found = course(source.cms, name, range_, now)
    return found | {"reported": reported(source.cms, source.config.target.account_id, name, range_, now)}


def _range(asked: str) -> Range:
    if asked not in RANGES:
        raise JobError(f"range: found {asked!r}; there are {', '.join(RANGES)}")
    return RANGES[asked]


def _logs(source: Source, name: str, request: Request) -> dict[str, Any]:
    """The newest `MOST_LINES` lines that match."""
    asked = request.query_params
    level = asked.get("level") or None
    if level is not None and level not in LEVELS:
        raise JobError(f"level: found {level!r}; there are {', '.join(LEVELS)}")
    search = Search(asked.get("grep", ""), level, asked.get("request_id") or None)
    begin = since_of(asked.get("since") or "15m", source.now())
    found: deque[Any] = deque(read(source.eas, source.region, name, search, begin), MOST_LINES + 1)
    more = len(found) > MOST_LINES
    if more:
        found.popleft()
    return {
        "more": more,
        "lines": [{"at": each.time, "level": each.level, "text": each.text, "fields": each.fields} for each in found],
    }
