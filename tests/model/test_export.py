"""A model's file says nothing of where it was made."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from engine.environment import ROOT

pytestmark = pytest.mark.model

EXPORT = """
import sys, torch
from model import network
from model.network import Classifier
torch.manual_seed(0)
body = network.resnet("resnet18", classes=10, channels=1, size=28, width=8)
sys.stdout.buffer.write(network.export(Classifier(body, 0.3 * torch.ones(1), 0.4 * torch.ones(1)), 1, 28))
"""


def exported(folder: Path) -> bytes:
    """What the code in that folder makes of the same weights."""
    return subprocess.run([sys.executable, "-c", EXPORT], cwd=folder, check=True, capture_output=True).stdout


def test_the_same_weights_are_the_same_bytes_in_every_checkout(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "model", tmp_path / "elsewhere" / "model", ignore=shutil.ignore_patterns("*.gz", "__pycache__")
    )
    here = exported(ROOT)
    assert len(here) > 100_000
    assert exported(tmp_path / "elsewhere") == here
