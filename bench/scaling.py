"""How soon new replicas of the demo's model take their part, beside what nature asks for: the start of their processes.

A start by hand is the same command on the same files, timed until it can answer; it happens in the same rounds and
under the same load.
"""

import contextlib
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
from alibabacloud_eas20210701 import models as eas

from bench import servers
from bench.measure import until
from bench.model_service import ARTEFACT, REGION, SERVER, SERVICE, Deployed, deployed, load_command
from bench.rows import Row, beside

HTTP = httpx.Client(timeout=5, trust_env=False, verify=False)  # noqa: S501 - plain HTTP
ROUNDS = 3
LIMIT_S = 120
STEP_RATE = 60  # requests a second
THRESHOLD = 25  # of them to a replica: three are enough, two are not


def first_traffic() -> Iterator[Row]:
    """From asking EAS for a second replica to its first answer to a client."""
    with deployed() as service:
        scaled, by_hand = [], []
        for _ in range(ROUNDS):
            with _load(service, rate=20):
                by_hand.append(_starts(1))
                began = time.perf_counter()
                _scale(service, 2)
                until(lambda: _in_traffic(service) == 2, limit_s=LIMIT_S)
                scaled.append(time.perf_counter() - began)
            _scale(service, 1)
            until(lambda: len(_instances(service)) == 1, limit_s=LIMIT_S)
    yield beside(
        "scaling: a replica's start to its first traffic, beside process start and model load by hand",
        statistics.median(scaled),
        "s",
        baseline=statistics.median(by_hand),
    )


def load_step() -> Iterator[Row]:
    """From the first request of a load that needs three replicas to answers of all three; the autoscaler does it."""
    stepped, by_hand = [], []
    for _ in range(ROUNDS):
        with deployed() as service:
            with _load(service, rate=STEP_RATE):
                by_hand.append(_starts(2))
            strategy = eas.CreateServiceAutoScalerRequestScaleStrategies(metric_name="qps", threshold=THRESHOLD)
            request = eas.CreateServiceAutoScalerRequest(min=1, max=3, scale_strategies=[strategy])
            service.eas.create_service_auto_scaler(REGION, SERVICE, request)
            with _load(service, rate=STEP_RATE) as began:
                until(lambda: _in_traffic(service) == 3, limit_s=LIMIT_S)
                stepped.append(time.perf_counter() - began)
    yield beside(
        f"scaling: a load step to {STEP_RATE} requests/s until 3 replicas answer, beside 2 starts at once by hand",
        statistics.median(stepped),
        "s",
        baseline=statistics.median(by_hand),
    )


@contextmanager
def _load(service: Deployed, *, rate: float) -> Iterator[float]:
    """Pictures at a steady rate until the block ends; yields the moment when the first one was answered."""
    before = _answered(service.direct)
    command = load_command(service.gateway, service, int(rate * LIMIT_S * 4), workers=64, rate=rate)
    client = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answered(service.direct) > before, limit_s=LIMIT_S)
        yield time.perf_counter()
    finally:
        client.terminate()
        client.wait()


def _starts(count: int) -> float:
    """Seconds until `count` servers, started at once by hand, can answer."""

    def start(_: int) -> float:
        port = servers.free_port()
        environment = {"MODEL_DIR": str(ARTEFACT), "PORT": str(port), "HOST": "127.0.0.1"}
        url = f"http://127.0.0.1:{port}/healthz"
        with servers.serving([sys.executable, "-m", SERVER], url, environment=environment, limit_s=LIMIT_S) as seconds:
            return seconds

    with ThreadPoolExecutor(count) as starts:
        return max(starts.map(start, range(count)))


def _scale(service: Deployed, replicas: int) -> None:
    service.eas.scale_service(REGION, SERVICE, eas.ScaleServiceRequest(instance=replicas))


def _instances(service: Deployed) -> list[str]:
    """The addresses of the service's replicas."""
    listed = service.eas.list_service_instances(REGION, SERVICE, eas.ListServiceInstancesRequest()).body.instances
    return [f"http://{each.inner_ip}:{each.instance_port}/" for each in listed if each.inner_ip and each.instance_port]


def _in_traffic(service: Deployed) -> int:
    """How many replicas have answered a client."""
    return sum(_answered(address) > 0 for address in _instances(service))


def _answered(address: str) -> int:
    """How many pictures a replica has classified; none while it does not listen yet."""
    with contextlib.suppress(httpx.TransportError):
        page = HTTP.get(f"{address}metrics").text
        return sum(
            int(float(line.split()[-1])) for line in page.splitlines() if line.startswith("serve_predictions_total")
        )
    return 0
