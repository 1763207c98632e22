"""What CloudMonitor tells of services that were really called."""

import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from alibabacloud_cms20190101 import models
from alibabacloud_cms20190101.client import Client

from tests.emulator.cms.calls import CUSTOM, ask_all, next_minute, report
from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.calls import advance
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.emulator.refusals import refused
from tests.emulator.running import run_emulator
from tests.emulator.sdk import connect


def datapoints(cms: Client, metric: str, *, namespace: str = "acs_learn", **query: Any) -> list[dict[str, Any]]:
    request = models.DescribeMetricListRequest(namespace=namespace, metric_name=metric, **query)
    return list(json.loads(cms.describe_metric_list(request).body.datapoints))


def of_service(name: str) -> str:
    return json.dumps([{"serviceName": name}])


def test_requests_are_counted_by_status_in_the_minute_in_which_they_were_answered(
    emulator: RunningEmulator, cms: Client, eas: Eas
) -> None:
    eas.deploy(service_json())
    next_minute(emulator)
    ask_all(eas, {"/": 6, "/?status=404": 3, "/?status=500": 1}, body=b"x" * 1000)
    began = next_minute(emulator)

    values = {
        metric: datapoints(cms, metric, start_time=str(began - 1), end_time=str(began))[0]
        for metric in (
            "qps_total", "rps_status_2xx", "rps_status_2xx_ratio", "rps_status_4xx_ratio", "rps_status_5xx_ratio",
            "traffic_in", "traffic_out",
        )
    }  # fmt: skip
    assert values["qps_total"]["timestamp"] == began
    assert (values["qps_total"]["serviceName"], values["qps_total"]["userId"]) == ("svc", "1234567890123456")
    rate = values["qps_total"]["Value"]
    assert rate > 0
    assert values["rps_status_2xx"]["Average"] == pytest.approx(0.6 * rate)
    assert values["rps_status_2xx_ratio"]["Average"] == pytest.approx(60)
    assert values["rps_status_4xx_ratio"]["Average"] == pytest.approx(30)
    assert values["rps_status_5xx_ratio"]["Average"] == pytest.approx(10)
    assert values["traffic_in"]["Average"] == pytest.approx(8 * 1000 * rate)
    assert values["traffic_out"]["Average"] > 8 * 100 * rate


def test_response_times_are_those_that_the_caller_waited_for(emulator: RunningEmulator, cms: Client, eas: Eas) -> None:
    eas.deploy(service_json())
    next_minute(emulator)
    ask_all(eas, {"/": 8, "/?sleep=0.3": 2})
    next_minute(emulator)

    (response_time,) = datapoints(cms, "rt", dimensions=of_service("svc"))
    assert response_time["Minimum"] < response_time["Average"] < response_time["Maximum"]
    assert response_time["Maximum"] >= 300_000
    assert datapoints(cms, "rt_tp90")[0]["Average"] >= 295_000
    assert datapoints(cms, "rt_tp80")[0]["Average"] < datapoints(cms, "rt_tp90")[0]["Average"]
    assert datapoints(cms, "rt_tp100")[0]["Average"] == pytest.approx(response_time["Maximum"], rel=0.01)


def test_a_busy_instance_is_seen_to_use_processors_and_memory(emulator: RunningEmulator, cms: Client, eas: Eas) -> None:
    busy = "python -c 'import threading; held = bytearray(64_000_000)\nwhile True: pass'"
    container = {"startup_check": {"exec": {"command": ["true"]}}, "readiness_check": {"exec": {"command": ["true"]}}}
    eas.deploy(service_json(command=busy, container=container))

    def most_of_a_processor() -> bool:
        time.sleep(0.7)
        next_minute(emulator)
        return any(0.2 < point["Maximum"] <= 1.2 for point in datapoints(cms, "cpu_core_usage"))

    until(most_of_a_processor, "the use of a processor")
    assert datapoints(cms, "memory_rss")[-1]["Maximum"] > 64_000_000


def test_a_minute_without_requests_has_a_rate_but_no_ratio_and_no_response_time(
    emulator: RunningEmulator, cms: Client, eas: Eas
) -> None:
    eas.deploy(service_json())
    next_minute(emulator)
    next_minute(emulator)

    assert datapoints(cms, "qps_total")[-1]["Average"] == 0
    assert datapoints(cms, "rps_status_5xx_ratio") == []
    assert datapoints(cms, "rt") == []


