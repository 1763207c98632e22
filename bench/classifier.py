"""The classifier beside bare torch: how many images a second it learns from, and how long one image takes to serve."""

import http.client
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import numpy as np
import torch
from torch.nn import functional

from bench.measure import until
from bench.model_service import ARTEFACT, IMAGE, SERVER
from bench.rows import Row, at_least, at_most_above
from model import learning, network
from model.checkpoint import Checkpoint
from model.dataset import Dataset, InputSpec, Part
from model.recipe import Augmentation, Recipe
from model.workers import Workers

IMAGES, BATCH, ROUNDS = 1024, 64, 5
TURNS, IN_A_TURN = 10, 40
PLAIN = Augmentation(rotate_degrees=0, crop=0, shift=0, flip=False)
SPEC = InputSpec(size=28, channels=1, background="black")


def training() -> Iterator[Row]:
    """Images a second over an epoch, median of the rounds, on one thread; with and without augmentation."""
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    part = Part(random.integers(0, 256, (IMAGES, 1, 28, 28), np.uint8), random.integers(0, 10, IMAGES))
    taken: dict[str, list[float]] = {"bare": [], "plain": [], "augmented": []}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            taken["bare"].append(_bare_epoch(part))
            taken["plain"].append(_epoch(part, PLAIN, Path(folder)))
            taken["augmented"].append(_epoch(part, Augmentation(), Path(folder)))
    bare, plain, augmented = (statistics.median(each) for each in taken.values())
    yield at_least(
        "training without augmentation, beside a bare torch loop", plain, "images/s", baseline=bare, ratio=0.9
    )
    yield at_least(
        "training with augmentation, beside a bare torch loop", augmented, "images/s", baseline=bare, ratio=0.9
    )


def serving() -> Iterator[Row]:
    """p50 of a request with one image, beside the forward pass alone in this process, in turns of some each.

    The client is the plainest there is: httpx takes as long for a request as the whole service does.
    """
    torch.set_num_threads(1)
    loaded = network.load((ARTEFACT / "model.pt").read_bytes())
    model: torch.jit.ScriptModule = torch.jit.freeze(loaded)
    spec = json.loads((ARTEFACT / "manifest.json").read_text())["input"]
    pixels = torch.zeros(1, spec["channels"], spec["size"], spec["size"], dtype=torch.uint8)
    taken: dict[str, list[float]] = {"bare": [], "torchscript": [], "onnx": []}
    with _replica("torchscript") as script, _replica("onnx") as onnx:
        passes: dict[str, Callable[[], object]] = {
            "bare": lambda: _forward(model, pixels),
            "torchscript": _request(script),
            "onnx": _request(onnx),
        }
        for _ in range(TURNS):
            for name, run in passes.items():
                taken[name] += _timed(run)
    bare = statistics.median(taken["bare"])
    for name in ("torchscript", "onnx"):
        told = f"serving: p50 of one image by {name}, beside the bare forward pass of TorchScript"
        yield at_most_above(told, statistics.median(taken[name]), "ms", baseline=bare, above=1.5)


def _timed(run: Callable[[], object]) -> list[float]:
    """Milliseconds of each run of a turn, but for the first, which find the processor's caches full of other things."""
    taken: list[float] = []
    for _ in range(IN_A_TURN):
        started = time.perf_counter()
        run()
        taken.append((time.perf_counter() - started) * 1000)
    return taken[IN_A_TURN // 4 :]


def _request(url: str) -> Callable[[], object]:
    """Sends the picture, on one connection; RuntimeError when it is not classified."""
    connection = http.client.HTTPConnection(url.removeprefix("http://").rstrip("/"))
    content = IMAGE.read_bytes()

    def request() -> None:
        connection.request("POST", "/", content)
        answer = connection.getresponse()
        if b'"predictions"' not in answer.read():
            raise RuntimeError(f"{url} answered {answer.status}")

    return request


def _forward(model: torch.jit.ScriptModule, pixels: torch.Tensor) -> None:
    with torch.inference_mode():
        model(pixels)


def _epoch(part: Part, augmentation: Augmentation, folder: Path) -> float:
    """Images a second that `learning.fit` gets done from its first step to its last."""
    recipe = Recipe(epochs=1, batch_size=BATCH, augmentation=augmentation)
    dataset = Dataset(tuple("0123456789"), part, part)
    times: list[float] = []
    learning.fit(
        dataset,
        SPEC,
        recipe,
        device=torch.device("cpu"),
        weights=None,
        workers=Workers(),
        checkpoint=Checkpoint(folder / "checkpoint", "", float("inf")),
        on_step=lambda _: times.append(time.perf_counter()),
    )
    (folder / "checkpoint").unlink()
    return _rate(times)


def _bare_epoch(part: Part) -> float:
    """What the same network learns by the shortest loop there is."""
    body = network.resnet("resnet18", classes=10, channels=1, size=28, width=Recipe().width)
    body = body.to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.AdamW(body.parameters(), fused=True)
    pixels, classes = torch.tensor(part.pixels), torch.tensor(part.classes)
    times: list[float] = []
    for batch in torch.split(torch.randperm(IMAGES), BATCH):
        images = (pixels[batch].float() / 255).contiguous(memory_format=torch.channels_last)
        loss = functional.cross_entropy(body(images), classes[batch])
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        times.append(time.perf_counter())
    return _rate(times)


def _rate(times: list[float]) -> float:
    """Images a second between steps that ended at these times."""
    return BATCH * (len(times) - 1) / (times[-1] - times[0])


@contextmanager
def _replica(runtime: str) -> Iterator[str]:
    """The address of a replica of the demo's model."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", SERVER, "--model-dir", str(ARTEFACT), "--runtime", runtime, "--port", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}/"
        try:
            until(lambda: _ready(url), limit_s=120)
            yield url
        finally:
            process.terminate()


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}healthz", trust_env=False).status_code == 200
    except httpx.ConnectError:
        return False
