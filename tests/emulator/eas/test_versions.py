"""Kept versions, and going back."""

import json

from alibabacloud_eas20210701 import models

from tests.emulator.eas.conftest import Eas, service_json


def versions(eas: Eas, **query: int) -> list[dict[str, object]]:
    answer = eas.call("list_service_versions", "svc", models.ListServiceVersionsRequest(**query))
    return list(answer["Versions"])


def test_each_update_is_kept_as_a_version(eas: Eas) -> None:
    eas.deploy(service_json(env={"VERSION": "1"}))
    for version in "23":
        eas.update("svc", service_json(env={"VERSION": version}))

    found = versions(eas)

    assert [version["ImageId"] for version in found] == [3, 2, 1]
    environments = [json.loads(str(version["ServiceConfig"]))["containers"][0]["env"] for version in found]
    assert [environment[0]["value"] for environment in environments] == ["3", "2", "1"]
    assert [version["ImageId"] for version in versions(eas, page_size=2, page_number=2)] == [1]


def test_rolling_back_runs_the_earlier_version_with_as_many_instances_as_now(eas: Eas) -> None:
    eas.deploy(service_json(env={"VERSION": "1"}))
    eas.update("svc", service_json(env={"VERSION": "2"}))
    eas.wait()
    eas.call("scale_service", "svc", models.ScaleServiceRequest(instance=2))
    eas.wait()

    eas.call("update_service_version", "svc", models.UpdateServiceVersionRequest(version=1))

    assert eas.status() == "Updating"
    described = eas.wait()
    assert (described["CurrentVersion"], described["LatestVersion"], described["RunningInstance"]) == (1, 2, 2)
    assert {eas.ask().json()["version"] for _ in range(4)} == {"1"}


def test_the_update_after_a_roll_back_gets_a_new_number(eas: Eas) -> None:
    eas.deploy(service_json(env={"VERSION": "1"}))
    eas.update("svc", service_json(env={"VERSION": "2"}))
    eas.wait()
    eas.call("update_service_version", "svc", models.UpdateServiceVersionRequest(version=1))
    eas.wait()

    eas.update("svc", service_json(env={"VERSION": "3"}))

    assert (eas.wait()["CurrentVersion"], eas.ask().json()["version"]) == (3, "3")
