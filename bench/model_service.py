"""The demo's model as a service of the emulated EAS, and a load on it."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import oss2
from alibabacloud_eas20210701 import models as eas
from alibabacloud_eas20210701.client import Client
from alibabacloud_tea_openapi.models import Config

from bench import servers
from bench.measure import until

ROOT = Path(__file__).parent.parent
ARTEFACT, SERVER = ROOT / ".paistack" / "models" / "fashion", "model.serving"
IMAGE = ROOT / "model" / "sample" / "pictures" / "bag.png"
KEY_ID, KEY_SECRET, REGION, SERVICE = (
    "LTAI5tPaistackEmulator00",
    "paistack-emulator-secret-0000000",
    "cn-hangzhou",
    "bench",
)


@dataclass(frozen=True)
class Deployed:
    """A service with one replica: its address behind the gateway, and the replica's own."""

    gateway: str
    direct: str
    token: str
    eas: Client


def load_command(url: str, service: Deployed, requests: int, *, workers: int, rate: float = 0) -> list[str]:
    """What sends so many pictures to `url`; see clients/http_load.py."""
    client = Path(__file__).parent / "clients" / "http_load.py"
    return [sys.executable, str(client), url, service.token, str(IMAGE), str(requests), str(workers), str(rate)]


@contextmanager
def deployed() -> Iterator[Deployed]:
    if not (ARTEFACT / "model.pt").exists():
        raise FileNotFoundError(f"no trained model in {ARTEFACT}: run `make demo` first")
    with servers.emulator() as (url, _):
        bucket = oss2.Bucket(oss2.Auth(KEY_ID, KEY_SECRET), url, "bench-models")
        bucket.create_bucket()
        for path in ARTEFACT.iterdir():
            bucket.put_object_from_file(f"fashion/{path.name}", str(path))
        for path in (ROOT / "model" / "serving").glob("*.py"):
            bucket.put_object_from_file(f"fashion/serving/{path.name}", str(path))
        yield deploy(url, SERVICE_JSON)


def deploy(url: str, document: dict[str, Any]) -> Deployed:
    """Creates a service with one replica, named SERVICE, at the emulator there; returns when it runs."""
    client = Client(
        Config(
            access_key_id=KEY_ID,
            access_key_secret=KEY_SECRET,
            region_id=REGION,
            endpoint=url.removeprefix("http://"),
            protocol="HTTP",
        )
    )
    client.create_service(eas.CreateServiceRequest(body=json.dumps(document)))
    until(
        lambda: client.describe_service(REGION, SERVICE, eas.DescribeServiceRequest()).body.status == "Running",
        limit_s=60,
    )
    described = client.describe_service(REGION, SERVICE, eas.DescribeServiceRequest()).body
    replica = client.list_service_instances(REGION, SERVICE, eas.ListServiceInstancesRequest()).body.instances[0]
    direct = f"http://{replica.inner_ip}:{replica.instance_port}/"
    return Deployed(described.internet_endpoint, direct, described.access_token, client)


SERVICE_JSON = {
    "metadata": {"name": SERVICE, "instance": 1, "rpc": {"keepalive": 60_000}},
    "cloud": {"computing": {"instance_type": "ecs.c7.large"}},
    "containers": [
        {
            "image": "python",
            "command": "python -m serving",
            "port": 8000,
            "readiness_check": {"http_get": {"path": "/healthz", "port": 8000}, "period_seconds": 1},
            "env": [
                {"name": "PYTHONPATH", "value": "/mnt/model"},
                {"name": "MODEL_DIR", "value": "/mnt/model"},
                {"name": "PORT", "value": "8000"},
                {"name": "HOST", "value": "127.0.0.1"},
            ],
        }
    ],
    "storage": [{"mount_path": "/mnt/model", "oss": {"path": "oss://bench-models/fashion/", "readOnly": True}}],
}
