"""Creating, describing, listing, changing and deleting services."""

import json
from typing import Any

import pytest
from alibabacloud_eas20210701 import models
from alibabacloud_eas20210701.client import Client
from alibabacloud_tea_openapi.client import Client as OpenApiClient
from alibabacloud_tea_openapi.utils_models import OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions

from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.conftest import REGION, Eas, service_json, until
from tests.emulator.refusals import refused
from tests.emulator.sdk import connect


def test_a_created_service_runs_and_answers(eas: Eas) -> None:
    created = eas.create(service_json())

    assert created["Status"] == "Creating"
    described = eas.wait()
    assert (described["RunningInstance"], described["PendingInstance"], described["TotalInstance"]) == (1, 0, 1)
    assert eas.ask("/v1/predict?k=3", method="POST", content=b"pixels").json()["body"] == "pixels"


def test_a_described_service_says_what_it_was_created_with(eas: Eas, emulator: RunningEmulator) -> None:
    document = service_json(
        metadata={"gpu": 1, "workspace_id": "1405"}, cloud={"computing": {"instance_type": "ecs.gn6i-c4g1.xlarge"}}
    )
    eas.create(document, labels={"team": "vision"})

    described = eas.describe()

    assert json.loads(described["ServiceConfig"]) == document, "the server adds nothing to the configuration"
    expected: dict[str, Any] = {
        "ServiceName": "svc",
        "Region": REGION,
        "Cpu": 1,
        "Gpu": 1,
        "Memory": 1000,
        "Image": "registry.example/stand-in:1",
        "CurrentVersion": 1,
        "LatestVersion": 1,
        "WorkspaceId": "1405",
        "Labels": [{"LabelKey": "team", "LabelValue": "vision"}],
        "SafetyLock": "none",
        "TrafficState": "standalone",
        "CallerUid": emulator.state.settings.account_id,
        "InternetEndpoint": f"{emulator.url}/api/predict/svc",
        "IntranetEndpoint": f"http://1234567890123456.vpc.{REGION}.pai-eas.aliyuncs.com/api/predict/svc",
    }
    assert described.items() >= expected.items()


def test_endpoints_carry_the_token(eas: Eas) -> None:
    eas.create(service_json(token="a-token-of-its-own"))

    answer = eas.call("describe_service_endpoints", "svc", models.DescribeServiceEndpointsRequest())

    (endpoint,) = answer["Endpoints"]
    assert answer["AccessToken"] == "a-token-of-its-own"
    assert endpoint["EndpointType"] == "DefaultGateway"
    assert endpoint["InternetEndpoints"] == [eas.describe()["InternetEndpoint"]]


def test_a_token_is_made_when_none_is_given_and_stays_through_updates(eas: Eas) -> None:
    eas.create(service_json())
    token = eas.describe()["AccessToken"]

    eas.update("svc", service_json(env={"VERSION": "2"}), update_type="replace")

    assert len(token) == 56
    assert eas.describe()["AccessToken"] == token


def test_a_name_is_taken_once_in_a_region_and_again_in_another(eas: Eas, emulator: RunningEmulator) -> None:
    eas.create(service_json())

    with refused("InvalidService.Exists", 409, r"Service \[svc\] already exists in region \[cn-hangzhou\]"):
        eas.create(service_json())

    with_proxy = connect(Client, emulator, endpoint="pai-eas.cn-shanghai.aliyuncs.com", http_proxy=emulator.url)
    request = models.CreateServiceRequest(body=json.dumps(service_json()))
    assert with_proxy.create_service(request).body.region == "cn-shanghai"


def test_what_the_emulator_cannot_do_for_a_service_is_refused(eas: Eas) -> None:
    with refused("InvalidParameter", 400, "The emulator has no developer mode"):
        eas.create(service_json(), develop="true")

    eas.create(service_json(instance=0), develop="false")
    with refused("InvalidParameter", 400, 'UpdateService has no parameter "MemberToUpdate"'):
        eas.update("svc", {}, member_to_update="a")


def test_a_service_in_another_region_is_not_found(eas: Eas) -> None:
    eas.create(service_json())

    with refused("InvalidService.NotFound", 404):
        eas.client.describe_service("cn-shanghai", "svc", models.DescribeServiceRequest())


