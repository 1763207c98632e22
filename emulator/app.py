"""The ASGI application: finds the addressee of a request, has the caller proven, dispatches, answers.

No service's rules are here.
"""

import logging

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from emulator import wire
from emulator.addresses import Address, locate
from emulator.admin import Admin
from emulator.errors import ApiError
from emulator.operations import Answer, Call, Product
from emulator.services.aiworkspace.service import aiworkspace
from emulator.services.bss.service import bss
from emulator.services.cms.service import cms
from emulator.services.dsw.product import dsw
from emulator.services.eas.dataplane.gateway import PREFIX as GATEWAY_PREFIX
from emulator.services.eas.product import eas, eas_tags
from emulator.services.location.service import location
from emulator.services.oss.frontend import OssFrontend
from emulator.services.oss.reply import refusal as oss_refusal
from emulator.services.ram.service import ram
from emulator.services.sts.service import sts
from emulator.signatures.json_apis import JsonApiSignatures
from emulator.state import State

INTERNAL_ERROR = ApiError("InternalError", "The request failed by a fault of the emulator, which its log tells.", 500)

log = logging.getLogger("emulator")


class Emulator:
    """One emulated Alibaba Cloud over `state`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._admin = Admin(state)
        self._oss = OssFrontend(state)
        self._signatures = JsonApiSignatures(state.access_keys)
        # A JSON product's operations, and the part of the state that they work on.
        self._products: dict[str, tuple[Product, object]] = {
            "aiworkspace": (aiworkspace, state.workspaces),
            "bss": (bss, None),
            "cms": (cms, state.cms),
            "pai-dsw": (dsw, state.dsw),
            "eas": (eas, state.eas),
            "eas-tags": (eas_tags, state.eas),
            "location": (location, state),
            "ram": (ram, state.ram),
            "sts": (sts, state.sts),
        }

    @property
    def products(self) -> list[Product]:
        """The JSON APIs that are emulated."""
        return [product for product, _ in self._products.values()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and (region := _gateway_region(scope)) is not None:
            await self._state.eas.gateway.serve(scope, receive, send, region)
        elif scope["type"] == "http":
            request = Request(scope, receive, send)
            try:
                response = await self._respond(request)
            except ClientDisconnect:
                return
            await response(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._state.start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._state.stop()
        self._state.store.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _respond(self, request: Request) -> ASGIApp:
        host = request.headers.get("host", "")
        try:
            address = locate(host, request.scope["path"], await _version(request))
        except ApiError as error:
            return wire.refused(error, wire.new_request_id(), host)
        try:
            if address.product == "emulator":
                return await self._admin.respond(request)
            if address.product == "oss":
                return await self._oss.respond(request, address)
            return await self._json_api(request, address, host)
        except ClientDisconnect:
            raise
        except Exception:  # the boundary of the server: whatever went wrong is the emulator's fault
            request_id = wire.new_request_id()
            log.exception("%s %s (%s) failed, request id %s", request.method, request.scope["path"], host, request_id)
            if address.product == "oss":
                return oss_refusal(INTERNAL_ERROR, request_id, host, head=request.method == "HEAD")
            return wire.refused(INTERNAL_ERROR, request_id, host)

    async def _json_api(self, request: Request, address: Address, host: str) -> Response:
        request_id = wire.new_request_id()
        try:
            received = await wire.received(request)
            now = self._state.clock.now()
            caller = self._signatures.authenticate(received, now)
            product, state = self._product(address.product)
            settings = self._state.settings
            call = Call(settings.account_id, address.region or settings.region, request_id, now, caller)
            with self._state.store.transaction():
                answer = _dispatch(product, state, call, received)
        except ApiError as error:
            return wire.refused(error, request_id, host)
        return wire.answered(answer, request_id)

    def _product(self, name: str) -> tuple[Product, object]:
        try:
            return self._products[name]
        except KeyError:
            raise ApiError("Emulator.NotImplemented", f"the emulator has no {name}") from None


def _dispatch(product: Product, state: object, call: Call, received: wire.ReceivedCall) -> Answer:
    if product.style == "RPC":
        operation = product.by_name(received.action)
        return operation.answer(state, call, {}, wire.rpc_parameters(received, operation.parameters), b"")
    operation, path = product.by_path(received.method, received.path, received.action)
    return operation.answer(state, call, path, dict(received.query), received.body)


def _gateway_region(scope: Scope) -> str | None:
    """The region of a request to a service, empty at the bare endpoint; None for every other request."""
    if not scope["path"].startswith(GATEWAY_PREFIX):
        return None
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    try:
        address = locate(host, scope["path"], "")
    except ApiError:
        return None
    return address.region if address.product == "eas-gateway" else None


async def _version(request: Request) -> str:
    """The API version that a request carries, or nothing: the form body is only read when it must hold it."""
    if version := request.headers.get("x-acs-version"):
        return str(version)
    if b"Version=" in request.scope["query_string"]:
        return str(request.query_params.get("Version", ""))
    # Only an RPC call has its version in a form, and its path is /: no object's data is read here.
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    if is_form and request.method == "POST" and request.scope["path"] == "/":
        return (await wire.received(request)).version
    return ""
