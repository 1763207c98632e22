"""No request is lost while instances come and go."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from alibabacloud_eas20210701 import models

from tests.emulator.eas.conftest import STAND_IN, Eas, service_json

TOKEN = "a-token-for-the-tests"


class Load:
    """A steady stream of POST requests, each of which an instance works on for 50 ms. Every answer is counted."""

    def __init__(self, url: str, callers: int) -> None:
        self._url = url
        self._stopping = threading.Event()
        self.answers: Counter[Any] = Counter()
        self._threads = [threading.Thread(target=self._call) for _ in range(callers)]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _call(self) -> None:
        with httpx.Client(headers={"Authorization": TOKEN}, timeout=30) as client:
            while not self._stopping.is_set():
                try:
                    self.answers[client.post(f"{self._url}?sleep=0.05", content=b"pixels").status_code] += 1
                except httpx.HTTPError as error:
                    self.answers[repr(error)] += 1


@contextmanager
def under_load(eas: Eas, callers: int = 6) -> Iterator[Load]:
    load = Load(str(eas.describe()["InternetEndpoint"]), callers)
    load.start()
    try:
        yield load
    finally:
        load.stop()


@pytest.mark.parametrize("sigterm", [True, False], ids=["sigterm", "no sigterm"])
def test_updating_scaling_and_restarting_lose_no_request(eas: Eas, sigterm: bool) -> None:
    metadata = {"rpc": {"enable_sigterm": sigterm}}
    eas.deploy(service_json(instance=2, token=TOKEN, metadata=metadata, env={"VERSION": "1"}))

    with under_load(eas) as load:
        changes: list[Callable[[], object]] = [
            lambda: eas.update("svc", service_json(instance=2, token=TOKEN, metadata=metadata, env={"VERSION": "2"})),
            lambda: eas.call("scale_service", "svc", models.ScaleServiceRequest(instance=3)),
            lambda: eas.call("scale_service", "svc", models.ScaleServiceRequest(instance=1)),
            lambda: eas.call("restart_service", "svc", models.RestartServiceRequest()),
            lambda: eas.call("update_service_version", "svc", models.UpdateServiceVersionRequest(version=1)),
        ]
        for change in changes:
            change()
            eas.wait()

    assert set(load.answers) == {200}
    assert load.answers[200] > 50


def test_an_instance_on_its_way_out_finishes_what_it_has_begun_and_gets_nothing_new(eas: Eas) -> None:
    eas.deploy(service_json(instance=2, token=TOKEN, metadata={"rpc": {"keepalive": 20_000}}))
    url = str(eas.describe()["InternetEndpoint"])
    answers: list[httpx.Response] = []
    slow = threading.Thread(
        target=lambda: answers.append(httpx.get(f"{url}?sleep=1.5", headers={"Authorization": TOKEN}, timeout=30))
    )
    slow.start()
    while not eas.logs(keyword="sleep=1.5"):
        assert slow.is_alive()
    busy = next(i["InstanceName"] for i in eas.instances() if eas.logs(instance_name=i["InstanceName"], keyword="1.5"))

    request = models.ScaleServiceRequest(instance=1, instances_to_delete=[busy])
    eas.call("scale_service", "svc", request)
    others = {httpx.get(url, headers={"Authorization": TOKEN}).json()["pid"] for _ in range(10)}
    slow.join()

    assert answers[0].status_code == 200
    assert others == {pid for pid in others if pid != answers[0].json()["pid"]}
    assert len(others) == 1
    eas.wait()
    assert busy not in {instance["InstanceName"] for instance in eas.instances()}


def test_a_request_that_outlasts_the_grace_period_is_cut_off(eas: Eas) -> None:
    metadata = {"eas.termination_grace_period": 1, "rpc": {"keepalive": 20_000}}
    eas.deploy(service_json(token=TOKEN, metadata=metadata, command=f"python {STAND_IN} 8000"))
    url = str(eas.describe()["InternetEndpoint"])
    answers: list[int] = []
    hanging = threading.Thread(
        target=lambda: answers.append(
            httpx.post(f"{url}?hang", headers={"Authorization": TOKEN}, timeout=30).status_code
        )
    )
    hanging.start()
    while not eas.logs(keyword="hang"):
        assert hanging.is_alive()

    began = time.monotonic()
    eas.call("stop_service", "svc", models.StopServiceRequest())
    hanging.join()

    assert answers == [502]
    assert time.monotonic() - began > 0.9
    eas.wait(status="Stopped")
