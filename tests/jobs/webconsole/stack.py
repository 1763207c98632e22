"""A stack to look at: services that run, a week of load, alarms, traffic, and what jobs reported."""

import json
import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import uvicorn
from alibabacloud_cms20190101.client import Client as CmsClient
from alibabacloud_cms20190101.models import PutContactRequestChannels, PutCustomMetricRuleRequest
from alibabacloud_eas20210701.client import Client as EasClient

from emulator.services.eas.metering.summary import Summary
from emulator.state import Settings, State
from jobs.pulumi_stack import PulumiStack
from jobs.stacks import OpenStack
from jobs.webconsole.app import create_app
from jobs.webconsole.source import Source
from stacks.config import StackConfig
from stacks.plans import ExpectedLoad, PlannedStep, ScalingPlan
from tests.emulator.cms.calls import activate, ask_all, next_minute, report
from tests.emulator.cms.conftest import put_contact, put_group
from tests.emulator.eas.calls import call
from tests.emulator.eas.conftest import Eas, service_json
from tests.emulator.running import RunningEmulator, run_emulator
from tests.emulator.sdk import connect

DAYS = 7
MINUTE_S = 60
TOKEN = "console-must-not-show-this"
ROBOT = "https://oapi.dingtalk.com/robot/send?access_token=nor-this"


def settings_of(url: str, count: int = 0, plan: Path = Path("plan.json")) -> StackConfig:
    """shop and trial in one group, dormant that is not deployed, and `count` more."""
    one = {
        "model": {"name": "fashion", "artefact": "out"},
        "instance_type": "ecs.c7.large",
        "request": {"timeout_s": 5},
    }
    forecast = {"qps_per_replica": 60, "plan": str(plan)}
    scaling = {"min_replicas": 1, "max_replicas": 4, "qps_per_replica": {"target": 50}, "forecast": forecast}
    document = {
        "target": {"region": "cn-hangzhou", "account_id": "1234567890123456", "emulator": url},
        "services": {
            "shop": {**one, "scaling": scaling},
            "trial": one,
            "dormant": one,
            **{f"other{number}": one for number in range(count)},
        },
        "traffic": {
            "fashion": {
                "mode": "canary",
                "versions": {"old": {"service": "shop", "weight": 90}, "new": {"service": "trial", "weight": 10}},
            }
        },
    }
    return StackConfig.model_validate_json(json.dumps(document))


@contextmanager
def watched(folder: Path, count: int = 0) -> Iterator[tuple[RunningEmulator, OpenStack]]:
    """The stack in an emulator, with `count` services more."""
    _remember(folder / "emulator", ["shop_dev", *(f"other{number}_dev" for number in range(count))])
    with run_emulator(folder / "emulator") as emulator:
        config = settings_of(emulator.url, count, folder / "plan.json")
        _plan(folder / "plan.json")
        _deploy(emulator, count)
        _raise_alarms(emulator)
        file = folder / "Pulumi.dev.yaml"
        yield emulator, OpenStack(config, PulumiStack("dev", file, file, config.target.environment()))


