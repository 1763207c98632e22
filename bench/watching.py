"""What it costs the gateway that services are measured."""

import subprocess
from collections.abc import Iterator

import httpx
import psutil

from bench import servers
from bench.model_service import ROOT, SERVICE, deploy, load_command
from bench.rows import Row, at_least

ROUNDS, REQUESTS = 20, 1000
IDLE = ROOT / "tests" / "emulator" / "eas" / "stand_in.py"
IDLE_JSON = {
    "metadata": {"name": SERVICE, "instance": 1, "cpu": 1, "memory": 1000, "rpc": {"keepalive": 60_000}},
    "containers": [{"image": "stand-in", "command": f"python {IDLE} 8000", "port": 8000}],
    "networking": {"gateway_policy": {"rate_limit": {"enable": False}}},
}


def throughput() -> Iterator[Row]:
    """Requests that the gateway gets done in a second of its own processor time, with and without measuring, of an
    instance that does nothing. The gateway's throughput is bound by its one processor, and its processor time does not
    depend on what else runs on the machine."""
    with servers.emulator() as (watching, _), servers.emulator("--no-metrics") as (blind, _):
        services = {url: deploy(url, IDLE_JSON) for url in (watching, blind)}
        used = dict.fromkeys(services, 0.0)
        for _ in range(ROUNDS):
            for url, service in services.items():
                emulator = psutil.Process(httpx.get(f"{url}/health", trust_env=False).json()["pid"])
                before = emulator.cpu_times()
                command = load_command(service.gateway, service, REQUESTS, workers=8)
                subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
                after = emulator.cpu_times()
                used[url] += after.user + after.system - before.user - before.system
    yield at_least(
        "gateway: throughput with metrics, beside without",
        ROUNDS * REQUESTS / used[watching],
        "requests/CPU s",
        baseline=ROUNDS * REQUESTS / used[blind],
        ratio=0.95,
    )
