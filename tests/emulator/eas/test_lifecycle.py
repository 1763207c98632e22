"""Starting, stopping, restarting and scaling; the status follows what the instances really do."""

from alibabacloud_eas20210701 import models

from tests.emulator.eas.conftest import STAND_IN, Eas, service_json, until
from tests.emulator.refusals import refused

SLOW_START = f"python {STAND_IN} 8000 0.6"


def statuses(eas: Eas, settled: str) -> list[str]:
    """The statuses that are seen until `settled`, each once."""
    seen: list[str] = []
    while not seen or seen[-1] != settled:
        status = eas.status()
        if status not in seen:
            seen.append(status)
        assert len(seen) < 6
    return seen


def test_a_new_service_waits_for_its_instances_before_it_runs(eas: Eas) -> None:
    eas.create(service_json(instance=2, command=SLOW_START))

    seen = statuses(eas, "Running")

    assert seen[-2:] == ["Waiting", "Running"]
    assert set(seen) <= {"Creating", "Waiting", "Running"}


def test_stopping_ends_the_instances_and_starting_brings_them_back(eas: Eas) -> None:
    eas.deploy(service_json(instance=2, command=SLOW_START))
    token = eas.describe()["AccessToken"]

    eas.call("stop_service", "svc", models.StopServiceRequest())
    stopped = eas.wait(status="Stopped")
    assert (stopped["TotalInstance"], stopped["RunningInstance"], eas.instances()) == (0, 0, [])
    assert eas.ask().status_code == 503

    eas.call("start_service", "svc", models.StartServiceRequest())
    assert statuses(eas, "Running") == ["Starting", "Running"]
    assert eas.describe()["RunningInstance"] == 2
    assert eas.describe()["AccessToken"] == token


def test_stopping_and_starting_twice_changes_nothing(eas: Eas) -> None:
    eas.deploy(service_json())
    before = eas.instances()

    eas.call("start_service", "svc", models.StartServiceRequest())
    assert eas.instances() == before

    eas.call("stop_service", "svc", models.StopServiceRequest())
    eas.wait(status="Stopped")
    eas.call("stop_service", "svc", models.StopServiceRequest())
    assert eas.status() == "Stopped"


def test_a_stopped_service_is_updated_and_starts_with_the_new_version(eas: Eas) -> None:
    eas.deploy(service_json(env={"VERSION": "1"}))
    eas.call("stop_service", "svc", models.StopServiceRequest())
    eas.wait(status="Stopped")

    eas.update("svc", service_json(env={"VERSION": "2"}))
    assert eas.status() == "Stopped"

    eas.call("start_service", "svc", models.StartServiceRequest())
    eas.wait()
    assert eas.ask().json()["version"] == "2"


def test_restarting_replaces_every_instance_without_a_gap(eas: Eas) -> None:
    eas.deploy(service_json(instance=2))
    before = {instance["InstanceName"] for instance in eas.instances()}

    eas.call("restart_service", "svc", models.RestartServiceRequest())

    assert eas.status() == "Updating"
    while eas.status() != "Running":
        assert eas.ask().status_code == 200
    after = {instance["InstanceName"] for instance in eas.instances()}
    assert len(after) == 2
    assert not before & after
    assert eas.describe()["CurrentVersion"] == 1


def test_a_stopped_service_cannot_be_restarted(eas: Eas) -> None:
    eas.deploy(service_json(instance=0))
    eas.call("stop_service", "svc", models.StopServiceRequest())

    with refused("InvalidService.Status", 409, r"Service \[svc\] is stopped; start it instead"):
        eas.call("restart_service", "svc", models.RestartServiceRequest())


def test_scaling_in_ends_the_named_instances_first(eas: Eas) -> None:
    eas.deploy(service_json(instance=3))
    oldest = eas.instances(sort="CreateTime", order="asc")[0]["InstanceName"]

    request = models.ScaleServiceRequest(instance=2, instances_to_delete=[oldest])
    eas.call("scale_service", "svc", request)

    eas.wait()
    names = [instance["InstanceName"] for instance in eas.instances()]
    assert len(names) == 2
    assert oldest not in names


def test_a_service_can_have_no_instance(eas: Eas) -> None:
    eas.deploy(service_json())

    eas.call("scale_service", "svc", models.ScaleServiceRequest(instance=0))

    until(lambda: not eas.instances())
    assert eas.wait()["TotalInstance"] == 0
    assert eas.ask().status_code == 503


def test_a_service_that_is_being_deleted_takes_no_change(eas: Eas) -> None:
    eas.deploy(
        service_json(
            metadata={"rpc": {"enable_sigterm": True}},
            command="python -c 'import signal, time; "
            "signal.signal(15, lambda *_: None); import http.server; "
            'http.server.HTTPServer(("127.0.0.1", 8000), http.server.SimpleHTTPRequestHandler).serve_forever()\'',
        )
    )
    eas.call("delete_service", "svc", models.DeleteServiceRequest())

    assert eas.status() == "Deleting"
    with refused("InvalidService.Status", 409, r"Service \[svc\] is being deleted"):
        eas.update("svc", {"metadata": {"instance": 2}})
    with refused("InvalidService.Exists", 409):
        eas.create(service_json())


def test_a_stopping_service_is_seen_stopping(eas: Eas) -> None:
    eas.deploy(service_json(metadata={"rpc": {"keepalive": 20_000}}))
    with eas.http.stream(
        "GET", f"{eas.url}/api/predict/svc?stream=30", headers={"Authorization": eas.describe()["AccessToken"]}
    ) as answer:
        eas.call("stop_service", "svc", models.StopServiceRequest())
        assert eas.status() == "Stopping"
        (instance,) = eas.instances()
        assert (instance["Status"], instance["ReadyProcesses"]) == ("Terminating", 0)
        lines = list(answer.iter_lines())
    assert len(lines) == 30, "the request in flight was finished"
    eas.wait(status="Stopped")