@contextmanager
def served(stack: OpenStack) -> Iterator[str]:
    """The console of a stack, on a real socket; its address."""
    config = uvicorn.Config(create_app(Source.of(stack)), host="127.0.0.1", port=0, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the console did not start"
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join()


def _remember(folder: Path, names: list[str]) -> None:
    """A week of values in CloudMonitor, one a minute, which ends now."""
    state = State(Settings(folder, port=1))
    now = int(datetime.now(UTC).timestamp()) // MINUTE_S * MINUTE_S
    begun = now - int(timedelta(days=DAYS).total_seconds())
    with state.store.transaction():
        for number, name in enumerate(names):
            # Of the others the list shows the newest alone.
            for at in range(begun if number == 0 else now - 5 * MINUTE_S, now, MINUTE_S):
                for metric, value in _values(at).items():
                    state.cms.points.add(
                        "acs_learn", metric, {"serviceName": name}, at, Summary(1, value, value, value)
                    )
    state.store.close()


def _values(at: int) -> dict[str, float]:
    wave = (1 - math.cos((at % 86_400) / 86_400 * 2 * math.pi)) / 2
    noise = ((at // MINUTE_S * 7919) % 101) / 101
    qps = 20 + 160 * wave + 12 * noise
    return {
        "qps_total": qps,
        "rt": (18 + 10 * wave + 4 * noise) * 1000,
        "rt_tp90": (30 + 18 * wave + 8 * noise) * 1000,
        "rt_tp99": (55 + 40 * wave + 20 * noise) * 1000,
        "rps_status_2xx_ratio": 99.5,
        "rps_status_4xx_ratio": 0.3 + 0.3 * noise,
        "rps_status_5xx_ratio": 0.2 * noise,
        "cpu_core_usage": 0.2 + 1.1 * wave,
        "memory_rss": (610 + 40 * wave) * 2**20,
    }


def _plan(file: Path) -> None:
    """From this hour on for a day: three replicas at noon, one at night."""
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    hours = [now + timedelta(hours=number) for number in range(24)]
    loads = {at: _values(int(at.timestamp()))["qps_total"] for at in hours}
    expected = tuple(ExpectedLoad(at=at, low_qps=0.85 * qps, qps=qps, high_qps=1.2 * qps) for at, qps in loads.items())
    steps = tuple(PlannedStep(at=at, replicas=1 + int(qps // 70)) for at, qps in list(loads.items())[::4])
    plan = ScalingPlan(
        made_at=now, until=now + timedelta(days=1), steps=steps, target_utilisation=None, method="seasons",
        why="the last days have a season", expected=expected,
    )  # fmt: skip
    file.write_text(plan.model_dump_json())


def _deploy(emulator: RunningEmulator, count: int) -> None:
    eas = Eas(connect(EasClient, emulator), emulator.url)
    call(eas, "CreateGroup", Name="fashion_dev")
    for name, weight, replicas in (("shop_dev", 90, 2), ("trial_dev", 10, 1)):
        document = service_json(name, instance=replicas, metadata={"group": "fashion_dev"}, token=TOKEN)
        eas.deploy(document)
        call(eas, "ReleaseService", name, TrafficState="grouping", Weight=weight)
    for number in range(count):
        eas.deploy(service_json(f"other{number}_dev"))
    call(
        eas, "CreateServiceAutoScaler", "shop_dev", min=1, max=4,
        scaleStrategies=[{"metricName": "qps", "threshold": 50}],
    )  # fmt: skip
    ask_all(eas, {"/first": 2, "/hidden?status=500": 1}, name="shop_dev")
    eas.http.close()


def _raise_alarms(emulator: RunningEmulator) -> None:
    """One fires, one is over; both are the stack's. A third is somebody else's."""
    cms: Any = connect(CmsClient, emulator)
    put_contact(cms, channels=PutContactRequestChannels(mail="anna@example.com", ding_web_hook=ROBOT))
    put_group(cms)
    activate(emulator)
    for rule, metric in (
        ("paistack-dev-shop-accuracy_percent", "accuracy_percent"),
        ("paistack-dev-shop-drift", "input_drift_psi"),
        ("somebody-else", "accuracy_percent"),
    ):
        comparison, threshold = (">", "0.1") if metric == "input_drift_psi" else ("<", "80")
        cms.put_custom_metric_rule(
            PutCustomMetricRuleRequest(
                rule_id=rule, rule_name=rule, metric_name=metric, level="CRITICAL", statistics="Average", period="60",
                comparison_operator=comparison, threshold=threshold, evaluation_count=1, contact_groups="on-call",
                resources='[{"groupId": 0, "dimension": "service=shop_dev"}]',
            )
        )  # fmt: skip
    next_minute(emulator)
    for accuracy, drift in ((88, 0.02), (86, 0.3), (71, 0.02)):
        report(cms, name="accuracy_percent", service="shop_dev", value=accuracy)
        report(cms, name="input_drift_psi", service="shop_dev", value=drift)
        next_minute(emulator)