def test_merge_keeps_what_the_update_does_not_name(eas: Eas) -> None:
    eas.deploy(service_json(metadata={"rpc": {"keepalive": 9000}}, env={"VERSION": "1"}))

    eas.update("svc", {"metadata": {"rpc": {"rate_limit": 50}}, "labels": {"a": "b"}})

    config = json.loads(eas.wait()["ServiceConfig"])
    assert config["metadata"]["rpc"] == {"keepalive": 9000, "rate_limit": 50}
    assert config["containers"][0]["env"] == [{"name": "VERSION", "value": "1"}]
    assert eas.describe()["CurrentVersion"] == 2


def test_merge_replaces_lists_whole(eas: Eas) -> None:
    eas.deploy(service_json(env={"VERSION": "1", "OTHER": "x"}))

    eas.update("svc", {"containers": service_json(env={"VERSION": "2"})["containers"]})

    (container,) = json.loads(eas.wait()["ServiceConfig"])["containers"]
    assert container["env"] == [{"name": "VERSION", "value": "2"}]


def test_replace_forgets_what_the_update_does_not_name(eas: Eas) -> None:
    eas.deploy(service_json(metadata={"rpc": {"keepalive": 9000}}))
    document = service_json(env={"VERSION": "2"})

    eas.update("svc", document, update_type="replace")

    assert json.loads(eas.wait()["ServiceConfig"]) == document
    assert eas.ask().json()["version"] == "2"


def test_an_update_of_the_instance_number_alone_scales_and_makes_no_version(eas: Eas) -> None:
    eas.deploy(service_json())
    pid = eas.ask().json()["pid"]

    eas.update("svc", {"metadata": {"instance": 3}})

    assert eas.status() == "Scaling"
    described = eas.wait()
    assert (described["CurrentVersion"], described["TotalInstance"], described["RunningInstance"]) == (1, 3, 3)
    assert json.loads(described["ServiceConfig"])["metadata"]["instance"] == 3
    assert pid in {eas.ask().json()["pid"] for _ in range(9)}, "the first instance was left as it was"


def test_an_update_that_changes_nothing_replaces_no_instance(eas: Eas) -> None:
    eas.deploy(service_json())
    before = eas.instances()

    eas.update("svc", service_json())

    assert eas.describe()["CurrentVersion"] == 1
    assert eas.instances() == before


def test_a_service_cannot_be_renamed(eas: Eas) -> None:
    eas.create(service_json())

    with refused("InvalidParameter", 400, r"metadata\.name cannot be changed: the service is 'svc', found 'other'"):
        eas.update("svc", service_json("other"), update_type="replace")


def test_a_refused_update_leaves_the_service_as_it_was(eas: Eas) -> None:
    eas.deploy(service_json())
    before = eas.describe()

    with refused("InvalidParameter", 400, "no key 'metadata.instances'"):
        eas.update("svc", {"metadata": {"instances": 2}})

    after = eas.describe()
    assert {**after, "RequestId": ""} == {**before, "RequestId": ""}


def test_a_deleted_service_is_gone_with_its_processes_and_files(eas: Eas, emulator: RunningEmulator) -> None:
    eas.deploy(service_json(instance=2))

    eas.call("delete_service", "svc", models.DeleteServiceRequest())

    until(eas.gone)
    assert eas.http.get(f"{emulator.url}/api/predict/svc").status_code == 404
    assert list((emulator.state.settings.data_dir / "eas").glob("*/svc")) == []
    assert eas.deploy(service_json()) == "svc", "the name is free again"


def test_labels_are_added_changed_and_removed(eas: Eas) -> None:
    eas.create(service_json(labels={"stage": "test"}), labels={"team": "vision"})

    eas.call("update_service_label", "svc", models.UpdateServiceLabelRequest(labels={"team": "search", "cost": "7"}))
    eas.call("delete_service_label", "svc", models.DeleteServiceLabelRequest(label_keys=["stage"]))
    assert eas.describe()["Labels"] == [
        {"LabelKey": "cost", "LabelValue": "7"},
        {"LabelKey": "team", "LabelValue": "search"},
    ]

    eas.call("delete_service_label", "svc", models.DeleteServiceLabelRequest(keys=["cost", "team"]))
    assert eas.describe()["Labels"] == []


