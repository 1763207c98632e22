"""Training by the command: repeatable, kept when nothing changed, whole or not at all, and clear about bad input."""

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from model import artefact, network
from model.artefact import Manifest
from model.fashion_mnist import TEST, labels_path, write_idx
from model.train import app
from tests.model.tiny import make_tiny

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"))


def train(data: Path | str, out: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["--data", str(data), "--out", str(out), "--epochs", "1", "--width", "8", *options])


def manifest_of(out: Path) -> Manifest:
    manifest = artefact.read(out)
    assert manifest is not None
    return manifest


def written(out: Path) -> tuple[int, int]:
    """Changes whenever the artefact is stored anew."""
    manifest = (out / "manifest.json").stat()
    return manifest.st_ino, manifest.st_mtime_ns


def weights(out: Path) -> dict[str, torch.Tensor]:
    return dict(network.load((out / "model.pt").read_bytes()).state_dict())


@pytest.fixture(scope="module")
def trained_once(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "shop"
    assert train(tiny, out).exit_code == 0
    return out


@pytest.fixture
def trained(trained_once: Path, tmp_path: Path) -> Path:
    """An artefact of the test's own, named shop, trained on the tiny set."""
    return Path(shutil.copytree(trained_once, tmp_path / "models" / "shop"))


def test_an_artefact_says_what_it_is_and_what_it_was_made_of(trained: Path, tiny: Path) -> None:
    manifest = manifest_of(trained)
    assert {each.name for each in trained.iterdir()} == {*artefact.FILES, artefact.MANIFEST}
    assert manifest.name == "shop"
    assert manifest.version == manifest.content_version()
    assert (manifest.data.source, manifest.data.train, manifest.data.held_back) == (tiny.name, 200, 50)
    assert (manifest.training.epochs, manifest.training.width, manifest.training.seed) == (1, 8, 0)
    assert str(tiny.parent) not in (trained / "manifest.json").read_text()
    metrics = json.loads((trained / "metrics.json").read_text())
    assert len(metrics["per_class"]) == 10
    assert np.trace(metrics["confusion_matrix"]) / 50 == pytest.approx(metrics["accuracy"])


def test_the_exported_model_takes_any_number_of_images_and_gives_probabilities(trained: Path) -> None:
    model = network.load((trained / "model.pt").read_bytes())
    for n in (1, 3):
        probabilities = model(torch.zeros(n, 1, 28, 28, dtype=torch.uint8))
        assert probabilities.shape == (n, 10)
        assert torch.allclose(probabilities.sum(1), torch.ones(n))


def test_another_seed_gives_another_model(trained: Path, tiny: Path, tmp_path: Path) -> None:
    train(tiny, tmp_path / "other", "--seed", "1")
    first, other = weights(trained), weights(tmp_path / "other")
    assert not all(torch.equal(first[name], other[name]) for name in first)


@pytest.mark.slow
def test_the_same_job_in_another_process_gives_the_same_version(tiny: Path, tmp_path: Path) -> None:
    outs = [tmp_path / "first", tmp_path / "second"]
    command = [sys.executable, "-m", "model.train", "--data", str(tiny), "--epochs", "1", "--width", "8"]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    runs = [subprocess.Popen([*command, "--out", str(out)], env=one_thread) for out in outs]
    assert [run.wait() for run in runs] == [0, 0]
    assert manifest_of(outs[0]).version == manifest_of(outs[1]).version


def test_the_exported_file_does_not_name_paths_of_the_machine(trained: Path) -> None:
    content = (trained / "model.pt").read_bytes()
    assert str(Path(network.__file__).parent).encode() not in content
    assert b"site-packages" not in content


def test_nothing_is_trained_when_nothing_changed(trained: Path, tiny: Path) -> None:
    before = written(trained)
    kept = train(tiny, trained)
    assert kept.exit_code == 0
    assert kept.stdout.startswith("kept: nothing changed since ")
    assert manifest_of(trained).version in kept.stdout
    assert written(trained) == before


@pytest.mark.parametrize("change", [["--seed", "1"], ["--no-flip"], ["--name", "other"], ["--force"]])
def test_another_setting_trains_anew(trained: Path, tiny: Path, change: list[str]) -> None:
    before = written(trained)
    assert "epoch 1/1, loss" in train(tiny, trained, *change).stdout
    assert written(trained) != before


def test_other_images_train_anew(trained: Path, tiny: Path, tmp_path: Path) -> None:
    for path in tiny.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    write_idx(labels_path(tmp_path, TEST), np.zeros(50, np.uint8))
    version = manifest_of(trained).version
    assert "epoch 1/1, loss" in train(tmp_path, trained).stdout
    assert manifest_of(trained).version != version


@pytest.mark.parametrize("name", ["model.pt", "manifest.json"])
def test_a_damaged_artefact_is_trained_anew(trained: Path, tiny: Path, name: str) -> None:
    (trained / name).write_bytes(b"{}")
    assert "epoch 1/1, loss" in train(tiny, trained).stdout
    manifest_of(trained)


def test_a_run_that_is_killed_leaves_the_artefact_before_it_and_a_checkpoint_at_most(trained: Path, tiny: Path) -> None:
    version = manifest_of(trained).version
    command = [sys.executable, "-m", "model.train", "--data", str(tiny), "--out", str(trained), "--epochs", "1000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        next(line for line in run.stdout if line.startswith("epoch 1/1000"))
        run.kill()
    assert manifest_of(trained).version == version
    assert "kept" in train(tiny, trained).stdout
    left = {each.name for each in trained.parent.iterdir()}
    assert left - {".shop.checkpoint", ".shop.checkpoint.partial"} == {"shop", ".shop.lock"}


def test_what_a_kill_in_the_middle_of_storing_left_is_put_right(trained: Path, tiny: Path) -> None:
    version = manifest_of(trained).version
    trained.rename(trained.parent / ".shop.previous")
    (trained.parent / ".shop.new-abc").mkdir()
    assert "kept" in train(tiny, trained).stdout
    assert manifest_of(trained).version == version
    assert {each.name for each in trained.parent.iterdir()} == {"shop", ".shop.lock"}


def test_only_one_run_at_a_time_works_on_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "shop"
    with artefact.exclusive(out), (tmp_path / ".shop.lock").open() as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_folder_with_other_files_is_not_replaced(tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    refused = train(tiny, tmp_path)
    assert refused.exit_code == 2
    assert "holds thesis.txt, which training would delete; name another" in refused.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_users_own_photographs_train_by_the_same_command(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    for label, colour in (("red", 0), ("blue", 2)):
        (tmp_path / "photographs" / label).mkdir(parents=True)
        for number in range(20):
            pixels = random.integers(0, 60, (50, 40, 3), np.uint8)
            pixels[:, :, colour] += 180
            Image.fromarray(pixels).save(tmp_path / "photographs" / label / f"{number}.jpg")
    out = tmp_path / "colours"
    options = ["--size", "32", "--epochs", "8", "--batch-size", "8"]
    assert train(tmp_path / "photographs", out, *options).exit_code == 0
    assert json.loads((out / "labels.json").read_text()) == ["blue", "red"]
    assert manifest_of(out).input.model_dump() == {"size": 32, "channels": 3, "background": "white"}
    assert json.loads((out / "metrics.json").read_text())["accuracy"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data", "nowhere"], "error: --data nowhere: no such folder; allowed: sample, fashion-mnist, or a folder"),
        (["--data", "sample", "--size", "64"], "error: --size 64: the images"),
        (["--data", "sample", "--epochs", "0"], "'--epochs': Input should be greater than or equal to 1"),
        (["--data", "sample", "--seed", "-1"], "'--seed': Input should be greater than or equal to 0"),
        (["--data", "sample", "--device", "tpu"], "'--device': Value error, 'tpu' is not one of 'auto', 'cpu', 'cuda'"),
        (
            ["--data", "sample", "--weights", "mine.pth"],
            "error: --weights mine.pth: no such file; allowed: none, imagenet, or a file",
        ),
        (["--data", "sample", "--epoch", "1"], "No such option"),
        ([], "Missing option '--data'"),
    ],
)
def test_a_wrong_option_is_named_with_what_is_allowed(tmp_path: Path, options: list[str], message: str) -> None:
    refused = CliRunner().invoke(app, ["--out", str(tmp_path / "out"), *options])
    assert refused.exit_code == 2
    assert message in re.sub(r"[\s│]+", " ", refused.stderr)
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said_to_be_missing(tiny: Path, tmp_path: Path) -> None:
    refused = train(tiny, tmp_path / "out", "--device", "cuda")
    assert refused.exit_code == 2
    assert "error: --device cuda: PyTorch finds no GPU here; allowed: cpu, auto" in refused.stderr