def test_minutes_that_the_clock_jumped_over_have_no_values(emulator: RunningEmulator, cms: Client, eas: Eas) -> None:
    eas.deploy(service_json())
    next_minute(emulator)
    advance(emulator, 1800)

    began = next_minute(emulator)

    times = [point["timestamp"] for point in datapoints(cms, "qps_total")]
    assert times[-2:] == [began - 1_800_000, began]


def test_longer_periods_are_made_of_minutes(emulator: RunningEmulator, cms: Client) -> None:
    start = int(time.time()) // 300 * 300
    for minute, value in enumerate((1, 5, 3)):
        report(cms, value=value, time=str((start + 60 * minute) * 1000))
    advance(emulator, 600)
    query = {"namespace": CUSTOM, "start_time": str(start * 1000 - 1)}

    assert [point["Average"] for point in datapoints(cms, "accuracy", period="60", **query)] == [1, 5, 3]
    (point,) = datapoints(cms, "accuracy", period="300", **query)
    assert (point["timestamp"], point["Average"], point["Maximum"]) == (start * 1000, 3, 5)
    assert (point["Minimum"], point["Sum"], point["SampleCount"]) == (1, 9, 3)


def test_the_range_excludes_its_begin_and_includes_its_end(emulator: RunningEmulator, cms: Client) -> None:
    start = int(time.time()) // 60 * 60
    for minute in range(3):
        report(cms, value=minute, time=str((start + 60 * minute) * 1000))
    advance(emulator, 600)

    given = {"namespace": CUSTOM, "start_time": str(start * 1000), "end_time": str((start + 120) * 1000)}
    assert [point["Average"] for point in datapoints(cms, "accuracy", **given)] == [1, 2]
    written = {
        "start_time": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(start)),
        "end_time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start + 60)),
    }
    assert [point["Average"] for point in datapoints(cms, "accuracy", namespace=CUSTOM, **written)] == [1]


def test_long_answers_come_in_pages(emulator: RunningEmulator, cms: Client) -> None:
    start = int(time.time()) // 60 * 60
    for minute in range(5):
        report(cms, value=minute, time=str((start + 60 * minute) * 1000))
    advance(emulator, 600)
    values: list[float] = []
    token: str | None = "0"
    while token is not None:
        request = models.DescribeMetricListRequest(
            namespace=CUSTOM, metric_name="accuracy", length="2", next_token=token, start_time=str(start * 1000 - 1)
        )
        body = cms.describe_metric_list(request).body
        values += [point["Average"] for point in json.loads(body.datapoints)]
        token = body.next_token

    assert values == [0, 1, 2, 3, 4]


def test_the_last_value_of_each_resource_and_their_order_are_told(emulator: RunningEmulator, cms: Client) -> None:
    now = int(time.time()) // 60 * 60
    for service, value in (("low", 1), ("high", 9), ("middle", 5)):
        report(cms, service=service, value=0, time=str((now - 60) * 1000))
        report(cms, service=service, value=value, time=str(now * 1000))
    advance(emulator, 61)
    query: dict[str, Any] = {"namespace": CUSTOM, "metric_name": "accuracy"}

    last = json.loads(cms.describe_metric_last(models.DescribeMetricLastRequest(**query)).body.datapoints)
    top = json.loads(
        cms.describe_metric_top(
            models.DescribeMetricTopRequest(**query, orderby="Average", length="2", end_time=str(now * 1000))
        ).body.datapoints
    )
    lowest = json.loads(
        cms.describe_metric_top(
            models.DescribeMetricTopRequest(
                **query, orderby="Average", order_desc="True", length="1", end_time=str(now * 1000)
            )
        ).body.datapoints
    )
    data = json.loads(
        cms.describe_metric_data(
            models.DescribeMetricDataRequest(**query, end_time=str(now * 1000), dimensions='{"service": "high"}')
        ).body.datapoints
    )

    assert {point["service"]: point["Average"] for point in last} == {"low": 1, "middle": 5, "high": 9}
    assert [(point["order"], point["service"]) for point in top] == [(1, "high"), (2, "middle")]
    assert [point["service"] for point in lowest] == ["low"]
    assert [point["Average"] for point in data] == [9]


