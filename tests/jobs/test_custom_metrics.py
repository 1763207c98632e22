"""Our own values in CloudMonitor, through the vendor's SDK."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from alibabacloud_cms20190101.client import Client
from alibabacloud_cms20190101.models import DescribeMetricListRequest

from jobs.custom_metrics import MOST_IN_A_CALL, Measurement, publish
from tests.emulator.running import run_emulator
from tests.emulator.sdk import connect


def test_values_come_back_under_their_service_and_more_of_them_than_a_call_takes(tmp_path: Path) -> None:
    at = datetime.now(UTC) - timedelta(minutes=5)
    classes = range(MOST_IN_A_CALL + 4)
    with run_emulator(tmp_path / "emulator") as emulator:
        client = connect(Client, emulator)
        publish(client, [Measurement("f1_percent", "shop", number, at, {"class": str(number)}) for number in classes])
        publish(client, [])
        body = client.describe_metric_list(
            DescribeMetricListRequest(
                namespace="acs_customMetric_1234567890123456",
                metric_name="f1_percent",
                period="60",
                dimensions=json.dumps([{"groupId": "0", "service": "shop"}]),
            )
        ).body

    found = {point["class"]: point["Average"] for point in json.loads(body.datapoints)}
    assert found == {str(number): number for number in classes}
