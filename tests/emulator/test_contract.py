"""The emulator claims only what the vendor's SDKs know."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import Field

from emulator.app import Emulator
from emulator.operations import Parameters, Product
from emulator.services.location.service import DescribeEndpoints
from emulator.services.oss.operations import operations as oss_operations
from emulator.state import Settings, State
from tests.emulator import coverage
from tests.emulator.contract import problems_of, problems_of_answer, sdk_operations
from tests.emulator.contract_oss import problems_of_oss

# There is no published SDK for what the Go provider calls to label EAS services.
WITHOUT_SDK = {"eas-tags"}


def test_every_emulated_operation_and_parameter_is_the_sdks(tmp_path: Path) -> None:
    state = State(Settings(data_dir=tmp_path, port=0))

    problems = [
        problem
        for product in Emulator(state).products
        if product.name not in WITHOUT_SDK
        for operation in product.operations.values()
        for problem in problems_of(product, operation)
    ]

    state.store.close()
    assert problems == []


def test_every_emulated_oss_operation_is_the_sdks() -> None:
    assert [problem for operation in oss_operations.values() for problem in problems_of_oss(operation)] == []


def test_the_page_of_what_is_emulated_is_up_to_date() -> None:
    assert coverage.PAGE.read_text() == coverage.page(), "run `make coverage`"


def test_the_sdks_are_read_whole() -> None:
    assert len(sdk_operations("eas")) == 119
    assert sdk_operations("eas")["CreateService"].query == {"Develop", "Labels", "WorkspaceId"}
    assert sdk_operations("eas")["CreateService"].body is None
    assert sdk_operations("aiworkspace")["GetModelVersion"].path == "/api/v1/models/{model_id}/versions/{version_name}"
    assert "Escalations" in sdk_operations("cms")["PutResourceMetricRule"].query
    assert "ServiceCode" in sdk_operations("location")["DescribeEndpoints"].query


class Invented(DescribeEndpoints):
    endpoint_kind: str = Field(alias="EndpointKind")


class InventedDeepInside(Parameters):
    class Escalations(Parameters):
        class Critical(Parameters):
            times: int = Field(alias="Times")
            hours: int = Field(alias="Hours")

        critical: Critical = Field(alias="Critical")

    escalations: Escalations | None = Field(alias="Escalations")


@pytest.mark.parametrize(
    ("product", "name", "method", "path", "parameters", "problem"),
    [
        (("sts", "2015-04-01", "RPC"), "BecomeRoot", "POST", "", None, "has no operation BecomeRoot"),
        (("sts", "2015-04-02", "RPC"), "AssumeRole", "POST", "", None, "'2015-04-01'"),
        (("eas", "2021-07-01", "ROA"), "ListServices", "GET", "/api/v3/services", None, "'/api/v2/services'"),
        (("eas", "2021-07-01", "ROA"), "ListServices", "POST", "/api/v2/services", None, "'GET'"),
        (("location", "2015-06-12", "RPC"), "DescribeEndpoints", "POST", "", Invented, "parameter EndpointKind"),
        (
            ("cms", "2019-01-01", "RPC"), "PutResourceMetricRule", "POST", "", InventedDeepInside,
            "parameter Escalations.Critical.Hours",
        ),
    ],
)  # fmt: skip
def test_what_is_invented_is_found(
    product: tuple[str, str, str], name: str, method: str, path: str, parameters: type | None, problem: str
) -> None:
    invented = Product(*product)  # type: ignore[arg-type]

    def handler(_state: object, query: object) -> dict[str, object]:
        return {"query": query}

    handler.__annotations__ = {"query": parameters}
    invented.operation(name, method, path)(handler)

    (found,) = problems_of(invented, invented.operations[name])
    assert problem in found


@pytest.mark.parametrize(
    ("name", "method", "selector", "problem"),
    [
        ("PutBucketColour", "PUT", "colour", "has no operation PutBucketColour"),
        ("GetBucketAcl", "POST", "acl", "GetBucketAcl is GET, not POST"),
        ("GetBucketAcl", "GET", "grants", "not asked for by grants"),
    ],
)
def test_what_is_invented_in_oss_is_found(name: str, method: str, selector: str, problem: str) -> None:
    like = oss_operations["GetBucketAcl"]

    (found,) = problems_of_oss(replace(like, name=name, method=method, selector=selector))
    assert problem in found


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ({"Endpoints": {"Endpoint": [{"Url": "x"}]}}, ["DescribeEndpoints.Endpoints.Endpoint[] has no field Url"]),
        ({"Success": "true"}, ["DescribeEndpoints.Success is bool, not 'true'"]),
        ({"Endpoints": {"Endpoint": [{"Endpoint": "x"}]}, "RequestId": "1", "Success": True}, []),
    ],
)
def test_an_invented_field_of_an_answer_is_found(answer: dict[str, object], problem: list[str]) -> None:
    assert problems_of_answer("location", "DescribeEndpoints", answer) == problem
