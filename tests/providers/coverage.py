"""`python -m tests.providers.coverage` writes providers/COVERAGE.md: what of EAS our resources change, and what not."""

import ast
from collections import defaultdict
from pathlib import Path

from alibabacloud_eas20210701.client import Client

from tests.emulator.contract import sdk_operations

PROVIDERS = Path(__file__).resolve().parents[2] / "providers"
PAGE = PROVIDERS / "COVERAGE.md"

# `resource_alicloud_pai_service.go` of the provider 1.285.0, which `pai.Service` of pulumi_alicloud is made from.
OF_PAI_SERVICE = frozenset({"CreateService", "DeleteService", "StartService", "StopService", "UpdateService"})

_NO_STATE = "is done once and leaves nothing that could be declared"
_APPS = "of language models that Alibaba Cloud packs (llama); our services bring their own containers"
_VPC = "connects a gateway to a VPC of the account's; stacks have no VPC settings for services yet"
_ACL = "says which addresses of a VPC may call a gateway; stacks have no VPC settings for services yet"
_GROUP_VPC = "connects the machines of a group to a VPC; stacks have no VPC settings for services yet"
_DOMAIN = "needs a domain and a certificate of the account's, of which stacks have no settings yet"
_BENCHMARK = "of a load test, which is run and read, and not declared; bench/ has its own"

LEFT_OUT = {
    "AttachGatewayDomain": _DOMAIN,
    "CloneService": f"{_NO_STATE}: two services of the same settings are the same",
    "CommitService": "of developer mode, in which a service is changed by hand",
    "CreateAclPolicy": _ACL,
    "CreateAppService": _APPS,
    "CreateBenchmarkTask": _BENCHMARK,
    "CreateConfig": "parameters that a service reads while it runs; the SDK does not say who reads which",
    "CreateFaultInjection": f"{_NO_STATE}: a fault is for a test, and must not be kept up",
    "CreateGatewayIntranetLinkedVpc": _VPC,
    "CreateGatewayIntranetLinkedVpcPeer": _VPC,
    "CreateResourceLog": "sends the logs of a group to SLS, of which stacks have no settings yet",
    "DeleteAclPolicy": _ACL,
    "DeleteBenchmarkTask": _BENCHMARK,
    "DeleteConfig": "as CreateConfig",
    "DeleteFaultInjection": "as CreateFaultInjection",
    "DeleteGatewayIntranetLinkedVpc": _VPC,
    "DeleteGatewayIntranetLinkedVpcPeer": _VPC,
    "DeleteResourceDLink": _GROUP_VPC,
    "DeleteResourceInstanceLabel": "the marks of machines do not change, and other labels are not ours",
    "DeleteResourceLog": "as CreateResourceLog",
    "DeleteServiceInstances": f"{_NO_STATE}: it restarts replicas",
    "DeleteServiceLabel": "labels are part of `pai.Service`, through an operation that the SDK does not have",
    "DetachGatewayDomain": _DOMAIN,
    "DevelopService": "switches developer mode on, in which a service is changed by hand",
    "MigrateResourceInstance": f"{_NO_STATE}: it moves machines between groups",
    "ReinstallTenantAddon": f"{_NO_STATE}: it repairs what Alibaba Cloud runs in the account",
    "RestartService": f"{_NO_STATE}: it restarts replicas",
    "ScaleService": "the number of replicas is part of the service's JSON, or its scalers'",
    "StartBenchmarkTask": _BENCHMARK,
    "StopBenchmarkTask": _BENCHMARK,
    "UpdateAppService": _APPS,
    "UpdateBenchmarkTask": _BENCHMARK,
    "UpdateConfig": "as CreateConfig",
    "UpdateResourceDLink": _GROUP_VPC,
    "UpdateServiceInstance": f"{_NO_STATE}: it isolates a replica for somebody who looks into it",
    "UpdateServiceLabel": "as DeleteServiceLabel",
}

HEAD = """\
# What of EAS our resources change

Written by `make coverage` from the calls in `providers/*.py`, held against the operations of the vendor's SDK (API
2021-07-01) that change something: all but those that are sent with GET. An operation of the SDK is in one of the two
tables, or a test fails.
"""


def changing() -> set[str]:
    """The SDK's operations that change something."""
    return {name for name, operation in sdk_operations("eas").items() if operation.method != "GET"}


def covered() -> dict[str, list[str]]:
    """The resources that call each of those operations, as far as there are any."""
    by_method = {name.lower(): name for name in changing()}
    found: dict[str, set[str]] = defaultdict(set)
    for name in OF_PAI_SERVICE:
        found[name].add("pai.Service")
    for file in PROVIDERS.glob("*.py"):
        tree = ast.parse(file.read_text())
        for method in _methods_called(tree) & by_method.keys():
            found[by_method[method]] |= _resources(tree) or {f"nothing: {file.name} has no resource"}
    return {name: sorted(resources) for name, resources in sorted(found.items())}


def page() -> str:
    """The text of COVERAGE.md."""
    rows = [f"| {name} | {', '.join(f'`{each}`' for each in resources)} |" for name, resources in covered().items()]
    reasons = [f"| {name} | {reason} |" for name, reason in sorted(LEFT_OUT.items())]
    return "\n".join(
        [
            HEAD,
            f"## Covered: {len(rows)}\n\n| operation | by |\n|---|---|",
            *rows,
            f"\n## Left out: {len(reasons)}\n\n| operation | why |\n|---|---|",
            *reasons,
            "",
        ]
    )


def _methods_called(tree: ast.Module) -> set[str]:
    """The methods of the SDK's client that are called, without underscores: the SDK has update_resource_dlink."""
    calls = (node.func for node in ast.walk(tree) if isinstance(node, ast.Call))
    names = {called.attr for called in calls if isinstance(called, ast.Attribute)}
    return {name.replace("_", "") for name in names if hasattr(Client, f"{name}_with_options")}


def _resources(tree: ast.Module) -> set[str]:
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef))
    return {node.name for node in classes if "Resource" in {ast.unparse(base) for base in node.bases}}


if __name__ == "__main__":
    PAGE.write_text(page())
