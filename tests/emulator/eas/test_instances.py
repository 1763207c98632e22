"""Instances: what runs, in what surroundings, and what happens when it fails."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import oss2
import psutil
import pytest
from alibabacloud_eas20210701 import models

from emulator.credentials import ACCESS_KEY_ID, ACCESS_KEY_SECRET
from tests.emulator.conftest import RunningEmulator
from tests.emulator.eas.conftest import STAND_IN, Eas, service_json, until


def reasons(eas: Eas, **query: Any) -> list[str]:
    return [event["Reason"] for event in eas.events(**query)]


def bucket_of(emulator: RunningEmulator, name: str) -> oss2.Bucket:
    bucket = oss2.Bucket(oss2.Auth(ACCESS_KEY_ID, ACCESS_KEY_SECRET), emulator.url, name)
    bucket.create_bucket()
    return bucket


def test_instances_are_listed_with_their_addresses(eas: Eas) -> None:
    eas.deploy(service_json(instance=2, cloud={"computing": {"instance_type": "ecs.c7.large"}}))

    instances = eas.instances(sort="InstanceName", order="asc")

    assert [instance["InstanceType"] for instance in instances] == ["ecs.c7.large"] * 2
    assert [(i["Status"], i["ReadyProcesses"], i["TotalProcesses"]) for i in instances] == [("Running", 1, 1)] * 2
    for instance in instances:
        answer = eas.http.get(f"http://{instance['InnerIP']}:{instance['InstancePort']}/direct")
        assert answer.json()["path"] == "/direct"
    (named,) = eas.instances(instance_name=instances[1]["InstanceName"])
    assert named == instances[1]
    assert eas.instances(filter="no such instance") == []
    assert eas.instances(instance_status="Failed") == []
    assert eas.instances(page_size=1, page_number=2, sort="InstanceName", order="asc") == [instances[1]]


def test_each_instance_runs_in_a_session_and_a_directory_of_its_own(eas: Eas) -> None:
    eas.deploy(service_json(instance=2))

    described = {answer["pid"]: answer for answer in (eas.ask().json() for _ in range(6))}

    assert len(described) == 2
    assert len({answer["directory"] for answer in described.values()}) == 2
    assert len({answer["argv"][1] for answer in described.values()}) == 2, "each got a port of its own"
    assert all(os.getsid(pid) == pid for pid in described)


def test_an_instance_sees_only_what_it_declares(eas: Eas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", "of the machine")
    eas.deploy(service_json(env={"MODEL": "a", "URL": "http://127.0.0.1:8000/health", "PORT": "8000"}))

    answer = eas.ask().json()

    port = answer["argv"][1]
    environment = {key: value for key, value in answer["environment"].items() if key != "LC_CTYPE"}
    assert set(environment) == {"PATH", "HOME", "TMPDIR", "LANG", "MODEL", "URL", "PORT"}
    assert environment["PATH"].split(":")[0] == str(Path(sys.executable).parent)
    assert environment["HOME"] == answer["directory"]
    assert environment["URL"] == f"http://127.0.0.1:{port}/health"
    assert environment["PORT"] == port != "8000"


def test_a_script_runs_in_a_shell(eas: Eas) -> None:
    script = f"export VERSION=from-the-script; exec python {STAND_IN} 8000"
    eas.deploy(service_json(container={"command": None, "script": script}))

    assert eas.ask().json()["version"] == "from-the-script"


def test_an_oss_mount_shows_the_objects_at_the_declared_path(eas: Eas, emulator: RunningEmulator) -> None:
    bucket = bucket_of(emulator, "models")
    bucket.put_object("resnet/v1/model.pt", b"weights")
    bucket.put_object("resnet/v1/labels/names.txt", b"sneaker")
    bucket.put_object("resnet/v2/model.pt", b"others")
    storage = [{"mount_path": "/mnt/model", "oss": {"path": "oss://models/resnet/v1/", "readOnly": True}}]
    eas.deploy(
        service_json(
            storage=storage,
            command=f"python {STAND_IN} 8000 0 --model=/mnt/model/model.pt",
            env={"LABELS": "/mnt/model/labels"},
        )
    )

    answer = eas.ask().json()

    model = Path(answer["argv"][3].removeprefix("--model="))
    assert model.read_bytes() == b"weights"
    assert (Path(answer["environment"]["LABELS"]) / "names.txt").read_bytes() == b"sneaker"
    assert not model.stat().st_mode & 0o222


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("oss://absent-bucket/model/", "/mnt/model: oss://absent-bucket/model/ cannot be mounted"),
        ("oss://models/absent/", "/mnt/model: no object in bucket models begins with absent/"),
    ],
)
def test_a_mount_without_objects_fails_the_instance_with_an_event(
    eas: Eas, emulator: RunningEmulator, path: str, message: str
) -> None:
    bucket_of(emulator, "models").put_object("other/model.pt", b"x")

    eas.create(service_json(storage=[{"mount_path": "/mnt/model", "oss": {"path": path}}]))

    failed = eas.wait(status="Failed")
    assert message in failed["Message"]
    (event, *_) = [event for event in eas.events(event_type="Warning") if event["Reason"] == "FailedMount"]
    assert (event["Resource"], message in event["Message"]) == ("Pod", True)


def test_an_instance_that_lacked_its_objects_runs_as_soon_as_they_are_there(
    eas: Eas, emulator: RunningEmulator
) -> None:
    bucket = bucket_of(emulator, "models")
    eas.create(service_json(storage=[{"mount_path": "/m", "oss": {"path": "oss://models/late/"}}]))
    eas.wait(status="Failed")

    bucket.put_object("late/model.pt", b"weights")

    eas.wait()


def test_a_mount_that_the_emulator_does_not_have_fails_the_instance(eas: Eas) -> None:
    eas.create(service_json(storage=[{"mount_path": "/nas", "nfs": {"server": "a", "path": "/"}}]))

    assert "/nas: the emulator mounts oss and empty_dir, not nfs" in eas.wait(status="Failed")["Message"]


def test_a_command_that_does_not_exist_fails_the_service(eas: Eas) -> None:
    eas.create(service_json(command="no-such-program --port 8000"))

    failed = eas.wait(status="Failed")
    assert "No such file or directory: 'no-such-program'" in failed["Message"]
    assert failed["RunningInstance"] == 0


def test_a_processor_is_stored_but_not_run(eas: Eas) -> None:
    eas.create({"metadata": {"name": "svc", "instance": 1}, "processor": "pmml", "model_path": "oss://bucket-a/m.pmml"})

    assert "it has no prebuilt processors" in eas.wait(status="Failed")["Message"]


def test_packages_that_are_not_installed_are_told_of(eas: Eas) -> None:
    eas.deploy(service_json(container={"prepare": {"pythonRequirements": ["numpy==1.16.4"]}}))

    (event,) = eas.events(event_type="Warning")
    assert event["Reason"] == "NotPrepared"
    assert "python is the emulator's own, with the packages that it has" in event["Message"]


def test_a_dead_instance_is_started_again_and_keeps_its_name(eas: Eas) -> None:
    eas.deploy(service_json())
    (before,) = eas.instances()

    os.kill(eas.ask().json()["pid"], signal.SIGKILL)

    after = until(lambda: [i for i in eas.instances() if i["RestartCount"] and i["ReadyProcesses"]])[0]
    assert after["InstanceName"] == before["InstanceName"]
    assert after["RestartCount"] == 1
    assert after["LastState"][0]["ExitCode"] == -signal.SIGKILL
    assert after["LastState"][0]["Message"] == "The container was ended by signal 9"
    assert eas.ask().status_code == 200
    assert eas.status() == "Running"


def test_an_instance_that_keeps_dying_is_started_ever_later(eas: Eas) -> None:
    eas.create(service_json(command="python -c 'raise SystemExit(7)'"))

    failed = eas.wait(status="Failed")
    until(lambda: len([r for r in reasons(eas) if r == "BackOff"]) >= 3)

    assert "The container exited with code 7" in failed["Message"]
    messages = [event["Message"] for event in eas.events() if event["Reason"] == "BackOff"]
    assert messages[:3] == [f"Back-off {delay} s restarting failed container" for delay in ("0.5", "1", "2")]
    (instance,) = eas.instances()
    assert (instance["Status"], instance["Reason"]) == ("Failed", "CrashLoopBackOff")
    assert instance["LastState"][0]["ExitCode"] == 7
    assert eas.ask().status_code == 503


def test_a_blocked_instance_is_kept_dead_for_examination(eas: Eas) -> None:
    eas.deploy(service_json(runtime={"enable_crash_block": True}))
    with pytest.raises(httpx.RemoteProtocolError):
        eas.http.get(f"http://127.0.0.1:{eas.instances()[0]['InstancePort']}/?exit=3")

    instance = until(lambda: [i for i in eas.instances() if i["Status"] == "Failed"])[0]

    assert (instance["Reason"], instance["RestartCount"]) == ("CrashBlock", 0)
    assert "The container exited with code 3" in instance["LastState"][0]["Message"]
    assert eas.status() == "Waiting"


def test_all_processes_of_an_instance_end_with_it(eas: Eas) -> None:
    script = f"sleep 3600 & python {STAND_IN} 8000"
    eas.deploy(service_json(container={"command": None, "script": script}))
    group = os.getpgid(eas.ask().json()["pid"])
    members = [process for process in psutil.process_iter() if _group(process.pid) == group]
    assert len(members) == 3

    eas.call("stop_service", "svc", models.StopServiceRequest())
    eas.wait(status="Stopped")

    until(lambda: not any(process.is_running() for process in members))


def _group(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def test_a_hard_restart_builds_the_instance_anew(eas: Eas) -> None:
    eas.deploy(service_json(instance=2))
    before = {instance["InstanceName"] for instance in eas.instances()}
    victim = min(before)

    eas.call("delete_service_instances", "svc", models.DeleteServiceInstancesRequest(instance_list=victim))

    def replaced() -> set[str] | None:
        names = {instance["InstanceName"] for instance in eas.instances()}
        return names if len(names) == 2 and victim not in names else None

    assert before - {victim} < until(replaced)


def test_a_soft_restart_keeps_the_instance(eas: Eas) -> None:
    eas.deploy(service_json())
    (before,) = eas.instances()
    pid = eas.ask().json()["pid"]

    request = models.DeleteServiceInstancesRequest(instance_list=before["InstanceName"], soft_restart=True)
    eas.call("delete_service_instances", "svc", request)

    after = until(lambda: [i for i in eas.instances() if i["RestartCount"] and i["ReadyProcesses"]])[0]
    assert after["InstanceName"] == before["InstanceName"]
    assert eas.ask().json()["pid"] != pid
    assert "BackOff" not in reasons(eas)


def test_an_instance_with_sigterm_ends_in_order_and_another_does_not(eas: Eas) -> None:
    eas.deploy(service_json("polite", metadata={"rpc": {"enable_sigterm": True}}))
    eas.deploy(service_json("curt"))

    for name in ("polite", "curt"):
        eas.call("stop_service", name, models.StopServiceRequest())
        eas.wait(name, "Stopped")

    assert any("ended in order" in line for line in eas.logs("polite"))
    assert not any("ended in order" in line for line in eas.logs("curt"))


def test_an_instance_that_ignores_sigterm_is_killed_when_its_grace_period_ends(eas: Eas) -> None:
    code = (
        "import http.server, signal; signal.signal(15, signal.SIG_IGN); "
        "http.server.HTTPServer(('127.0.0.1', 8000), http.server.BaseHTTPRequestHandler).serve_forever()"
    )
    metadata = {"rpc": {"enable_sigterm": True}, "eas.termination_grace_period": 1}
    eas.deploy(service_json(metadata=metadata, container={"command": f'python -c "{code}"'}))

    begun = time.monotonic()
    eas.call("stop_service", "svc", models.StopServiceRequest())
    eas.wait(status="Stopped")

    assert time.monotonic() - begun >= 1.0


def test_more_instances_than_the_machine_takes_wait(eas: Eas, emulator: RunningEmulator) -> None:
    capacity = emulator.state.eas.host.capacity
    eas.create(service_json("many", instance=capacity + 1, command="sleep 3600"))
    until(lambda: eas.describe("many")["Status"] == "Waiting" and len(eas.instances("many")) == capacity)
    eas.create(service_json("late"))
    assert eas.instances("late") == []

    eas.call("delete_service", "many", models.DeleteServiceRequest())

    eas.wait("late")
