"""Scalers, groups and resource groups are still there after the emulator has been started again."""

from pathlib import Path

from alibabacloud_eas20210701.client import Client

from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.emulator.running import run_emulator
from tests.emulator.sdk import connect


def test_what_was_acknowledged_is_there_after_a_restart(tmp_path: Path) -> None:
    with run_emulator(tmp_path) as first:
        eas = Eas(connect(Client, first), first.url)
        machine = {"EcsInstanceType": "ecs.c7.large", "EcsInstanceCount": 1, "ChargeType": "PostPaid"}
        resource = call(eas, "CreateResource", **machine)["ResourceId"]
        eas.deploy(service_json(metadata={"group": "shop", "resource": resource}, env={"VERSION": "1"}))
        call(eas, "ReleaseService", "svc", TrafficState="grouping", Weight=7)
        strategies = [{"metricName": "qps", "threshold": 10}]
        call(eas, "CreateServiceAutoScaler", "svc", min=1, max=2, scaleStrategies=strategies)
        call(eas, "CreateServiceCronScaler", "svc", ScaleJobs=[{"Schedule": "0 0 8 1 1 *", "TargetSize": 1}])
        token = call(eas, "DescribeGroup", "shop")["AccessToken"]
        eas.http.close()

    with run_emulator(tmp_path) as second:
        eas = Eas(connect(Client, second), second.url)
        described = eas.wait()

        assert (described["TrafficState"], described["Weight"]) == ("grouping", 7)
        assert (described["AutoscalerEnabled"], described["CronscalerEnabled"]) == (True, True)
        assert call(eas, "DescribeServiceAutoScaler", "svc")["MaxReplica"] == 2
        assert call(eas, "DescribeResource", resource)["CpuUsed"] == 1
        headers = {"Authorization": token}
        answer = until(lambda: eas.http.get(f"{second.url}/api/predict/shop", headers=headers), "the group's answer")
        assert answer.json()["version"] == "1"
        eas.http.close()
