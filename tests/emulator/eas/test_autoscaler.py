"""Services that scale by themselves, with real instances behind a real gateway."""

import time
from typing import Any

import pytest

from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.calls import advance, call, load
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.emulator.eas.steady_load import SteadyLoad
from tests.emulator.refusals import refused

ALWAYS = {"exec": {"command": ["true"]}}


def autoscale(eas: Eas, minimum: int, maximum: int, *strategies: tuple[str, float], **behavior: dict[str, int]) -> None:
    wanted = [{"metricName": name, "threshold": threshold} for name, threshold in strategies]
    call(eas, "CreateServiceAutoScaler", "svc", min=minimum, max=maximum, scaleStrategies=wanted, behavior=behavior)


def described(eas: Eas) -> dict[str, Any]:
    return call(eas, "DescribeServiceAutoScaler", "svc")


def test_a_described_autoscaler_says_what_it_was_created_with(eas: Eas) -> None:
    eas.deploy(service_json())
    autoscale(eas, 1, 4, ("qps", 10), ("cpu", 60.5), scaleDown={"stabilizationWindowSeconds": 60})

    answer = described(eas)

    assert (answer["ServiceName"], answer["MinReplica"], answer["MaxReplica"]) == ("svc", 1, 4)
    assert answer["ScaleStrategies"] == [
        {"metricName": "qps", "threshold": 10.0, "service": "svc"},
        {"metricName": "cpu", "threshold": 60.5, "service": "svc"},
    ]
    assert answer["Behavior"] == {
        "scaleUp": {"stabilizationWindowSeconds": 0},
        "scaleDown": {"stabilizationWindowSeconds": 60},
        "onZero": {"scaleDownGracePeriodSeconds": 600, "scaleUpActivationReplicas": 1},
    }
    assert eas.describe()["AutoscalerEnabled"] is True


def test_load_brings_instances_and_its_end_takes_them_away_after_the_window(
    eas: Eas, emulator: RunningEmulator
) -> None:
    eas.deploy(service_json())
    autoscale(eas, 1, 3, ("qps", 10))

    service = eas.describe()
    with load(service["InternetEndpoint"], service["AccessToken"], 40) as statuses:
        until(lambda: eas.describe()["RunningInstance"] == 3, "three instances")
        (metric,) = described(eas)["CurrentMetrics"]
    assert metric["metricName"] == "qps"
    assert metric["value"] > 10
    assert set(statuses) == {200}
    until(lambda: described(eas)["CurrentMetrics"][0]["value"] == 0, "silence")
    assert eas.describe()["TotalInstance"] == 3, "the window of 300 s is not over"
    advance(emulator, 301)
    until(lambda: len(eas.instances()) == 1, "one instance")


def test_requests_that_a_full_queue_refuses_are_load_all_the_same(eas: Eas) -> None:
    """An instance answers 5 a second, for which one is enough; 40 are asked for."""
    rpc = {"worker_threads": 1, "max_queue_size": 1}
    eas.deploy(service_json(env={"SLEEP_S": "0.2"}, metadata={"rpc": rpc}))
    autoscale(eas, 1, 3, ("qps", 10))

    service = eas.describe()
    load = SteadyLoad(f"{service['InternetEndpoint']}/", service["AccessToken"], rate=40)
    load.start()
    try:
        until(lambda: eas.describe()["TotalInstance"] == 3, "three instances")
    finally:
        load.end()
    assert set(load.tally.refused) == {450}


def test_busy_processors_bring_instances(eas: Eas) -> None:
    eas.deploy(service_json(command="python -c 'while True: pass'", container={"readiness_check": ALWAYS}))
    autoscale(eas, 1, 2, ("cpu", 20))

    until(lambda: eas.describe()["TotalInstance"] == 2, "a second instance")

    (metric,) = described(eas)["CurrentMetrics"]
    assert metric["metricName"] == "cpu"


def test_bounds_hold_at_once_and_against_an_update(eas: Eas) -> None:
    eas.deploy(service_json(instance=1))
    autoscale(eas, 2, 3, ("qps", 10))
    until(lambda: eas.describe()["RunningInstance"] == 2, "the minimum")

    eas.update("svc", {"metadata": {"instance": 5}})

    until(lambda: eas.describe()["TotalInstance"] == 2, "what little load needs, and no less than the minimum")


