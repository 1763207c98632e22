"""Health checks decide who gets traffic and who is started again."""

from typing import Any

import pytest

from tests.emulator.eas.conftest import STAND_IN, Eas, service_json, until

HEALTH: dict[str, Any] = {"http_get": {"path": "/health", "port": 8000}, "period_seconds": 1, "failure_threshold": 1}


def direct(eas: Eas, what: str) -> None:
    """Asks the only instance past the gateway."""
    assert eas.http.get(f"http://127.0.0.1:{eas.instances()[0]['InstancePort']}/?{what}").is_success


@pytest.mark.parametrize("key", ["readiness_check", "health_check"])
def test_an_instance_that_is_not_ready_gets_no_traffic_until_it_is_again(eas: Eas, key: str) -> None:
    eas.deploy(service_json(container={key: HEALTH}))

    direct(eas, "unready")
    until(lambda: eas.ask().status_code == 503)
    assert eas.describe()["RunningInstance"] == 0
    assert eas.status() == "Waiting"

    direct(eas, "ready")
    until(lambda: eas.ask().status_code == 200)
    assert eas.instances()[0]["RestartCount"] == 0
    assert "Readiness probe failed: GET /health answered 503" in [event["Message"] for event in eas.events()]


def test_an_instance_that_is_not_alive_is_started_again(eas: Eas) -> None:
    eas.deploy(service_json(container={"liveness_check": HEALTH}))

    direct(eas, "dead")

    instance = until(lambda: [i for i in eas.instances() if i["RestartCount"] and i["ReadyProcesses"]])[0]
    assert instance["LastState"][0]["Reason"] == "Unhealthy"
    assert instance["LastState"][0]["Message"] == "Liveness probe failed: GET /health answered 500"


def test_an_instance_that_never_starts_is_given_up(eas: Eas) -> None:
    startup = {"http_get": {"path": "/?status=500"}, "period_seconds": 1, "failure_threshold": 1}
    eas.create(service_json(container={"startup_check": startup}))

    failed = eas.wait(status="Failed")
    assert "Startup probe failed: GET /?status=500 answered 500" in failed["Message"]


def test_nothing_else_is_checked_before_an_instance_has_started(eas: Eas) -> None:
    startup = {"tcp_socket": {}, "period_seconds": 1, "failure_threshold": 30}
    impatient = {**HEALTH, "failure_threshold": 1}
    command = f"python {STAND_IN} 8000 1.5"
    eas.create(service_json(command=command, container={"startup_check": startup, "liveness_check": impatient}))

    eas.wait()
    assert eas.instances()[0]["RestartCount"] == 0


def test_a_command_can_be_the_check(eas: Eas) -> None:
    connect = "import socket; socket.create_connection(('127.0.0.1', int('8000')))"
    check = {"exec": {"command": ["python", "-c", connect]}, "period_seconds": 1}
    eas.deploy(service_json(container={"readiness_check": check}))

    assert eas.ask().status_code == 200


def test_an_instance_without_probes_is_ready_when_its_port_is_open(eas: Eas) -> None:
    eas.create(service_json(command=f"python {STAND_IN} 8000 0.5"))
    until(lambda: eas.status() == "Waiting")

    assert eas.ask().status_code == 503
    eas.wait()
    assert eas.ask().status_code == 200
