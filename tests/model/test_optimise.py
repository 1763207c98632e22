"""A quantised version is smaller, says how it compares, and is served by ONNX Runtime."""

import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from model import artefact, sources
from tests.model.serving import replica
from tests.model.tiny import ENVIRONMENT, make_tiny, run

pytestmark = [pytest.mark.model, pytest.mark.slow]


def optimise(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "model.optimise", *arguments]
    return subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def trained(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("trained") / "shop"
    run(tiny, out, "--epochs", "4")
    return out


def test_a_quantised_version_is_smaller_and_measured_beside_the_whole_one(
    trained: Path, tiny: Path, tmp_path: Path
) -> None:
    done = optimise(str(trained), "--data", str(tiny), "--out", str(tmp_path / "small"))
    assert done.returncode == 0, done.stderr
    whole, small = artefact.read(trained), artefact.read(tmp_path / "small")
    assert whole is not None
    assert small is not None
    assert small.version != whole.version
    assert small.name == whole.name
    comparison = small.run.comparison
    assert comparison is not None
    assert set(comparison) == {"TorchScript", "ONNX", "ONNX, 8 bits"}
    assert comparison["ONNX, 8 bits"]["bytes"] < comparison["ONNX"]["bytes"] / 2
    assert comparison["ONNX, 8 bits"]["accuracy"] == pytest.approx(comparison["ONNX"]["accuracy"], abs=0.1)
    with replica(tmp_path / "small", ["--runtime", "onnx"]) as running:
        picture = (sources.SAMPLE / "pictures" / "bag.png").read_bytes()
        assert httpx.post(running.url, content=picture).json()["model"]["version"] == small.version


@pytest.mark.parametrize(
    ("damage", "data", "message"),
    [
        ("model.onnx", "tiny", "holds no whole artefact; train it with"),
        (None, "sample", "--data sample: not what"),
        (None, "nowhere", "--data nowhere: no such folder"),
    ],
)
def test_what_cannot_be_optimised_is_told(
    trained: Path, tiny: Path, tmp_path: Path, damage: str | None, data: str, message: str
) -> None:
    folder = Path(shutil.copytree(trained, tmp_path / "copy"))
    if damage:
        (folder / damage).unlink()
    refused = optimise(str(folder), "--data", str(tiny) if data == "tiny" else data, "--out", str(tmp_path / "out"))
    assert refused.returncode == 2
    assert message in refused.stderr
    assert not (tmp_path / "out").exists()
