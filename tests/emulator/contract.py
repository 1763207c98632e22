"""The vendor's SDKs as the contract: what an operation is called, takes and answers, read from their source.

`ContractChecked` wraps the emulator in every test that calls it, so that each live answer is held against it.
"""

import ast
import importlib
import inspect
import json
import textwrap
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import parse_qs

from pydantic import BaseModel
from starlette.requests import Request
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from emulator.addresses import VERSIONS
from emulator.operations import Operation, Product

PACKAGES = {
    "eas": "alibabacloud_eas20210701",
    "aiworkspace": "alibabacloud_aiworkspace20210204",
    "pai-dsw": "alibabacloud_pai_dsw20220101",
    "cms": "alibabacloud_cms20190101",
    "ram": "alibabacloud_ram20150501",
    "sts": "alibabacloud_sts20150401",
    "location": "alibabacloud_location20150612",
}

# What the Go provider (1.285.0) sends beyond what the SDKs declare: resource_alicloud_pai_service.go, SetResourceTags
# in service_alicloud_ram_v2.go, and in resource_alicloud_pai_workspace_*.go ids in the body that are in the path too.
PROVIDER_ALSO_SENDS = {
    "DescribeService": frozenset({"ClusterId"}),
    "UpdateService": frozenset({"ClusterId"}),
    "DeleteService": frozenset({"ClusterId"}),
    "StartService": frozenset({"ClusterId"}),
    "StopService": frozenset({"ClusterId"}),
    "UntagResources": frozenset({"TagKey"}),
    "UpdateWorkspace": frozenset({"WorkspaceId"}),
    "UpdateModel": frozenset({"ModelId"}),
    "CreateModelLabels": frozenset({"ModelId"}),
    "UpdateDataset": frozenset({"DatasetId"}),
    "CreateDatasetLabels": frozenset({"DatasetId"}),
    "UpdateCodeSource": frozenset({"CodeSourceId"}),
    "UpdateExperiment": frozenset({"ExperimentId"}),
}


@dataclass(frozen=True)
class SdkOperation:
    """`body` is None where the SDK sends any document; `request` is None where an operation takes nothing."""

    name: str
    version: str
    style: str
    method: str
    path: str
    query: frozenset[str]
    body: frozenset[str] | None
    request: type | None
    response_body: type


@dataclass(frozen=True)
class WireField:
    """A field of one of the SDK's models: its type, and the model it holds, if any."""

    hint: Any
    nested: type | None


def problems_of(product: Product, operation: Operation) -> list[str]:
    """What the SDK does not have: the operation itself, its way of arriving, or a parameter."""
    sdk = sdk_operations(product.name).get(operation.name)
    if sdk is None:
        return [f"{product.name} has no operation {operation.name}"]
    declared = (product.version, product.style, operation.method, operation.path or "/")
    known = (sdk.version, sdk.style, operation.method if sdk.style == "RPC" else sdk.method, sdk.path)
    problems = [] if declared == known else [f"{operation.name} is {known}, not {declared}"]
    further = PROVIDER_ALSO_SENDS.get(sdk.name, frozenset())
    in_body = further if sdk.body is None else sdk.body | further
    in_query = sdk.query | (in_body if sdk.style == "RPC" else further)
    for model, names in ((operation.query, in_query), (operation.body, None if sdk.body is None else in_body)):
        if inspect.isclass(model) and issubclass(model, BaseModel) and names is not None:
            problems += [f"{operation.name} has no parameter {name}" for name in _unknown(model, names, sdk.request)]
    return problems


def problems_of_answer(product: str, operation: str, answer: dict[str, Any]) -> list[str]:
    """The fields of `answer` that the SDK does not know, or knows with another type; every answer has a RequestId."""
    own = {name: value for name, value in answer.items() if name != "RequestId"}
    return list(_foreign(sdk_operations(product)[operation].response_body, own, operation))


