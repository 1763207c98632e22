"""Runs of the training command on few images."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from model.fashion_mnist import TEST, TRAIN, FashionMnist, images_path, labels_path, write_idx
from model.sources import SAMPLE

# Threads that wait for each other would wait long where tests share the cores.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def make_tiny(folder: Path) -> Path:
    """The first images of the sample: 200 to learn from, 50 to measure on."""
    source = FashionMnist(SAMPLE)
    dataset = source.load(source.input_spec(None, None))
    for name, part, count in ((TRAIN, dataset.train, 200), (TEST, dataset.held_back, 50)):
        write_idx(images_path(folder, name), part.pixels[:count, 0])
        write_idx(labels_path(folder, name), part.classes[:count].astype(np.uint8))
    return folder


def command(data: Path, out: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "model.train", "--data", str(data), "--out", str(out), "--width", "8", *options]


def run(data: Path, out: Path, *options: str, launcher: tuple[str, ...] = ()) -> str:
    """What a run that succeeds prints; `launcher` takes the place of Python."""
    whole = command(data, out, *options)
    argv = [*launcher, *whole[1:]] if launcher else whole
    return subprocess.run(argv, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout
