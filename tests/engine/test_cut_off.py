"""Runs that are cut off, and the next run."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from jobs.emulator import EmulatorProcess
from jobs.problem import JobError
from tests.engine.cloud import Cloud
from tests.engine.conftest import Deployment

pytestmark = [pytest.mark.engine, pytest.mark.slow]

PATIENCE_S = 180.0

# What is there at the moment of the cut.
MOMENTS: dict[str, Callable[[Cloud, str], bool]] = {
    "the bucket": lambda cloud, _: bool(cloud.buckets()),
    "the role": lambda cloud, _: bool(cloud.roles()),
    "the policy": lambda cloud, _: bool(cloud.policies()),
    "the service": lambda cloud, service: service in cloud.services(),
    "a running service": lambda cloud, service: cloud.services().get(service) == "Running",
}


@pytest.fixture
def new(own_emulator: EmulatorProcess, tmp_path: Path) -> Deployment:
    """A stack that was never deployed, on an emulator of its own, which ends with the test and takes all with it."""
    return Deployment("cut", tmp_path, tmp_path, own_emulator)


def start_up(deployment: Deployment) -> subprocess.Popen[bytes]:
    """`pulumi up`, as somebody would run it in another terminal."""
    pulumi = deployment.open().pulumi
    options = ["--yes", "--skip-preview", "--stack", pulumi.name, "--config-file", str(pulumi.config_file)]
    return subprocess.Popen(
        ["pulumi", "up", *options], env=pulumi.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def await_moment(run: subprocess.Popen[bytes], moment: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not moment():
        assert run.poll() is None, "the run was over before the moment of the cut"
        assert time.monotonic() < deadline, f"the moment did not come within {PATIENCE_S:.0f} s"
        time.sleep(0.01)


def kill(run: subprocess.Popen[bytes]) -> None:
    """SIGKILL for the command alone, whose plugins live on; they are ended with the test session's processes."""
    left_behind = psutil.Process(run.pid).children(recursive=True)
    run.send_signal(signal.SIGKILL)
    run.wait()
    LEFT_BEHIND.extend(left_behind)


LEFT_BEHIND: list[psutil.Process] = []


@pytest.fixture(autouse=True, scope="module")
def _end_what_was_left_behind() -> Iterator[None]:
    yield
    for process in LEFT_BEHIND:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def assert_whole(deployment: Deployment) -> None:
    """Everything is there once, the service answers, and there is nothing left to do."""
    name = deployment.name
    assert deployment.cloud().everything() == [
        f"bucket paistack-{name}-90123456-models",
        f"policy paistack-{name}-tiny",
        f"role paistack-{name}-tiny",
        f"service tiny_{name} Running",
    ]
    assert deployment.ask().text == "first info"
    assert deployment.planned() == {}


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_run_after_pulumi_was_killed_goes_on_from_there(new: Deployment, moment: str) -> None:
    cloud = new.cloud()
    run = start_up(new)
    await_moment(run, lambda: MOMENTS[moment](cloud, new.service_name))
    kill(run)

    new.up()

    assert_whole(new)


@pytest.mark.parametrize("moment", ["the bucket", "the policy", "the service"])
def test_the_run_after_the_emulator_was_killed_goes_on_from_there(new: Deployment, moment: str) -> None:
    cloud = new.cloud()
    run = start_up(new)
    await_moment(run, lambda: MOMENTS[moment](cloud, new.service_name))
    emulator = new.emulator.pid()
    assert emulator is not None
    os.kill(emulator, signal.SIGKILL)
    assert run.wait(PATIENCE_S) != 0

    new.emulator.start()
    new.up()

    assert_whole(new)


def test_an_update_that_was_killed_is_done_by_the_next_run(new: Deployment) -> None:
    new.up()
    new.service["container"]["environment"] = {"LEVEL": "debug"}
    cloud = new.cloud()
    run = start_up(new)
    await_moment(run, lambda: "debug" in str(cloud.config(new.service_name)))
    kill(run)

    new.up()

    assert new.ask().text == "first debug"
    assert new.planned() == {}


def test_destroy_after_pulumi_was_killed_leaves_nothing(new: Deployment) -> None:
    cloud = new.cloud()
    run = start_up(new)
    await_moment(run, lambda: new.service_name in cloud.services())
    kill(run)

    new.destroy()

    assert cloud.everything() == []


def test_two_runs_at_once_do_not_mix(new: Deployment) -> None:
    cloud = new.cloud()
    run = start_up(new)
    await_moment(run, lambda: bool(cloud.buckets()))

    with pytest.raises(JobError, match=rf"another run is at work on stack {new.name}: .*, process {run.pid}, since"):
        new.up()
    assert run.wait(PATIENCE_S) == 0
    assert_whole(new)


def test_what_somebody_else_created_is_not_taken_over(new: Deployment) -> None:
    name = f"paistack-{new.name}-tiny"
    new.cloud().create_role(name)
    assert new.open().pulumi.run("up", "--yes", "--skip-preview") != 0

    refusal = f"alicloud:ram/role:Role {name} exists, but does not carry this stack's tag"
    with pytest.raises(JobError, match=re.escape(refusal)):
        new.up()

    new.cloud().delete_role(name)
    new.up()
    assert_whole(new)
