"""An emulated operation: its name, how it arrives, and the function that answers it."""

import importlib
import inspect
import reprlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.routing import compile_path

from emulator.credentials import AccessKey
from emulator.errors import ApiError

Answer = dict[str, Any]
Handler = Callable[..., Answer]


class Parameters(BaseModel):
    """Base of what an operation takes in its query or body: wire names are given as aliases, others are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False, defer_build=True)


@dataclass(frozen=True)
class Call:
    """Who calls, where and when: what a handler may need beside its parameters."""

    account_id: str
    region: str
    request_id: str
    now: datetime
    caller: AccessKey


@dataclass(frozen=True)
class Operation:
    """`path` is a template (`/api/v2/services/{cluster_id}`) in ROA products and empty in RPC ones."""

    name: str
    method: str
    path: str
    handler: Handler
    query: type[BaseModel] | None
    body: type[BaseModel] | type[bytes] | None

    @property
    def parameters(self) -> set[str]:
        """The names on the wire of what its query takes."""
        fields = self.query.model_fields.items() if self.query else ()
        return {field.alias or name for name, field in fields}

    def answer(self, state: Any, call: Call, path: Mapping[str, str], query: Mapping[str, Any], body: bytes) -> Answer:
        """Checks the parameters, calls the handler and returns its answer; ApiError when either refuses."""
        arguments: dict[str, Any] = dict(path)
        if self.query is not None:
            arguments["query"] = self._parsed(self.query, query)
        if self.body is bytes:
            arguments["body"] = body
        elif self.body is not None:
            arguments["body"] = self._parsed_json(body)
        if "call" in inspect.signature(self.handler).parameters:
            arguments["call"] = call
        return self.handler(state, **arguments)

    def _parsed(self, model: type[BaseModel], values: Mapping[str, Any]) -> BaseModel:
        try:
            return model.model_validate(values)
        except ValidationError as error:
            raise _refusal(self.name, model, error) from None

    def _parsed_json(self, body: bytes) -> BaseModel:
        assert self.body is not None  # noqa: S101 - narrows the type
        assert issubclass(self.body, BaseModel)  # noqa: S101
        try:
            return self.body.model_validate_json(body or b"{}")
        except ValidationError as error:
            raise _refusal(self.name, self.body, error) from None


class Product:
    """The emulated operations of one API product, in one version.

    Importing `registered_by` registers them, which happens when one is asked for: the parameters of all products
    were a quarter of an emulator's start, and few who start one call all.
    """

    def __init__(self, name: str, version: str, style: Literal["RPC", "ROA"], *, registered_by: str = "") -> None:
        self.name, self.version, self.style = name, version, style
        self._registered_by = registered_by
        self._operations: dict[str, Operation] = {}
        self._routes: list[tuple[str, Any, Operation]] = []

    @property
    def operations(self) -> Mapping[str, Operation]:
        """All operations by name."""
        self._complete()
        return self._operations

    def _complete(self) -> None:
        if self._registered_by:
            importlib.import_module(self._registered_by)
            self._registered_by = ""

    def operation(self, name: str, method: str = "POST", path: str = "") -> Callable[[Handler], Handler]:
        """Registers the function below as the answer to `name`.

        It takes the product's state first, then by name: the path's parameters, `query` and `body` (annotated with a
        `Parameters` model, `body` also with `bytes`) and `call`, as far as it declares them.
        """

        def register(handler: Handler) -> Handler:
            if name in self._operations:
                raise ValueError(f"{self.name} has two handlers for {name}")
            types = inspect.get_annotations(handler, eval_str=True)
            operation = Operation(name, method, path, handler, types.get("query"), types.get("body"))
            self._operations[name] = operation
            if path:
                self._routes.append((method, compile_path(path)[0], operation))
            return handler

        return register

    def by_name(self, name: str) -> Operation:
        """The operation of an RPC call; ApiError when it is not emulated."""
        try:
            return self.operations[name]
        except KeyError:
            raise not_emulated(self, name) from None

    def by_path(self, method: str, path: str, name: str) -> tuple[Operation, dict[str, str]]:
        """The operation of a ROA call and its path parameters; `name` (may be empty) is only for the refusal."""
        self._complete()
        for route_method, pattern, operation in self._routes:
            if route_method == method and (match := pattern.match(path)):
                return operation, match.groupdict()
        raise not_emulated(self, name or f"{method} {path}")


def not_emulated(product: Product, name: str) -> ApiError:
    """With status 400: the Go provider repeats for minutes what gets a 5xx, and takes a 404 for a deleted resource."""
    message = f"the emulator has no {name} in {product.name} {product.version}; COVERAGE.md lists what it has"
    return ApiError("Emulator.NotImplemented", message)


def _refusal(operation: str, model: type[BaseModel], error: ValidationError) -> ApiError:
    """The first problem, in the words of Alibaba Cloud's common error codes."""
    first = error.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    if first["type"] == "missing":
        return ApiError(
            "MissingParameter",
            f'The input parameter "{name}" that is mandatory for processing {operation} is not supplied.',
        )
    if first["type"] == "extra_forbidden":
        known = ", ".join(sorted(field.alias or key for key, field in model.model_fields.items()))
        return ApiError(
            "InvalidParameter", f'The emulated {operation} has no parameter "{name}"; it takes: {known or "none"}.'
        )
    problem = first["msg"].removeprefix("Value error, ")
    if not name:
        return ApiError("InvalidParameter", f"The parameters of {operation}: {problem}.")
    return ApiError(
        f"InvalidParameter.{name}", f'"{name}" of {operation}: {problem}, found {reprlib.repr(first["input"])}.'
    )
