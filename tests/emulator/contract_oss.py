"""OSS's part of the contract: its SDK declares operations otherwise than those of the JSON APIs."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import alibabacloud_oss_v2.operations as sdk

from emulator.services.oss.operations import Operation

# The SDK sends these only with a request that names an upload or a source, so they are not in its declaration.
_FROM_THE_REQUEST = {"uploadId", "copy"}


@dataclass(frozen=True)
class OssSdkOperation:
    """`parameters` are those that every request of the operation has in its query."""

    name: str
    method: str
    parameters: frozenset[str]


@cache
def sdk_oss_operations() -> dict[str, OssSdkOperation]:
    """Every operation of the installed SDK, by name."""
    assert sdk.__file__ is not None
    calls = [
        {keyword.arg: keyword.value for keyword in node.keywords}
        for file in sorted(Path(sdk.__file__).parent.glob("*.py"))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("OperationInput")
    ]
    found = (
        OssSdkOperation(ast.literal_eval(call["op_name"]), ast.literal_eval(call["method"]), _names(call))
        for call in calls
    )
    return {operation.name: operation for operation in found}


def _names(call: dict[str | None, ast.expr]) -> frozenset[str]:
    parameters = call.get("parameters")
    if not isinstance(parameters, ast.Dict):
        return frozenset()
    return frozenset(ast.literal_eval(key) for key in parameters.keys if key is not None)


def problems_of_oss(operation: Operation) -> list[str]:
    """What the SDK does not have: the operation, its method, or the parameter that selects it."""
    known = sdk_oss_operations().get(operation.name)
    if known is None:
        return [f"oss has no operation {operation.name}"]
    selectors = set(operation.selector.split()[:1]) - _FROM_THE_REQUEST
    problems = (
        [] if operation.method == known.method else [f"{operation.name} is {known.method}, not {operation.method}"]
    )
    return problems + [f"{operation.name} is not asked for by {name}" for name in selectors - known.parameters]