def test_the_tags_that_the_go_provider_sets_are_the_labels(eas: Eas, emulator: RunningEmulator) -> None:
    """It calls an API version of its own for them, at the same host."""
    eas.create(service_json(instance=0), labels={"team": "vision", "old": "1"})
    client = connect(OpenApiClient, emulator)

    def call(action: str, query: dict[str, str]) -> None:
        params = Params(
            action=action, version="2021-07-02", protocol="HTTP", pathname="/", method="POST", auth_type="AK",
            style="RPC", body_type="json", req_body_type="json",
        )  # fmt: skip
        resource = {"ResourceType": "service", "ResourceId.1": eas.describe()["ServiceUid"], **query}
        client.call_api(params, OpenApiRequest(query=resource), RuntimeOptions())

    call("TagResources", {"Tag.1.Key": "team", "Tag.1.Value": "search", "Tag.2.Key": "cost", "Tag.2.Value": "7"})
    call("UntagResources", {"TagKey.1": "old"})

    labels = {label["LabelKey"]: label["LabelValue"] for label in eas.describe()["Labels"]}
    assert labels == {"team": "search", "cost": "7"}
    with refused("InvalidResourceId.NotFound", 404, "There is no service eas-m-x in cn-hangzhou"):
        call("UntagResources", {"TagKey.1": "old", "ResourceId.1": "eas-m-x"})


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, ["svc_c", "svc_b", "svc_a"]),
        ({"filter": "_b"}, ["svc_b"]),
        ({"service_name": "svc_a"}, ["svc_a"]),
        ({"label": {"team": "vision"}}, ["svc_b"]),
        ({"label": {"team": "other"}}, []),
        ({"workspace_id": "1405", "include_no_workspace": False}, ["svc_a"]),
        ({"group_name": "shop"}, ["svc_c"]),
        ({"resource_type": "DedicatedResource"}, ["svc_c"]),
        ({"service_status": "Failed"}, []),
        ({"sort": "ServiceName", "order": "asc"}, ["svc_a", "svc_b", "svc_c"]),
        ({"sort": "ServiceName", "order": "asc", "page_size": 2, "page_number": 2}, ["svc_c"]),
        ({"sort": "Memory", "order": "desc", "page_size": 1}, ["svc_b"]),
        ({"autoscaler_enabled": True}, []),
    ],
)
def test_services_are_listed_by(eas: Eas, query: dict[str, Any], names: list[str]) -> None:
    eas.create(service_json("svc_a", instance=0, metadata={"workspace_id": "1405"}))
    eas.create(service_json("svc_b", instance=0, metadata={"memory": 9000}), labels={"team": "vision"})
    resource = eas.client.create_resource(
        models.CreateResourceRequest(ecs_instance_type="ecs.c7.large", ecs_instance_count=1, charge_type="PostPaid")
    ).body.resource_id
    eas.create(service_json("svc_c", instance=0, metadata={"group": "shop", "resource": resource}))

    answer = eas.client.list_services(models.ListServicesRequest(**query)).body

    assert sorted(service.service_name for service in answer.services) == sorted(names)
    if "sort" in query:
        assert [service.service_name for service in answer.services] == names
    if "page_size" not in query:
        assert answer.total_count == len(names)


def test_a_listed_service_has_no_endpoints(eas: Eas) -> None:
    eas.create(service_json(instance=0))

    (listed,) = eas.client.list_services(models.ListServicesRequest()).body.services

    assert (listed.internet_endpoint, listed.intranet_endpoint) == (None, None)
    assert listed.service_name == "svc"


def test_an_unknown_sort_field_is_refused(eas: Eas) -> None:
    with refused("InvalidParameter.Sort", 400, "Cannot sort by 'Colour'; there are CreateTime, UpdateTime"):
        eas.client.list_services(models.ListServicesRequest(sort="Colour"))


def test_an_operation_that_is_not_emulated_is_refused_by_name(eas: Eas) -> None:
    eas.create(service_json(instance=0))

    with refused("Emulator.NotImplemented", 400, "the emulator has no CommitService in eas 2021-07-01"):
        eas.call("commit_service", "svc", models.CommitServiceRequest())
