"""Artefacts and replicas that several tests share."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from model import artefact, exchange, network
from model.artefact import Data, Manifest, Run
from model.dataset import InputSpec
from model.fashion_mnist import LABELS
from model.network import Classifier
from model.recipe import Recipe
from tests.model.serving import Replica, replica

# Tests share their cores: threads that wait for each other would wait long.
torch.set_num_threads(1)

SPEC = InputSpec(size=28, channels=1, background="black")


class Gate:
    """Holds back every forward pass of an artefact while it is closed: a byte that is mapped into the process."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(b"\1")

    def open(self) -> None:
        self._write(b"\1")

    def close(self) -> None:
        self._write(b"\0")

    def _write(self, state: bytes) -> None:
        # In place: to shorten a mapped file kills who reads it.
        with self.path.open("r+b") as file:
            file.write(state)


class Gated(nn.Module):
    """Answers anything, as soon as its gate is open."""

    def __init__(self, gate: Path) -> None:
        super().__init__()
        self.gate = str(gate)

    def forward(self, images: Tensor) -> Tensor:
        # The size and the result must seem to depend on the loop, or all of it is computed once and for all.
        turns, closed = 0, True
        while closed:
            size = 1 + turns // (turns + 1)
            closed = int(torch.from_file(self.gate, shared=True, size=size, dtype=torch.uint8).sum()) == 0
            turns += 1
        return images.flatten(1)[:, :10] + min(turns, 0)


class Fragile(nn.Module):
    """Fails on an image that is grey all over."""

    def forward(self, images: Tensor) -> Tensor:
        if float(images.min()) > 0:
            raise ValueError("too grey")
        return images.flatten(1)[:, :10]


def store(folder: Path, body: nn.Module, spec: InputSpec = SPEC, *, onnx: bool = False, metrics: bytes = b"{}") -> Path:
    """An artefact with an untrained network in it."""
    channels = torch.ones(spec.channels)
    classifier = Classifier(body, 0.3 * channels, 0.4 * channels)
    files = {
        "model.pt": network.export(classifier, spec.channels, spec.size),
        **({"model.onnx": exchange.to_onnx(classifier, spec.channels, spec.size)} if onnx else {}),
        "labels.json": json.dumps(LABELS).encode(),
        "metrics.json": metrics,
    }
    manifest = Manifest(
        name="fashion",
        version="0123456789ab",
        input=spec,
        training=Recipe(),
        data=Data(source="none", fingerprint="", train=1, held_back=1),
        code="",
        files={name: artefact.sha256(content) for name, content in files.items()},
        run=Run(finished_at=datetime.now(UTC), duration_s=0, device="cpu", threads=1, torch=torch.__version__),
    )
    with artefact.exclusive(folder):
        artefact.store(folder, manifest, files)
    return folder


@pytest.fixture(scope="session")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An artefact with random weights: any answer, but always the same."""
    torch.manual_seed(0)
    body = network.resnet("resnet18", classes=10, channels=1, size=28, width=8)
    return store(tmp_path_factory.mktemp("models") / "untrained", body, onnx=True)


@dataclass(frozen=True)
class GatedModel:
    folder: Path
    gate: Gate


@pytest.fixture
def gated(tmp_path: Path) -> GatedModel:
    """An artefact whose forward passes the test lets through; open at first."""
    gate = Gate(tmp_path / "gate")
    return GatedModel(store(tmp_path / "gated", scripted(Gated(gate.path))), gate)


def scripted(module: nn.Module) -> torch.jit.ScriptModule:
    """The module with its loops and conditions, which tracing would lose."""
    with network.deprecation_accepted():
        return torch.jit.script(module)


LIMITS = ("--max-body-bytes", "200000", "--max-pixels", "1000000", "--max-images", "4", "--body-timeout-s", "0.5")


@pytest.fixture(scope="session")
def limited(untrained: Path) -> Iterator[Replica]:
    """A replica with small limits, so that bad requests are small too."""
    with replica(untrained, LIMITS) as running:
        yield running