def test_a_service_without_requests_goes_to_zero_and_a_request_wakes_it(eas: Eas, emulator: RunningEmulator) -> None:
    eas.deploy(service_json())
    autoscale(eas, 0, 3, ("qps", 10), onZero={"scaleUpActivationReplicas": 2})
    assert eas.ask().status_code == 200
    until(lambda: described(eas)["CurrentMetrics"], "a first evaluation")
    advance(emulator, 590)
    assert not gone_to_zero_soon(eas)
    advance(emulator, 20)
    until(lambda: eas.describe()["TotalInstance"] == 0, "no instance")
    eas.wait()

    assert eas.ask().status_code == 503
    until(lambda: eas.describe()["RunningInstance"] == 2, "activation")
    assert eas.ask().status_code == 200


def gone_to_zero_soon(eas: Eas) -> bool:
    """Whether it goes within two evaluations."""
    deadline = time.monotonic() + 2.5
    while time.monotonic() < deadline:
        if eas.describe()["TotalInstance"] == 0:
            return True
        time.sleep(0.1)
    return False


def test_a_metric_that_cannot_be_measured_changes_nothing(eas: Eas) -> None:
    eas.deploy(service_json(instance=2))
    autoscale(eas, 1, 4, ("gpu[util]", 60), scaleDown={"stabilizationWindowSeconds": 0})

    assert not gone_to_zero_soon(eas)
    assert eas.describe()["TotalInstance"] == 2
    assert described(eas)["CurrentMetrics"] == []


def test_an_autoscaler_can_be_changed_and_removed(eas: Eas) -> None:
    eas.deploy(service_json())
    autoscale(eas, 1, 4, ("qps", 10))
    change: dict[str, Any] = {"min": 2, "max": 6, "scaleStrategies": [{"metricName": "cpu", "threshold": 50}]}

    call(eas, "UpdateServiceAutoScaler", "svc", **change)

    answer = described(eas)
    assert (answer["MinReplica"], answer["MaxReplica"]) == (2, 6)
    assert [strategy["metricName"] for strategy in answer["ScaleStrategies"]] == ["cpu"]
    call(eas, "DeleteServiceAutoScaler", "svc")
    assert eas.describe()["AutoscalerEnabled"] is False
    with refused("InvalidAutoScaler.NotFound", 404):
        described(eas)


def test_the_service_json_can_declare_an_autoscaler(eas: Eas) -> None:
    eas.deploy(service_json(autoscaler={"min": 1, "max": 5, "strategies": {"qps": 10}}))
    assert described(eas)["ScaleStrategies"] == [{"metricName": "qps", "threshold": 10.0, "service": "svc"}]

    eas.update("svc", {"autoscaler": {"max": 7}})

    assert described(eas)["MaxReplica"] == 7


def test_an_autoscaler_goes_with_its_service(eas: Eas) -> None:
    eas.deploy(service_json())
    autoscale(eas, 1, 4, ("qps", 10))
    call(eas, "DeleteService", "svc")
    until(eas.gone, "the service's end")
    eas.create(service_json())

    assert eas.describe()["AutoscalerEnabled"] is False


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"min": 3, "max": 3}, "max must be greater than min, found max 3 and min 3"),
        ({"min": -1}, "min"),
        ({"max": 1001}, "max"),
        ({"scaleStrategies": []}, "scaleStrategies"),
        ({"scaleStrategies": [{"metricName": "memory", "threshold": 5}]}, "no metric 'memory'.*there are qps, cpu"),
        ({"scaleStrategies": [{"metricName": "qps", "threshold": 0}]}, "threshold"),
        ({"behavior": {"scaleDown": {"stabilizationWindowSeconds": 3601}}}, "stabilizationWindowSeconds"),
    ],
)
def test_settings_that_make_no_sense_are_refused(eas: Eas, change: dict[str, Any], problem: str) -> None:
    eas.create(service_json(instance=0))
    document = {"min": 1, "max": 4, "scaleStrategies": [{"metricName": "qps", "threshold": 10}], **change}

    with pytest.raises(Exception, match=problem):
        call(eas, "CreateServiceAutoScaler", "svc", **document)


def test_a_second_autoscaler_is_refused(eas: Eas) -> None:
    eas.create(service_json(instance=0))
    autoscale(eas, 1, 4, ("qps", 10))

    with refused("InvalidAutoScaler.Exists", 409):
        autoscale(eas, 1, 4, ("qps", 10))
