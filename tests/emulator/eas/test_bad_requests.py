"""What CreateService and the other operations refuse, each with its exact words."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from alibabacloud_eas20210701 import models
from darabonba.exceptions import DaraException

from tests.emulator.eas.conftest import REGION, Eas, service_json

BAD_SERVICES = yaml.safe_load((Path(__file__).parent / "bad_services.yaml").read_text())


def changed(bad: dict[str, Any]) -> dict[str, Any]:
    """A good service with one thing made wrong."""
    parts = {name: bad[name] for name in ("metadata", "container") if name in bad}
    document: dict[str, Any] = service_json(**parts) | bad.get("service", {})
    *parents, leaf = bad.get("without", ["nothing"])
    part = document[parents[0]] if parents else document
    part.pop(leaf, None)
    return document


@pytest.mark.parametrize("bad", BAD_SERVICES, ids=[bad["bad"] for bad in BAD_SERVICES])
def test_a_bad_service_is_refused_with_the_key_and_the_way_out(eas: Eas, bad: dict[str, Any]) -> None:
    with pytest.raises(DaraException) as caught:
        eas.create(changed(bad))

    assert caught.value.data["Message"] == bad["message"]
    missing = bad["message"].endswith("is required and is missing.") and "contradictory" not in bad["message"]
    assert caught.value.code == ("MissingParameter" if missing else "InvalidParameter")
    assert eas.client.list_services(models.ListServicesRequest()).body.total_count == 0


BAD_BODIES: list[tuple[str, str]] = [
    ("", "The body is not valid JSON: Expecting value: line 1 column 1 (char 0)."),
    ("[]", "The service JSON must be an object, found list."),
    ("null", "The service JSON must be an object, found NoneType."),
    ('{"metadata": NaN}', "The body is not valid JSON: NaN is not a JSON value."),
    (
        '{"token": "\\ud800"}',
        "The body is not valid JSON: 'utf-8' codec can't encode character '\\ud800' in position 11: "
        "surrogates not allowed.",
    ),
    ('{"a":' * 200_000, "The service JSON is nested too deeply."),
    (json.dumps({"token": "x" * 1024 * 1024}), "The service JSON has 1048589 bytes; at most 1048576 are allowed."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "message"), BAD_BODIES, ids=["empty", "list", "null", "nan", "surrogate", "nested", "large"]
)
def test_a_body_that_is_no_document_is_refused(eas: Eas, body: str, message: str) -> None:
    with pytest.raises(DaraException) as caught:
        eas.client.create_service(models.CreateServiceRequest(body=body))

    assert (caught.value.code, caught.value.data["Message"]) == ("InvalidParameter", message)


def test_a_secret_of_the_wrong_type_is_not_repeated(eas: Eas) -> None:
    with pytest.raises(DaraException) as caught:
        eas.create(service_json(token={"hidden": "s3cret"}))

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("operation", "request_", "code", "message"),
    [
        ("update_service_version", models.UpdateServiceVersionRequest(version=1), "InvalidParameter",
         "Version must be greater than 0 and smaller than 1, found 1."),
        ("update_service_version", models.UpdateServiceVersionRequest(), "MissingParameter",
         'The input parameter "Version" that is mandatory for processing UpdateServiceVersion is not supplied.'),
        ("scale_service", models.ScaleServiceRequest(instance=-1), "InvalidParameter.Instance",
         '"Instance" of ScaleService: Input should be greater than or equal to 0, found -1.'),
        ("scale_service", models.ScaleServiceRequest(instance=0, instances_to_delete=["nobody"]),
         "InvalidInstance.NotFound", "Service [svc] has no instance [nobody]."),
        ("delete_service_instances", models.DeleteServiceInstancesRequest(), "MissingParameter",
         'The input parameter "InstanceList" that is mandatory for processing DeleteServiceInstances is not supplied.'),
        ("delete_service_instances", models.DeleteServiceInstancesRequest(instance_list="nobody"),
         "InvalidInstance.NotFound", "Service [svc] has no instance [nobody]."),
        ("describe_service_log", models.DescribeServiceLogRequest(start_time="yesterday"), "InvalidParameter.StartTime",
         '"StartTime" of DescribeServiceLog: a time such as 2006-01-02 15:04:05 (UTC) is needed, '
         "found 'yesterday'."),
        ("describe_service_log", models.DescribeServiceLogRequest(instance_name="nobody"), "InvalidInstance.NotFound",
         "Service [svc] has no instance [nobody]."),
        ("describe_service_event", models.DescribeServiceEventRequest(event_type="Bad"), "InvalidParameter.EventType",
         "\"EventType\" of DescribeServiceEvent: Input should be 'Normal' or 'Warning', found 'Bad'."),
        ("list_service_instances", models.ListServiceInstancesRequest(page_size=0), "InvalidParameter.PageSize",
         "\"PageSize\" of ListServiceInstances: Input should be greater than or equal to 1, found '0'."),
    ],
)  # fmt: skip
def test_a_bad_call_on_a_service_is_refused(eas: Eas, operation: str, request_: Any, code: str, message: str) -> None:
    eas.create(service_json(instance=0))

    with pytest.raises(DaraException) as caught:
        eas.call(operation, "svc", request_)

    assert (caught.value.code, caught.value.data["Message"]) == (code, message)


@pytest.mark.parametrize(
    ("operation", "request_"),
    [
        ("describe_service", models.DescribeServiceRequest()),
        ("update_service", models.UpdateServiceRequest(body="{}")),
        ("delete_service", models.DeleteServiceRequest()),
        ("start_service", models.StartServiceRequest()),
        ("stop_service", models.StopServiceRequest()),
        ("restart_service", models.RestartServiceRequest()),
        ("scale_service", models.ScaleServiceRequest(instance=1)),
        ("list_service_versions", models.ListServiceVersionsRequest()),
        ("update_service_version", models.UpdateServiceVersionRequest(version=1)),
        ("list_service_instances", models.ListServiceInstancesRequest()),
        ("delete_service_instances", models.DeleteServiceInstancesRequest(instance_list="a")),
        ("describe_service_log", models.DescribeServiceLogRequest()),
        ("describe_service_event", models.DescribeServiceEventRequest()),
        ("describe_service_endpoints", models.DescribeServiceEndpointsRequest()),
        ("update_service_label", models.UpdateServiceLabelRequest(labels={})),
        ("delete_service_label", models.DeleteServiceLabelRequest()),
    ],
)
def test_every_operation_says_that_a_service_is_not_there(eas: Eas, operation: str, request_: Any) -> None:
    with pytest.raises(DaraException) as caught:
        eas.call(operation, "absent", request_)

    assert (caught.value.code, caught.value.status_code) == ("InvalidService.NotFound", 404)
    assert caught.value.data["Message"] == f"Service [absent] is not found in region [{REGION}]."


def test_odd_paths_never_reach_another_service(eas: Eas) -> None:
    eas.create(service_json(instance=0))

    for name in ("../svc", "svc/../svc", "%2e%2e", "svc%00"):
        answer = httpx.get(f"{eas.url}/api/predict/{name}")
        assert answer.status_code in (401, 404)
