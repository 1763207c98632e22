"""The model of the demo is as good as it has to be."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from model import serving

pytestmark = [pytest.mark.model, pytest.mark.slow]

ROOT = Path(serving.__file__).parents[2]
ARTEFACT = ROOT / ".paistack" / "models" / "fashion"
"""Where `make demo` keeps its model: what one of them trained, the other does not train again."""


def test_the_sample_suffices_for_85_percent_of_the_images_held_back() -> None:
    command = [sys.executable, "-m", "model.train", "--data", "sample", "--out", str(ARTEFACT)]
    subprocess.run(command, cwd=ROOT, check=True)
    metrics = json.loads((ARTEFACT / "metrics.json").read_text())
    assert metrics["images"] == 1500
    assert metrics["accuracy"] >= 0.85
