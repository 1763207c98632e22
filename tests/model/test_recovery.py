"""A run that is killed goes on where it was, several processes train the same model as one, and a run may end early."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from model import artefact, network
from model.artefact import Manifest
from model.checkpoint import Checkpoint
from model.dataset import DataError, Dataset, Part
from model.recipe import EarlyStopping
from model.stopping import parts
from tests.model.tiny import ENVIRONMENT, command, make_tiny, run

pytestmark = [pytest.mark.model, pytest.mark.slow]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"))


def manifest_of(out: Path) -> Manifest:
    manifest = artefact.read(out)
    assert manifest is not None
    return manifest


def probabilities(out: Path, pixels: torch.Tensor) -> torch.Tensor:
    result: torch.Tensor = network.load((out / "model.pt").read_bytes())(pixels)
    return result


def test_a_killed_run_goes_on_and_ends_as_if_it_had_not_been_killed(tiny: Path, tmp_path: Path) -> None:
    options = ("--epochs", "4", "--checkpoint-s", "0", "--early-stop", "9")
    with subprocess.Popen(
        command(tiny, tmp_path / "killed", *options), env=ENVIRONMENT, stdout=subprocess.PIPE, text=True
    ) as begun:
        assert begun.stdout
        next(line for line in begun.stdout if line.startswith("epoch 2/4"))
        begun.kill()
    assert not (tmp_path / "killed").exists()
    resumed = run(tiny, tmp_path / "killed", *options)
    assert "resumed after step " in resumed
    assert "epoch 1/4" not in resumed
    assert "resumed" not in run(tiny, tmp_path / "whole", *options)
    assert manifest_of(tmp_path / "killed").version == manifest_of(tmp_path / "whole").version
    assert {each.name for each in tmp_path.iterdir()} == {"killed", ".killed.lock", "whole", ".whole.lock"}


def test_two_processes_train_what_one_trains(tiny: Path, tmp_path: Path) -> None:
    options = ("--epochs", "2", "--learning-rate", "0.001")
    run(tiny, tmp_path / "one", *options)
    torchrun = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")
    run(tiny, tmp_path / "two", *options, launcher=torchrun)
    assert manifest_of(tmp_path / "two").run.processes == 2
    pixels = torch.randint(0, 256, (32, 1, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(probabilities(tmp_path / "one", pixels), probabilities(tmp_path / "two", pixels), atol=0.02)
    one, two = (json.loads((tmp_path / out / "metrics.json").read_text()) for out in ("one", "two"))
    assert two["accuracy"] == pytest.approx(one["accuracy"], abs=0.04)


def test_a_run_that_gets_no_better_ends_and_keeps_its_best_epoch(tiny: Path, tmp_path: Path) -> None:
    run(tiny, tmp_path / "out", "--epochs", "60", "--learning-rate", "0.05", "--early-stop", "1")
    how = manifest_of(tmp_path / "out").run
    assert how.epochs is not None
    assert how.best_epoch == how.epochs - 1
    assert how.epochs < 60


def test_tensorboard_logs_are_written(tiny: Path, tmp_path: Path) -> None:
    run(tiny, tmp_path / "out", "--epochs", "1", "--logs", str(tmp_path / "logs"))
    (events,) = (tmp_path / "logs").iterdir()
    assert b"loss/train" in events.read_bytes()


def test_a_damaged_checkpoint_is_told_and_begun_anew(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / ".out.checkpoint").write_bytes(b"not a checkpoint")
    printed = run(tiny, tmp_path / "out", "--epochs", "1")
    assert ".out.checkpoint: the checkpoint is damaged, the run begins anew" in printed
    assert not (tmp_path / ".out.checkpoint").exists()


def test_the_checkpoint_of_another_job_is_not_used(tmp_path: Path) -> None:
    Checkpoint(tmp_path / "state", "one", 0).save({"number": 1})
    assert Checkpoint(tmp_path / "state", "one", 0).load() == {"number": 1}
    assert Checkpoint(tmp_path / "state", "other", 0).load() is None


def test_what_decides_about_stopping_is_not_learnt_from_and_copies_stay_together() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (200, 1, 4, 4), np.uint8)
    pixels[100:] = pixels[:100]
    part = Part(pixels, np.zeros(200, np.int64))
    train, validation = parts(Dataset(("a",), part, part), EarlyStopping(share=0.3))
    assert validation is not None
    assert len(train) + len(validation) == 200
    assert not {each.tobytes() for each in train.pixels} & {each.tobytes() for each in validation.pixels}


def test_too_few_images_to_decide_by_are_told() -> None:
    part = Part(np.zeros((3, 1, 4, 4), np.uint8), np.zeros(3, np.int64))
    with pytest.raises(DataError, match=r"of 3 training images away, which leaves [03] to decide by"):
        parts(Dataset(("a",), part, part), EarlyStopping())
