"""From images to labels: a model is trained, deployed by the real engine, and asked."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.environment import ROOT
from jobs.classify import classify, endpoint_of
from jobs.demo import PICTURES
from jobs.emulator import EmulatorProcess
from jobs.loadtest import LoadFlags, loadtest
from stacks.capacity import capacity_file, read_capacity
from tests.engine.conftest import Deployment

pytestmark = [pytest.mark.engine, pytest.mark.model, pytest.mark.slow]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that saw the sample once."""
    artefact = tmp_path_factory.mktemp("models") / "fashion"
    command = [sys.executable, "-m", "model.train", "--data", "sample", "--out", str(artefact), "--epochs", "1"]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return artefact


@pytest.fixture(scope="module")
def serving(
    trained: Path, emulator: EmulatorProcess, state_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """The trained model behind the project's own server."""
    deployment = Deployment("demo", tmp_path_factory.mktemp("demo"), state_folder, emulator)
    deployment.service.update(model={"name": "fashion", "artefact": str(trained)}, container={})
    deployment.up()
    yield deployment
    deployment.destroy()


def test_pictures_sent_to_the_deployed_service_get_labels_of_the_model(serving: Deployment, trained: Path) -> None:
    labels = json.loads((trained / "labels.json").read_text())
    pictures = sorted(PICTURES.glob("*.png"))

    classified = classify(endpoint_of(serving.open(), "tiny"), pictures)

    assert len(classified) == len(pictures) == 10
    assert [item.problem for item in classified] == [""] * 10
    assert {item.label for item in classified} <= set(labels)
    assert len({item.label for item in classified}) > 1


def test_the_answer_names_the_model_version_of_the_stacks_outputs(serving: Deployment, trained: Path) -> None:
    version = json.loads((trained / "manifest.json").read_text())["version"]

    assert serving.outputs()["model"] == f"fashion {version}"


def test_what_is_no_picture_is_refused_with_a_reason(serving: Deployment, tmp_path: Path) -> None:
    text = tmp_path / "words.png"
    text.write_text("no picture")

    [answer] = classify(endpoint_of(serving.open(), "tiny"), [text])

    assert answer.problem.startswith("4")
    assert "error" in answer.problem


def test_the_capacity_of_a_replica_is_measured_with_its_conditions_and_kept(
    serving: Deployment, tmp_path: Path
) -> None:
    flags = LoadFlags(PICTURES / "bag.png", latency_ms=1000, percentile=95, first=4, most=8, trial_s=1)

    measured = loadtest(serving.open(), "tiny", flags, as_json=True, folder=tmp_path)

    assert (measured.qps_per_replica, measured.replicas, measured.limited) == (8, 1, True)
    assert measured.model == serving.outputs()["model"]
    assert read_capacity(capacity_file("demo", "tiny", tmp_path)) == measured
