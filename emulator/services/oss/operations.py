"""Every OSS operation by its API name: how it is asked for, and the function that answers it.

A request is told apart by what it addresses (the service, a bucket or an object), its method, and the sub-resource or
header that selects among the operations on it: `PUT /key?tagging` is PutObjectTagging.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from emulator.errors import ApiError
from emulator.services.oss.errors import not_implemented
from emulator.services.oss.not_emulated import NOT_EMULATED
from emulator.services.oss.reply import Reply
from emulator.services.oss.request import OssRequest
from emulator.services.oss.service import Oss

Target = Literal["service", "bucket", "object"]
Body = Literal["none", "document", "data", "part", "copied part"]
Handler = Callable[[Oss, OssRequest], Reply]


@dataclass(frozen=True)
class Operation:
    """`selector` is empty for the plain operation of a method. `action` is what a policy calls it.

    `body` says what the request carries: a document, an object's data, or a part's (sent, or copied from an object).
    """

    name: str
    method: str
    target: Target
    selector: str
    body: Body
    action: str
    handler: Handler

    @property
    def writes(self) -> bool:
        return self.method not in ("GET", "HEAD", "OPTIONS")


operations: dict[str, Operation] = {}
_table: dict[tuple[Target, str, str], Operation] = {}
_selectors = {selector.split()[0] for _, _, selector in NOT_EMULATED if selector}

# Sub-resources with several operations on one method, told apart by the parameter `comp`.
_WITH_COMPONENT = frozenset({"cname", "replication", "metaQuery"})


def operation(
    name: str, method: str, target: Target, selector: str = "", *, body: Body = "none", action: str = ""
) -> Callable[[Handler], Handler]:
    """Registers the function below as the answer to `name`."""

    def register(handler: Handler) -> Handler:
        entry = (target, method, selector)
        if name in operations or entry in _table:
            raise ValueError(f"two handlers for {name} ({method} {target} {selector})")
        if selector and selector != "copy":
            _selectors.add(selector.split()[0])
        operations[name] = _table[entry] = Operation(name, method, target, selector, body, action or name, handler)
        return handler

    return register


def resolve(request: OssRequest) -> Operation:
    """The operation that `request` asks for.

    NotImplemented (501), with its name, for one that OSS has and the emulator has not; MethodNotAllowed when OSS has
    none either.
    """
    target: Target = "object" if request.key else "bucket" if request.bucket else "service"
    selector = _selector(request)
    found = _table.get((target, request.method, selector))
    if found is not None:
        return found
    name = NOT_EMULATED.get((target, request.method, selector))
    if name is not None:
        raise not_implemented(name)
    message = "The specified method is not allowed against this resource."
    details = {"Method": request.method, "ResourceType": (selector or target).upper()}
    raise ApiError("MethodNotAllowed", message, 405, details=details)


def _selector(request: OssRequest) -> str:
    query, headers = request.query, request.headers
    selector = next((name for name in query if name in _selectors), "") if query else ""
    if selector in _WITH_COMPONENT and "comp" in query:
        selector = f"{selector} {query['comp']}"
    if request.method == "PUT" and "x-oss-copy-source" in headers:
        selector = f"{selector} copy".lstrip()
    if "x-oss-callback" in headers or "callback" in query:
        raise not_implemented("upload callback")
    if "x-oss-access-point-name" in query:
        raise not_implemented("access point")
    return selector
