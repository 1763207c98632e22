"""A run is followed on the emulated DSW, where start commands really run and stop their machine by themselves."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cloud.target import emulator_credentials
from jobs.models.run import Run, log_of
from jobs.problem import JobError
from tests.emulator.dsw.conftest import BUCKET, Dsw, over, start_command
from tests.emulator.running import run_emulator

ROOT = Path(__file__).parents[3]
KEY = "models/fashion/.training.log"


@pytest.fixture
def dsw(tmp_path: Path) -> Iterator[Dsw]:
    with run_emulator(tmp_path / "emulator") as running:
        yield over(running)


def begun(dsw: Dsw, log: str) -> Run:
    """A run that writes these lines and stops its machine."""
    keys = {name: emulator_credentials()[f"ALIBABA_CLOUD_{name}"] for name in ("ACCESS_KEY_ID", "ACCESS_KEY_SECRET")}
    mount = {
        "Uri": f"oss://{BUCKET}.oss-cn-hangzhou-internal.aliyuncs.com/models/fashion/",
        "MountPath": "/mnt/models",
        "MountAccess": "RW",
    }
    command = f"printf '{log}' > /mnt/models/.training.log\ncd {ROOT}\npython3 -m model.release\n"
    instance_id = dsw.create(
        Datasets=[mount],
        UserCommand=start_command(command),
        EnvironmentVariables={f"ALIBABA_CLOUD_{name}": key for name, key in keys.items()}
        | {"DSW_ENDPOINT": dsw.emulator.url},
    )
    return Run(dsw.client, dsw.bucket, instance_id, KEY, "")


def test_a_run_that_stops_its_machine_is_followed_to_the_version_that_it_stored(dsw: Dsw) -> None:
    lines: list[str] = []
    run = begun(dsw, r"epoch 1/1, loss 0.5, 1 s\nstored /elsewhere/0123456789ab\ndone\n")
    assert run.follow(lines.append, timeout_s=60, poll_s=0.2) == "0123456789ab"
    assert lines == ["epoch 1/1, loss 0.5, 1 s", "stored /elsewhere/0123456789ab", "done"]
    assert run.status() == "Stopped"


def test_a_run_that_failed_is_told_with_its_last_words(dsw: Dsw) -> None:
    run = begun(dsw, r"error: /mnt/data/dataset.json: cannot be read\nfailed\n")
    with pytest.raises(JobError, match=r"stored no version; its machine is Stopped: error: /mnt/data/dataset\.json"):
        run.follow(lambda _: None, timeout_s=60, poll_s=0.2)


def test_what_an_earlier_run_logged_is_not_taken_for_this_ones(dsw: Dsw) -> None:
    dsw.bucket.put_object("models/other/.training.log", b"stored /mnt/models/fedcba987654\ndone\n")
    before = log_of(dsw.bucket, "models/other/.training.log")
    assert before is not None
    run = begun(dsw, "failed")
    other = Run(run.dsw, run.bucket, run.instance_id, "models/other/.training.log", before[0])
    with pytest.raises(JobError, match="stored no version"):
        other.follow(lambda _: None, timeout_s=60, poll_s=0.2)


def test_a_run_that_takes_too_long_is_left_to_itself(dsw: Dsw) -> None:
    run = begun(dsw, "")
    with pytest.raises(JobError, match="takes longer than 0 min; it goes on, and stops its machine by itself"):
        run.follow(lambda _: None, timeout_s=0, poll_s=0)
