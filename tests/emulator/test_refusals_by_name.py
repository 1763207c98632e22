"""Products of which little or nothing is emulated."""

import httpx
import pytest
from alibabacloud_aiworkspace20210204 import models as workspace_models
from alibabacloud_aiworkspace20210204.client import Client as Workspace
from alibabacloud_location20150612 import models as location_models
from alibabacloud_location20150612.client import Client as Location
from alibabacloud_ram20150501 import models as ram_models
from alibabacloud_ram20150501.client import Client as Ram
from alibabacloud_tea_openapi.utils import Utils

from emulator.credentials import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from tests.emulator.conftest import RunningEmulator
from tests.emulator.refusals import refused
from tests.emulator.sdk import connect


def test_an_operation_that_is_not_emulated_is_refused_by_its_name(emulator: RunningEmulator) -> None:
    with refused("Emulator.NotImplemented", 400, "no ListUsers in ram 2015-05-01; COVERAGE.md lists"):
        connect(Ram, emulator).list_users(ram_models.ListUsersRequest())
    with refused("Emulator.NotImplemented", 400, "no ListImages in aiworkspace"):
        connect(Workspace, emulator).list_images(workspace_models.ListImagesRequest())


def test_the_go_provider_s_question_for_the_account_type_is_refused_by_its_name(emulator: RunningEmulator) -> None:
    query = {
        "Action": "QueryAvailableInstances",
        "Version": "2017-12-14",
        "AccessKeyId": ACCESS_KEY_ID,
        "Timestamp": Utils.get_timestamp(),
        "SignatureMethod": "HMAC-SHA1",
        "SignatureVersion": "1.0",
        "SignatureNonce": "once",
    }
    query["Signature"] = Utils.get_rpcsignature(query, "GET", ACCESS_KEY_SECRET)

    with httpx.Client(proxy=emulator.url) as client:
        answer = client.get("http://business.aliyuncs.com/", params=query)

    assert answer.status_code == 400
    assert "no QueryAvailableInstances in bss 2017-12-14" in answer.json()["Message"]


@pytest.mark.parametrize(("code", "endpoints"), [("eas", ["pai-eas.cn-shanghai.aliyuncs.com"]), ("mars-colony", [])])
def test_location_knows_the_endpoint_that_the_provider_must_ask_for(
    emulator: RunningEmulator, code: str, endpoints: list[str]
) -> None:
    request = location_models.DescribeEndpointsRequest(id="cn-shanghai", service_code=code, type="openAPI")

    found = connect(Location, emulator).describe_endpoints(request).body.endpoints.endpoint

    assert [endpoint.endpoint for endpoint in found] == endpoints
