"""Faults that are injected into instances."""

import time
from typing import Any

import psutil
import pytest

from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json, until
from tests.emulator.refusals import refused


def inject(eas: Eas, kind: str, **arguments: Any) -> str:
    (instance,) = eas.instances()
    name = str(instance["InstanceName"])
    call(eas, "CreateFaultInjection", "svc", name, FaultType=kind, FaultArgs=arguments)
    return name


def faults(eas: Eas, name: str) -> list[str]:
    found = call(eas, "ListServiceInstanceFaultInjectionInfo", "svc", name).get("FaultInfoList", [])
    return [fault["FaultType"] for fault in found]


def test_a_slow_network_is_felt_until_it_is_mended(eas: Eas) -> None:
    eas.deploy(service_json())
    name = inject(eas, "NetworkTask", FaultAction="delay", Time=400, Offset=50)

    began = time.monotonic()
    assert eas.ask().status_code == 200
    assert time.monotonic() - began >= 0.35
    assert faults(eas, name) == ["NetworkTask"]
    with refused("InvalidFault.Exists", 409):
        inject(eas, "NetworkTask", FaultAction="delay", Time=400)

    call(eas, "DeleteFaultInjection", "svc", name, "NetworkTask")
    assert faults(eas, name) == []
    until(lambda: _took_s(eas) < 0.3, "a quick answer")


def _took_s(eas: Eas) -> float:
    began = time.monotonic()
    eas.ask()
    return time.monotonic() - began


def test_a_busy_processor_brings_instances_and_ends_with_the_service(eas: Eas) -> None:
    eas.deploy(service_json())
    strategies = [{"metricName": "cpu", "threshold": 10}]
    call(eas, "CreateServiceAutoScaler", "svc", min=1, max=2, scaleStrategies=strategies)

    inject(eas, "CpuFullloadTask", FaultAction="fullload", CpuPercent=60)

    until(lambda: eas.describe()["TotalInstance"] == 2, "a second instance")
    running = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    (burner,) = [child for child in running if "share" in " ".join(child.cmdline())]
    call(eas, "DeleteService", "svc")
    until(lambda: not burner.is_running(), "the end of the load")


@pytest.mark.parametrize(
    ("kind", "arguments", "problem"),
    [
        ("DiskFillTask", {"FaultAction": "fill", "Percent": 80}, "cannot do DiskFillTask fill; it does"),
        ("NetworkTask", {"FaultAction": "loss", "Percent": 30}, "cannot do NetworkTask loss"),
        ("NetworkTask", {"FaultAction": "delay", "Time": -1}, "FaultArgs.Time"),
        ("CpuFullloadTask", {"FaultAction": "fullload"}, "FaultArgs.CpuPercent"),
        ("MemLoadTask", {"FaultAction": "load", "MemPercent": 101}, "FaultArgs.MemPercent"),
    ],
)
def test_a_fault_that_cannot_be_is_refused(eas: Eas, kind: str, arguments: dict[str, Any], problem: str) -> None:
    eas.deploy(service_json())

    with pytest.raises(Exception, match=problem):
        inject(eas, kind, **arguments)
