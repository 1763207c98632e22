"""The gateway: `/api/predict/<service>/<rest>` goes to `/<rest>` of one of the service's instances."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from starlette.types import Receive, Scope, Send

from emulator.services.eas.dataplane.admission import RejectedError, is_authorized
from emulator.services.eas.dataplane.backend import Backend
from emulator.services.eas.dataplane.exchange import PREFIX, DisconnectedError, Exchange
from emulator.services.eas.dataplane.mirroring import Mirroring
from emulator.services.eas.dataplane.routes import Route, Routes
from emulator.services.eas.dataplane.upstream import BrokenError, UnreachableError, Upstream

__all__ = ["PREFIX", "Gateway"]


class Gateway:
    """An ASGI application for the requests to services."""

    def __init__(self, routes: Routes, upstream: Upstream, now: Callable[[], datetime]) -> None:
        self._routes, self._upstream, self._now = routes, upstream, now
        self._mirroring = Mirroring(routes, upstream)

    def close(self) -> None:
        """Gives up what is under way in the background."""
        self._mirroring.close()

    async def serve(self, scope: Scope, receive: Receive, send: Send, region: str) -> None:
        """Answers one request; `region` is empty at the bare endpoint, which names none.

        Answers of its own, as "Appendix: Service status codes and common errors" of the EAS user guide lists them:
        401, 404, 408, 429, 450, 503; 499 is recorded for a client that has gone.
        """
        exchange = Exchange(scope, receive, send)
        try:
            entry = self._routes.find(region, exchange.service)
        except RejectedError as rejection:
            await exchange.reject(rejection)
            return
        accesses = entry.accesses
        try:
            if not is_authorized(entry.token, entry.key.name, exchange.method, exchange.headers):
                raise RejectedError(401, "The token in the Authorization header is missing or wrong")
            route = entry.member()
            accesses = route.accesses
            route.last_arrival = self._now()
            route.admit()
            await self._serve_in_time(route, exchange)
        except RejectedError as rejection:
            await exchange.reject(rejection)
        except DisconnectedError:
            exchange.status = 499
        accesses.append(exchange.access())

    async def _serve_in_time(self, route: Route, exchange: Exchange) -> None:
        """Has an instance answer within `rpc.keepalive`, while the client is there."""
        route.in_flight += 1
        try:
            with exchange.attended():
                async with asyncio.timeout(route.keepalive_s):
                    await self._serve_by_any(route, exchange)
        except TimeoutError:
            limit_ms = round(route.keepalive_s * 1000)
            raise RejectedError(408, f"The request was not answered within rpc.keepalive ({limit_ms} ms)") from None
        finally:
            route.in_flight -= 1

    async def _serve_by_any(self, route: Route, exchange: Exchange) -> None:
        """Asks one instance after the other until one has answered.

        Another one is asked when nothing of the request was sent, and for an idempotent method also when the
        connection broke before the answer began; a POST that an instance may have got is never repeated.
        """
        body = await exchange.body()  # a slow client takes no instance's turn
        if isinstance(body, bytes):
            self._mirroring.copy(route, exchange, body)
        tried: set[Backend] = set()
        problem = RejectedError(503, "No instance could be reached")
        while backend := route.choose(tried):
            await backend.enter()
            try:
                exchange.instance = backend.name
                await self._ask(backend, exchange)
                return
            except UnreachableError:
                tried.add(backend)
            except BrokenError as error:
                problem = RejectedError(502, f"The instance did not answer: {error}")
                if not exchange.repeatable:
                    break
                tried.add(backend)
            finally:
                backend.leave()
        raise problem

    async def _ask(self, backend: Backend, exchange: Exchange) -> None:
        body = await exchange.body()
        headers = exchange.forwarded_headers()
        if backend.faults is not None:
            await backend.faults.wait()
        connection = await self._upstream.send(backend.port, exchange.method.encode(), exchange.target, headers, body)
        try:
            await exchange.answer(connection)
        finally:
            self._upstream.release(connection)
