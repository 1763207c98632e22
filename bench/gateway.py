"""The emulated EAS's gateway beside the same replica called directly, with the demo's model behind both."""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import oss2
from alibabacloud_eas20210701 import models as eas
from alibabacloud_eas20210701.client import Client
from alibabacloud_tea_openapi.models import Config

from bench import servers
from bench.measure import percentile, until
from bench.rows import Row, at_least, at_most_above

ROOT = Path(__file__).parent.parent
ARTEFACT, SERVE = ROOT / ".paistack" / "models" / "fashion", ROOT / "model" / "serve.py"
IMAGE = ROOT / "model" / "sample" / "pictures" / "bag.png"
KEY_ID, KEY_SECRET, REGION, SERVICE = (
    "LTAI5tPaistackEmulator00",
    "paistack-emulator-secret-0000000",
    "cn-hangzhou",
    "bench",
)
ROUNDS = 5


@dataclass(frozen=True)
class Deployed:
    """One replica: its address behind the gateway, and its own."""

    gateway: str
    direct: str
    token: str


def added_latency() -> Iterator[Row]:
    """p50 with and without the gateway, at a rate that keeps the replica about a third busy."""
    with _deployed() as service:
        busy = statistics.median(_load(service.direct, service, 200, workers=1).latencies_ms)
        rate = 1000 / busy / 3
        taken: dict[str, list[float]] = {"gateway": [], "direct": []}
        for _ in range(ROUNDS):
            taken["direct"] += _load(service.direct, service, int(rate * 4), workers=8, rate=rate).latencies_ms
            taken["gateway"] += _load(service.gateway, service, int(rate * 4), workers=8, rate=rate).latencies_ms
    yield at_most_above(
        f"gateway: p50 at {rate:.0f} requests/s, beside the replica called directly",
        percentile(taken["gateway"], 50),
        "ms",
        baseline=percentile(taken["direct"], 50),
        above=1,
    )


def throughput() -> Iterator[Row]:
    """Requests a second that 16 callers get done, median of the rounds."""
    with _deployed() as service:
        taken: dict[str, list[float]] = {"gateway": [], "direct": []}
        for _ in range(ROUNDS):
            for way, url in (("direct", service.direct), ("gateway", service.gateway)):
                taken[way].append(1000 / _load(url, service, 1000, workers=16).seconds)
    yield at_least(
        "gateway: throughput, beside the replica called directly",
        statistics.median(taken["gateway"]),
        "requests/s",
        baseline=statistics.median(taken["direct"]),
        ratio=0.7,
    )


@dataclass(frozen=True)
class Answered:
    seconds: float
    latencies_ms: list[float]


def _load(url: str, service: Deployed, requests: int, *, workers: int, rate: float = 0) -> Answered:
    client = Path(__file__).parent / "clients" / "http_load.py"
    command = [sys.executable, str(client), url, service.token, str(IMAGE), str(requests), str(workers), str(rate)]
    return Answered(**json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))


@contextmanager
def _deployed() -> Iterator[Deployed]:
    if not (ARTEFACT / "model.pt").exists():
        raise FileNotFoundError(f"no trained model in {ARTEFACT}: run `make demo` first")
    with servers.emulator() as (url, _):
        bucket = oss2.Bucket(oss2.Auth(KEY_ID, KEY_SECRET), url, "bench-models")
        bucket.create_bucket()
        for path in [*ARTEFACT.iterdir(), SERVE]:
            bucket.put_object_from_file(f"fashion/{path.name}", str(path))
        client = Client(
            Config(
                access_key_id=KEY_ID,
                access_key_secret=KEY_SECRET,
                region_id=REGION,
                endpoint=url.removeprefix("http://"),
                protocol="HTTP",
            )
        )
        client.create_service(eas.CreateServiceRequest(body=json.dumps(SERVICE_JSON)))
        until(
            lambda: client.describe_service(REGION, SERVICE, eas.DescribeServiceRequest()).body.status == "Running",
            limit_s=60,
        )
        described = client.describe_service(REGION, SERVICE, eas.DescribeServiceRequest()).body
        replica = client.list_service_instances(REGION, SERVICE, eas.ListServiceInstancesRequest()).body.instances[0]
        direct = f"http://{replica.inner_ip}:{replica.instance_port}/"
        yield Deployed(described.internet_endpoint, direct, described.access_token)


SERVICE_JSON = {
    "metadata": {"name": SERVICE, "instance": 1, "rpc": {"keepalive": 60_000}},
    "cloud": {"computing": {"instance_type": "ecs.c7.large"}},
    "containers": [
        {
            "image": "python",
            "command": "python /mnt/model/serve.py",
            "port": 8000,
            "readiness_check": {"http_get": {"path": "/healthz", "port": 8000}, "period_seconds": 1},
            "env": [
                {"name": "MODEL_DIR", "value": "/mnt/model"},
                {"name": "PORT", "value": "8000"},
                {"name": "HOST", "value": "127.0.0.1"},
            ],
        }
    ],
    "storage": [{"mount_path": "/mnt/model", "oss": {"path": "oss://bench-models/fashion/", "readOnly": True}}],
}