class ContractChecked:
    """Passes everything on to `app`, and collects in `problems` what its answers have that the SDKs have not."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.problems: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        called = _called(scope)
        if called is None:
            await self._app(scope, receive, send)
            return
        chunks: list[bytes] = []
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            chunks.append(message.get("body", b""))
            await send(message)

        await self._app(scope, receive, watched)
        if status == 200:
            self.problems += problems_of_answer(*called, json.loads(b"".join(chunks)))


def _called(scope: Scope) -> tuple[str, str] | None:
    """Product and operation of a JSON API call."""
    if scope["type"] != "http":
        return None
    headers = Request(scope).headers
    query = parse_qs(scope["query_string"].decode("latin-1"))
    product = VERSIONS.get(headers.get("x-acs-version") or query.get("Version", [""])[0], "")
    if product not in PACKAGES:
        return None
    action = headers.get("x-acs-action") or query.get("Action", [""])[0]
    operations = sdk_operations(product)
    if action in operations:
        return product, action
    for method, pattern, name in _routes(product):
        if method == scope["method"] and pattern.match(scope["path"]):
            return product, name
    return None


@cache
def _routes(product: str) -> list[tuple[str, Any, str]]:
    operations = sdk_operations(product).values()
    return [(sdk.method, compile_path(sdk.path)[0], sdk.name) for sdk in operations if sdk.style == "ROA"]


@cache
def sdk_operations(product: str) -> dict[str, SdkOperation]:
    """Every operation of a product's installed SDK, by name."""
    client = importlib.import_module(f"{PACKAGES[product]}.client")
    models = importlib.import_module(f"{PACKAGES[product]}.models")
    assert client.__file__ is not None
    functions = (
        node
        for node in ast.walk(ast.parse(Path(client.__file__).read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.endswith("with_options")
    )
    operations = (_operation(function, models) for function in functions)
    return {operation.name: operation for operation in operations}


def _operation(function: ast.FunctionDef, models: ModuleType) -> SdkOperation:
    calls = {ast.unparse(node.func).split(".")[-1]: node for node in ast.walk(function) if isinstance(node, ast.Call)}
    request, response = (
        _request(function, models),
        getattr(models, ast.unparse(function.returns or function).split(".")[-1]),
    )
    response_body = typing.get_type_hints(response.__init__)["body"]
    if "Params" not in calls:  # the older generator
        name, version = (ast.literal_eval(argument) for argument in calls["do_rpcrequest"].args[:2])
        names = frozenset(fields_of(request) if request else ())
        return SdkOperation(name, version, "RPC", "POST", "/", names, frozenset(), request, response_body)
    params = {keyword.arg: keyword.value for keyword in calls["Params"].keywords}
    name, version, method, style = (ast.literal_eval(params[key]) for key in ("action", "version", "method", "style"))
    sent = {keyword.arg: ast.unparse(keyword.value) for keyword in calls["OpenApiRequest"].keywords}
    body = None if sent.get("body", "").endswith(".body") else _assigned(function, "body")
    query = _assigned(function, "query")
    return SdkOperation(name, version, style, method, _path(params["pathname"]), query, body, request, response_body)


def _request(function: ast.FunctionDef, models: ModuleType) -> type | None:
    annotations = (ast.unparse(argument.annotation) for argument in function.args.args if argument.annotation)
    names = (annotation.split(".")[-1] for annotation in annotations)
    return next((getattr(models, name) for name in names if name.endswith("Request")), None)


def _path(node: ast.expr) -> str:
    """The template in `f'/api/v2/services/{DaraURL.percent_encode(cluster_id)}'`."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    assert isinstance(node, ast.JoinedStr)
    parts = []
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            assert isinstance(part.value, ast.Call)
            parts.append(f"{{{ast.unparse(part.value.args[0])}}}")
        else:
            parts.append(ast.literal_eval(part))
    return "".join(parts)


def _assigned(function: ast.FunctionDef, variable: str) -> frozenset[str]:
    """The keys in `query['Develop'] = ...`."""
    targets = (node.targets[0] for node in ast.walk(function) if isinstance(node, ast.Assign))
    return frozenset(
        ast.literal_eval(target.slice)
        for target in targets
        if isinstance(target, ast.Subscript) and ast.unparse(target.value) in (variable, f"{variable}_flat")
    )


@cache
def fields_of(model: type) -> dict[str, WireField]:
    """The fields of one of the SDK's models by their names on the wire, as its `from_map` reads them."""
    hints = typing.get_type_hints(model.__init__)  # type: ignore[misc]
    source = ast.parse(textwrap.dedent(inspect.getsource(model.from_map)))  # type: ignore[attr-defined]
    fields = {}
    for node in ast.walk(source):
        if isinstance(node, ast.If) and ast.unparse(node.test).startswith("m.get("):
            key = ast.literal_eval(next(part for part in ast.walk(node.test) if isinstance(part, ast.Call)).args[0])
            hint = hints[_attribute(node)]
            fields[key] = WireField(hint, next(_models_in(hint), None))
    return fields


def _attribute(node: ast.If) -> str:
    return next(
        part.attr
        for part in ast.walk(node)
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id == "self"
    )


def _models_in(hint: Any) -> Iterator[type]:
    if hasattr(hint, "from_map"):
        yield hint
    for argument in typing.get_args(hint):
        yield from _models_in(argument)


def _unknown(model: type[BaseModel], names: frozenset[str], sdk_model: type | None) -> Iterator[str]:
    """Parameters of `model`, at any depth, that the SDK does not send."""
    nested = fields_of(sdk_model) if sdk_model else {}
    for attribute, field in model.model_fields.items():
        name = field.alias or attribute
        if name not in names:
            yield name
        elif (inner := next(_pydantic_in(field.annotation), None)) and (known := nested[name].nested):
            yield from (f"{name}.{part}" for part in _unknown(inner, frozenset(fields_of(known)), known))


def _pydantic_in(hint: Any) -> Iterator[type[BaseModel]]:
    if inspect.isclass(hint) and issubclass(hint, BaseModel):
        yield hint
    for argument in typing.get_args(hint):
        yield from _pydantic_in(argument)


def _foreign(hint: Any, value: Any, path: str) -> Iterator[str]:
    """Parts of `value` that a response of the type `hint` does not have."""
    if hasattr(hint, "from_map") and isinstance(value, dict):
        fields = fields_of(hint)
        for key, inner in value.items():
            if key in fields:
                yield from _foreign(fields[key].hint, inner, f"{path}.{key}")
            else:
                yield f"{path} has no field {key}"
    elif typing.get_origin(hint) is list and isinstance(value, list):
        for inner in value:
            yield from _foreign(typing.get_args(hint)[0], inner, f"{path}[]")
    elif typing.get_origin(hint) is dict and isinstance(value, dict):
        for key, inner in value.items():
            yield from _foreign(typing.get_args(hint)[1], inner, f"{path}.{key}")
    elif not _is(value, hint):
        yield f"{path} is {getattr(hint, '__name__', hint)}, not {value!r}"


def _is(value: Any, hint: Any) -> bool:
    """The SDKs read null as if the field were not there."""
    if hint is Any or value is None:
        return True
    if hint is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return type(value) is hint