def test_aggregated_values_are_taken_as_they_are(emulator: RunningEmulator, cms: Client) -> None:
    values = {"Sum": 10, "SampleCount": 4, "Minimum": 1, "Maximum": 4}
    report(cms, type="1", period="60", values=json.dumps(values))
    advance(emulator, 61)

    (point,) = datapoints(cms, "accuracy", namespace=CUSTOM)

    assert (point["Average"], point["Minimum"], point["Maximum"], point["SampleCount"]) == (2.5, 1, 4, 4)
    listed = cms.describe_custom_metric_list(models.DescribeCustomMetricListRequest()).body
    assert json.loads(listed.result)["result"] == [
        {"groupId": "0", "metricName": "accuracy", "dimension": "service=svc"}
    ]


def test_the_metrics_of_eas_are_listed_with_their_statistics(cms: Client) -> None:
    request = models.DescribeMetricMetaListRequest(namespace="acs_learn", page_size=100)
    listed = cms.describe_metric_meta_list(request).body

    metrics = {metric.metric_name: metric for metric in listed.resources.resource}
    assert listed.total_count == str(len(metrics))
    assert metrics["rt"].statistics == "Average,Maximum,Minimum"
    assert metrics["rt"].unit == "us"
    assert metrics["qps_total"].dimensions == "userId,serviceName"
    request = models.DescribeMetricMetaListRequest(namespace="acs_learn", metric_name="nothing")
    assert cms.describe_metric_meta_list(request).body.total_count == "0"


BAD: list[tuple[str, str, Callable[[Client], object]]] = [
    ("ResourceNotFound", "acs_learn has no metric latency.", lambda cms: datapoints(cms, "latency")),
    ("ResourceNotFound", "not measured", lambda cms: datapoints(cms, "cpu_total", namespace="acs_ecs_dashboard")),
    ("InvalidParameter.Period", "found 61", lambda cms: datapoints(cms, "rt", period="61")),
    ("InvalidParameter.Dimensions", "must be JSON like", lambda cms: datapoints(cms, "rt", dimensions="svc")),
    ("InvalidParameter.StartTime", "a time such as", lambda cms: datapoints(cms, "rt", start_time="yesterday")),
    ("InvalidParameter.StartTime", "before EndTime", lambda cms: datapoints(cms, "rt", start_time="5", end_time="4")),
    ("InvalidParameter.StartTime", "31 days", lambda cms: datapoints(cms, "rt", start_time="1")),
    ("InvalidParameter.Length", "less than or equal to 1440", lambda cms: datapoints(cms, "rt", length="1441")),
    ("InvalidParameter.MetricList.0", "need the Period 60 or 300", lambda cms: report(cms, type="1")),
    ("InvalidParameter.MetricList.0", "need value", lambda cms: report(cms, values='{"Average": 1}')),
    ("InvalidParameter.MetricList.0.Values", "must be JSON", lambda cms: report(cms, values="1")),
    ("InvalidParameter.MetricList.0.Dimensions", "must be JSON", lambda cms: report(cms, dimensions="svc")),
]


@pytest.mark.parametrize(("code", "words", "ask"), BAD, ids=[words for _, words, _ in BAD])
def test_questions_that_make_no_sense_are_refused(
    cms: Client, code: str, words: str, ask: Callable[[Client], object]
) -> None:
    with refused(code, 404 if code == "ResourceNotFound" else 400, re.escape(words)):
        ask(cms)


def test_what_was_measured_is_there_after_a_restart(tmp_path: Any) -> None:
    with run_emulator(tmp_path) as emulator:
        report(connect(Client, emulator), value=7)
    with run_emulator(tmp_path) as emulator:
        advance(emulator, 61)

        assert datapoints(connect(Client, emulator), "accuracy", namespace=CUSTOM)[0]["Average"] == 7


def test_old_values_are_forgotten(emulator: RunningEmulator, cms: Client) -> None:
    report(cms)
    advance(emulator, 9 * 86_400)
    next_minute(emulator)

    with refused("ResourceNotFound", 404, "has no metric accuracy"):
        datapoints(cms, "accuracy", namespace=CUSTOM)
