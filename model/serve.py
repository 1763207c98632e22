"""Classifies product images over HTTP: the one file that runs in a serving container, beside a trained model.

    python serve.py --model-dir /mnt/model --port 8000

The folder holds what `python -m model.train` writes: `model.pt` (TorchScript: uint8 images in, probabilities
out) or `model.onnx` (the same for ONNX Runtime), `labels.json` and `manifest.json`. Besides torch or onnxruntime it
needs numpy, Pillow, starlette and uvicorn.

    POST / or /classify   a PNG or JPEG, or JSON with one of "image", "images" (base64) and "pixels" (rows of 0..255)
    GET  /healthz         200 when the model is loaded and the process is not draining, else 503
    GET  /metrics         Prometheus text
    GET  /                what is served

Every refusal is JSON: `{"error": {"code": ..., "message": ...}}`. Too much work at once is answered with 503 and
Retry-After, not 429: it is the replica that is out of room, not the caller that broke a rate, and an alarm on the
success rate has to see it. SIGTERM turns /healthz to 503, finishes what was accepted, and ends with status 0.
"""

import argparse
import asyncio
import base64
import contextlib
import io
import json
import logging
import os
import re
import socket
import sys
import time
import uuid
import warnings
from bisect import bisect_left
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import partial
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Literal, get_type_hints

import numpy as np
import uvicorn
from numpy.typing import NDArray
from PIL import Image, ImageOps
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

Pixels = NDArray[np.uint8]
"""Images as the network takes them, (channels, size, size) or with a batch dimension in front."""

log = logging.getLogger("serve")

# decode() refuses by its own limit, from the header alone, before Pillow's would warn.
Image.MAX_IMAGE_PIXELS = None


# --- Settings -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Settings:
    """Options of the command line; where one is not given, the environment variable of its name counts: MODEL_DIR."""

    model_dir: Annotated[Path, "folder with model.pt or model.onnx, labels.json, manifest.json"] = Path("/mnt/model")
    runtime: Annotated[str, "torchscript runs model.pt, onnx runs model.onnx"] = "torchscript"
    host: Annotated[str, "address to listen on; 0.0.0.0 in a container that is called from outside"] = "127.0.0.1"
    port: Annotated[int, "port to listen on; 0 takes a free one, which the log then names"] = 8000
    device: Annotated[str, "cpu, cuda, or auto: the GPU where there is one"] = "auto"
    torch_num_threads: Annotated[int, "threads of one forward pass; 1 suits several replicas on a machine"] = 1
    max_batch: Annotated[int, "images in one forward pass"] = 16
    max_wait_ms: Annotated[float, "longest wait for images that are being decoded"] = 2.0
    max_queue: Annotated[int, "requests in the process at once; one more is answered 503"] = 64
    max_images: Annotated[int, "images in one request"] = 32
    max_body_bytes: Annotated[int, "bytes of one request"] = 8 * 2**20
    max_pixels: Annotated[int, "pixels in one request, after decompression"] = 25_000_000
    body_timeout_s: Annotated[float, "longest time for a request's body to arrive"] = 10.0
    top_k: Annotated[int, "classes named for each image"] = 3
    drain_delay_s: Annotated[float, "after SIGTERM: still accept for this long, while /healthz says 503"] = 1.0
    drain_timeout_s: Annotated[float, "then: longest wait for the requests under way"] = 30.0

    @classmethod
    def parse(cls, arguments: Sequence[str] | None, environment: Mapping[str, str]) -> "Settings":
        """Read options and environment; ends the process with status 2 and a message on a wrong value."""
        parser = argparse.ArgumentParser(description="Classify product images over HTTP.", allow_abbrev=False)
        about = {name: hint.__metadata__[0] for name, hint in get_type_hints(cls, include_extras=True).items()}
        for each in fields(cls):
            told = f"{about[each.name]} ({each.default})"
            default = environment.get(each.name.upper()) or each.default
            parser.add_argument(flag(each.name), type=type(each.default), default=default, help=told)
        settings = cls(**vars(parser.parse_args(arguments)))
        if settings.device not in ("auto", "cpu", "cuda"):
            parser.error(f"argument --device: {settings.device!r}; allowed: auto, cpu, cuda")
        if settings.runtime not in RUNTIMES:
            parser.error(f"argument --runtime: {settings.runtime!r}; allowed: {', '.join(RUNTIMES)}")
        if settings.port > 65535:
            parser.error(f"argument --port: {settings.port}; allowed: 0 to 65535")
        for name, value in vars(settings).items():
            least = 0 if name.endswith(("_ms", "_s", "port")) else 1
            if isinstance(value, int | float) and not least <= value < float("inf"):
                parser.error(f"argument {flag(name)}: {value}; allowed: {least} or more")
        return settings


def flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


class RefusedError(Exception):
    """A request that is not served; it becomes the JSON error answer."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, headers


# --- Images: the same conversion prepares the images that a model is trained on ---------------------------------

ACCEPTED = {b"\x89PNG\r\n\x1a\n": "PNG", b"\xff\xd8\xff": "JPEG"}
REFUSED = {
    b"GIF8": "GIF",
    b"RIFF": "WebP or another RIFF file",
    b"BM": "BMP",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"%PDF": "PDF",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "gzip",
    b"<": "HTML, XML or SVG",
    b"--": "a multipart form (send the file alone: curl --data-binary @FILE)",
}


@dataclass(frozen=True)
class Input:
    """What the network takes; `input` of manifest.json."""

    size: int
    channels: Literal[1, 3]
    background: Literal["black", "white"]


def kind_of(content: bytes, kinds: Mapping[bytes, str]) -> str | None:
    return next((kind for magic, kind in kinds.items() if content.startswith(magic)), None)


def decode(content: bytes, spec: Input, max_pixels: int) -> Pixels:
    """The image in a PNG or JPEG file, whatever its mode, as the network takes it. Raises RefusedError."""
    if (kind := kind_of(content, ACCEPTED)) is None:
        found = kind_of(content, REFUSED) or f"bytes that begin with {content[:8]!r}"
        raise RefusedError(415, "unsupported_media", f"found {found}; allowed: a PNG or JPEG image")
    try:
        with Image.open(io.BytesIO(content), formats=(kind,)) as image:
            width, height = image.size
            if width * height > max_pixels:
                raise RefusedError(
                    413, "image_too_large", f"the image has {width} x {height} pixels; allowed: {max_pixels} in all"
                )
            if kind == "PNG" and getattr(image, "is_animated", False):
                raise RefusedError(415, "animated_image", "the PNG is animated; send one of its frames")
            image.draft(None, (4 * spec.size, 4 * spec.size))
            ImageOps.exif_transpose(image, in_place=True)
            return to_pixels(image, spec)
    except RefusedError:
        raise
    # Pillow's decoders raise a dozen kinds of error on broken files; each of them means the file is broken.
    except Exception as error:
        raise RefusedError(400, "broken_image", f"the {kind} cannot be decoded: {error}") from error


def to_pixels(image: Image.Image, spec: Input) -> Pixels:
    """Fit the whole image, its proportions kept, into the square that the network takes.

    What is transparent becomes white. Where a model knows its products on black (Fashion-MNIST), an image whose four
    corners are light is a photograph on a light ground, and is negated, as the makers of Fashion-MNIST negated theirs;
    none of their 70 000 images has four light corners.
    """
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.has_transparency_data:
        paper = Image.new("RGBA", image.size, "white")
        paper.alpha_composite(image.convert("RGBA"))
        image = paper
    image = image.convert("L" if spec.channels == 1 else "RGB")
    if max(image.size) != spec.size:
        scale = spec.size / max(image.size)
        image = image.resize([max(1, round(side * scale)) for side in image.size], Image.Resampling.BILINEAR)
    pixels = np.asarray(image).reshape(image.height, image.width, spec.channels)
    if spec.background == "black" and pixels[[0, 0, -1, -1], [0, -1, 0, -1]].min() > 127:
        pixels = 255 - pixels
    square = np.full((spec.size, spec.size, spec.channels), 0 if spec.background == "black" else 255, np.uint8)
    top, left = (spec.size - image.height) // 2, (spec.size - image.width) // 2
    square[top : top + image.height, left : left + image.width] = pixels
    return square.transpose(2, 0, 1)


def read_images(body: bytes, spec: Input, max_images: int, max_pixels: int) -> list[Pixels]:
    """The images of a request's body, by what it holds; the Content-Type header is not asked. Raises RefusedError."""
    if not body:
        raise RefusedError(400, "empty_body", "the request has no body; send a PNG or JPEG image, or JSON")
    if body.lstrip()[:1] not in (b"{", b"["):
        return [decode(body, spec, max_pixels)]
    key, value = read_json(body)
    if key == "pixels":
        return [to_pixels(from_rows(value), spec)]
    encoded = [value] if key == "image" else value
    if not isinstance(encoded, list) or not encoded:
        raise RefusedError(400, "bad_field", '"images" is a list of base64 strings, at least one')
    if len(encoded) > max_images:
        raise RefusedError(413, "too_many_images", f'"images" holds {len(encoded)} images; allowed: {max_images}')
    share = max_pixels // len(encoded)
    return [from_base64(text, key if key == "image" else f"images[{i}]", spec, share) for i, text in enumerate(encoded)]


def read_json(body: bytes) -> tuple[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, "broken_json", f"the JSON cannot be read: {error}") from error
    allowed = ("image", "images", "pixels")
    if not isinstance(document, dict) or len(document) != 1 or next(iter(document)) not in allowed:
        found = sorted(document)[:5] if isinstance(document, dict) else type(document).__name__
        raise RefusedError(400, "bad_field", f"found {found}; allowed: an object with one of {', '.join(allowed)}")
    return next(iter(document.items()))


def from_base64(text: object, at: str, spec: Input, max_pixels: int) -> Pixels:
    try:
        content = base64.b64decode(text, validate=True) if isinstance(text, str) else None
    except ValueError:
        content = None
    if not content:
        raise RefusedError(
            400, "bad_base64", f'"{at}" is not base64; encode the bytes of a PNG or JPEG, no data: prefix'
        )
    try:
        return decode(content, spec, max_pixels)
    except RefusedError as error:
        raise RefusedError(error.status, error.code, f"{at}: {error.message}") from error


def from_rows(rows: object) -> Image.Image:
    try:
        array = np.asarray(rows)
    except ValueError:
        array = np.empty(0)
    grey_or_rgb = array.ndim == 2 or (array.ndim == 3 and array.shape[2] == 3)
    if not (grey_or_rgb and array.size and array.dtype.kind == "i" and array.min() >= 0 and array.max() <= 255):
        message = '"pixels" is a list of equally long rows of whole numbers 0..255, or of [red, green, blue]'
        raise RefusedError(400, "bad_pixels", message)
    return Image.fromarray(array.astype(np.uint8))


# --- The model ------------------------------------------------------------------------------------------------


class ModelError(Exception):
    """The model cannot be loaded; the message names the file and what to do."""


@dataclass(frozen=True)
class Model:
    """A loaded artefact; `classify` takes uint8 (n, channels, size, size) and gives float32 (n, classes)."""

    name: str
    version: str
    labels: tuple[str, ...]
    input: Input
    classify: Callable[[Pixels], NDArray[np.float32]]


def load(settings: Settings) -> Model:
    """Read, check and warm up the artefact in `model_dir`. Raises ModelError."""
    folder = settings.model_dir
    try:
        manifest = json.loads((folder / "manifest.json").read_bytes())
        file, runtime = RUNTIMES[settings.runtime]
        files = {name: (folder / name).read_bytes() for name in (file, "labels.json")}
        broken = [name for name, content in files.items() if sha256(content).hexdigest() != manifest["files"][name]]
        labels, spec = tuple(json.loads(files["labels.json"])), Input(**manifest["input"])
        name, version = manifest["name"], manifest["version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        problem = f"{type(error).__name__}: {error}"
        raise ModelError(f"{folder}: {problem}; it must hold what `python -m model.train --out` writes") from error
    if broken:
        raise ModelError(f"{folder}: {', '.join(broken)}: not the sha256 in manifest.json; copy the artefact again")
    classify = runtime(files[file], settings)
    for n in (1, 1, 1, 2, settings.max_batch, settings.max_batch):
        classify(np.zeros((n, spec.channels, spec.size, spec.size), np.uint8))
    return Model(name, version, labels, spec, classify)


def torch_script(content: bytes, settings: Settings) -> Callable[[Pixels], NDArray[np.float32]]:
    # Importing torch takes seconds; by now the port is open and /healthz says "loading".
    import torch

    torch.set_num_threads(settings.torch_num_threads)
    wanted = settings.device if settings.device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(wanted)
    with warnings.catch_warnings():
        # EAS serves TorchScript, which PyTorch deprecates in favour of torch.export.
        warnings.simplefilter("ignore", FutureWarning)
        try:
            loaded = torch.jit.load(io.BytesIO(content), map_location=device)  # type: ignore[no-untyped-call]
            module = torch.jit.freeze(loaded.eval())
        except RuntimeError as error:
            raise ModelError(f"model.pt cannot be loaded on {device}: {error}") from error

    def classify(pixels: Pixels) -> NDArray[np.float32]:
        with torch.inference_mode():
            probabilities: NDArray[np.float32] = module(torch.from_numpy(pixels).to(device)).cpu().numpy()
        return probabilities

    return classify


def onnx_runtime(content: bytes, settings: Settings) -> Callable[[Pixels], NDArray[np.float32]]:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.torch_num_threads
    there = onnxruntime.get_available_providers()
    on_gpu = settings.device == "cuda" or (settings.device == "auto" and "CUDAExecutionProvider" in there)
    provider = "CUDAExecutionProvider" if on_gpu else "CPUExecutionProvider"
    if provider not in there:
        raise ModelError(f"ONNX Runtime has no {provider} here; it has {', '.join(there)}; choose another --device")
    try:
        session = onnxruntime.InferenceSession(content, options, providers=[provider])
    # onnxruntime's errors are made in C, each a class of its own.
    except Exception as error:
        raise ModelError(f"model.onnx cannot be loaded by ONNX Runtime: {error}") from error

    def classify(pixels: Pixels) -> NDArray[np.float32]:
        probabilities: NDArray[np.float32] = session.run(None, {"images": pixels})[0]
        return probabilities

    return classify


RUNTIMES = {"torchscript": ("model.pt", torch_script), "onnx": ("model.onnx", onnx_runtime)}
"""By the setting's value: the file of the artefact, and what runs it."""


# --- Batching -------------------------------------------------------------------------------------------------


class Batcher:
    """Puts the images that wait at one time into one forward pass, on one thread.

    While a pass runs, what arrives waits for the next. An idle network waits, `max_wait_s` at most, only while other
    requests are being decoded; a single request never waits.
    """

    def __init__(self, thread: ThreadPoolExecutor, max_batch: int, max_wait_s: float) -> None:
        self.decoding = 0
        self.sizes = Histogram((1, 2, 4, 8, 16, 32, 64))
        self.seconds = Histogram((0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1))
        self._waiting: deque[tuple[Pixels, asyncio.Future[NDArray[np.float32]]]] = deque()
        self._changed = asyncio.Event()
        self._thread, self._max_batch, self._max_wait_s = thread, max_batch, max_wait_s

    @property
    def depth(self) -> int:
        """Images that wait for a forward pass."""
        return len(self._waiting)

    @contextlib.contextmanager
    def announced(self) -> Any:
        """While inside, an image is on its way."""
        self.decoding += 1
        try:
            yield
        finally:
            self.decoding -= 1
            self._changed.set()

    async def classify(self, images: Sequence[Pixels]) -> list[NDArray[np.float32]]:
        """The probabilities for each image, float32 (classes,)."""
        loop = asyncio.get_running_loop()
        answers: list[asyncio.Future[NDArray[np.float32]]] = [loop.create_future() for _ in images]
        self._waiting.extend(zip(images, answers, strict=True))
        self._changed.set()
        return await asyncio.gather(*answers)

    async def run(self, classify: Callable[[Pixels], NDArray[np.float32]]) -> None:
        """Serve batches until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await self._until(lambda: self.depth > 0)
            with contextlib.suppress(TimeoutError):
                await self._until(self._worth_starting, self._max_wait_s)
            batch = [self._waiting.popleft() for _ in range(min(self.depth, self._max_batch))]
            started = time.perf_counter()
            passed = loop.run_in_executor(self._thread, classify, np.stack([image for image, _ in batch]))
            await asyncio.wait([passed])
            self.sizes.observe(len(batch))
            self.seconds.observe(time.perf_counter() - started)
            self._answer([answer for _, answer in batch], passed)

    def _worth_starting(self) -> bool:
        return self.decoding == 0 or self.depth >= self._max_batch

    async def _until(self, holds: Callable[[], bool], timeout_s: float | None = None) -> None:
        async with asyncio.timeout(timeout_s):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    @staticmethod
    def _answer(answers: Sequence[asyncio.Future[Any]], passed: asyncio.Future[NDArray[np.float32]]) -> None:
        error = passed.exception()
        for i, answer in enumerate(answers):
            if answer.done():
                continue
            if error:
                answer.set_exception(error)
            else:
                answer.set_result(passed.result()[i])


# --- Metrics and log ------------------------------------------------------------------------------------------


class Histogram:
    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds, self._counts, self._sum = bounds, [0] * (len(bounds) + 1), 0.0

    def observe(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self, name: str) -> list[str]:
        totals = list(accumulate(self._counts))
        buckets = [f'{name}_bucket{{le="{b}"}} {n}' for b, n in zip((*self._bounds, "+Inf"), totals, strict=True)]
        return [f"# TYPE {name} histogram", *buckets, f"{name}_sum {self._sum:.6f}", f"{name}_count {totals[-1]}"]


def labelled(metric: str, **labels: str | int) -> str:
    """A metric's name with its labels, in Prometheus' notation."""
    pairs = ",".join(f"{key}={json.dumps(str(value), ensure_ascii=False)}" for key, value in labels.items())
    return f"{metric}{{{pairs}}}"


def typed(kind: Literal["counter", "gauge"], values: Mapping[str, float]) -> list[str]:
    """The lines of one metric, which all begin with its name."""
    names = {name.partition("{")[0] for name in values}
    return [*(f"# TYPE {name} {kind}" for name in names), *(f"{name} {value}" for name, value in values.items())]


class JsonLines(logging.Formatter):
    """One JSON object a line: the record's `fields` beside time, level and event."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {"time": f"{self.formatTime(record, '%Y-%m-%dT%H:%M:%S')}.{int(record.msecs):03}Z"}
        entry |= {"level": record.levelname.lower(), "event": record.getMessage()}
        if record.exc_info:
            entry["traceback"] = self.formatException(record.exc_info)
        return json.dumps(entry | getattr(record, "fields", {}))

    converter = staticmethod(time.gmtime)


# --- The service ----------------------------------------------------------------------------------------------

SMALL_BODY, SMALL_IMAGE = 16 * 1024, 128 * 128
"""Bytes and pixels that are decoded in less than a millisecond."""
KNOWN_PATHS = ("/", "/classify", "/healthz", "/metrics")
REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")


class Service:
    """One model behind HTTP."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.model: Model | None = None
        self.draining = False
        self.failed = False
        self.in_flight = 0
        self.lost = 0
        self.answers: Counter[tuple[str, int]] = Counter()
        self.refusals: Counter[str] = Counter()
        self.predictions: Counter[str] = Counter()
        self.latency = Histogram((0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5))
        self._inference = ThreadPoolExecutor(1, "inference")
        self._decoding = ThreadPoolExecutor(2, "decode")
        self.batcher = Batcher(self._inference, settings.max_batch, settings.max_wait_ms / 1000)

    @property
    def status(self) -> Literal["loading", "ready", "draining"]:
        if self.draining:
            return "draining"
        return "ready" if self.model else "loading"

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        serving = asyncio.create_task(self._load_and_serve())
        yield
        serving.cancel()
        for pool in (self._inference, self._decoding):
            pool.shutdown(wait=False, cancel_futures=True)

    async def _load_and_serve(self) -> None:
        started = time.perf_counter()
        try:
            model = await asyncio.get_running_loop().run_in_executor(self._inference, load, self.settings)
            self.model = model
            seconds = round(time.perf_counter() - started, 3)
            log.info("ready", extra={"fields": {"model": model.name, "version": model.version, "load_s": seconds}})
            await self.batcher.run(model.classify)
        except ModelError as error:
            log.critical("not loaded", extra={"fields": {"error": str(error)}})
            self.failed = True
        except Exception:
            log.exception("stopped")
            self.failed = True

    async def classify(self, request: Request) -> Response:
        """POST / and POST /classify."""
        started = time.perf_counter()
        model = self._accept()
        self.in_flight += 1
        try:
            body = await self._body(request)
            images = await self._images(body, model.input)
            probabilities = await self.batcher.classify(images)
        except asyncio.CancelledError:
            self.lost += 1
            raise
        finally:
            self.in_flight -= 1
        predictions = [self._prediction(model, each) for each in probabilities]
        elapsed = time.perf_counter() - started
        self.latency.observe(elapsed)
        return JSONResponse(
            {
                "predictions": predictions,
                "model": {"name": model.name, "version": model.version},
                "latency_ms": round(elapsed * 1000, 3),
            }
        )

    def _accept(self) -> Model:
        if self.model is None:
            raise RefusedError(503, "loading", "the model is being loaded; try again", {"Retry-After": "5"})
        if self.in_flight >= self.settings.max_queue:
            message = f"{self.in_flight} requests are under way, as many as this replica takes; try again"
            raise RefusedError(503, "overloaded", message, {"Retry-After": "1"})
        return self.model

    async def _body(self, request: Request) -> bytes:
        limit, body = self.settings.max_body_bytes, bytearray()
        too_large = RefusedError(413, "body_too_large", f"the body is too large; allowed: {limit} bytes")
        if int(request.headers.get("content-length", 0)) > limit:
            raise too_large
        try:
            async with asyncio.timeout(self.settings.body_timeout_s):
                async for chunk in request.stream():
                    body += chunk
                    if len(body) > limit:
                        raise too_large
        except TimeoutError as error:
            message = f"the body did not arrive within {self.settings.body_timeout_s:g} s"
            raise RefusedError(408, "body_timeout", message, {"Connection": "close"}) from error
        except ClientDisconnect as error:
            raise RefusedError(499, "client_closed", "the client closed the connection") from error
        return bytes(body)

    async def _images(self, body: bytes, spec: Input) -> list[Pixels]:
        limits = self.settings
        if len(body) <= SMALL_BODY:
            # Decoded here and now: to hand it to a thread would take longer.
            try:
                return read_images(body, spec, limits.max_images, min(limits.max_pixels, SMALL_IMAGE))
            except RefusedError as error:
                if error.code != "image_too_large":
                    raise
        read = partial(read_images, body, spec, limits.max_images, limits.max_pixels)
        with self.batcher.announced():
            return await asyncio.get_running_loop().run_in_executor(self._decoding, read)

    def _prediction(self, model: Model, probabilities: NDArray[np.float32]) -> dict[str, Any]:
        order = np.argsort(-probabilities)[: self.settings.top_k].tolist()
        top = [
            {"label": model.labels[i], "class_id": i, "confidence": round(float(probabilities[i]), 6)} for i in order
        ]
        self.predictions[model.labels[order[0]]] += 1
        return {**top[0], "top": top}

    async def root(self, request: Request) -> Response:
        return await (self.classify(request) if request.method == "POST" else self.describe(request))

    async def describe(self, _request: Request) -> Response:
        model = self.model
        about = model and {"name": model.name, "version": model.version, "labels": model.labels}
        return JSONResponse(
            {
                "service": "image classification",
                "status": self.status,
                "model": about,
                "accepts": "POST / or /classify: a PNG or JPEG; or JSON with image, images (base64) or pixels (0..255)",
                "limits": {k: getattr(self.settings, k) for k in ("max_body_bytes", "max_pixels", "max_images")},
                "see": ["/healthz", "/metrics"],
            }
        )

    async def healthz(self, _request: Request) -> Response:
        return JSONResponse({"status": self.status}, 200 if self.status == "ready" else 503)

    async def metrics(self, _request: Request) -> Response:
        """The Prometheus text format, version 0.0.4."""
        model = self.model
        info = {labelled("serve_model_info", name=model.name, version=model.version): 1} if model else {}
        lines = [
            *typed(
                "counter", {labelled("serve_requests_total", path=p, status=s): n for (p, s), n in self.answers.items()}
            ),
            *typed("counter", {labelled("serve_refusals_total", code=code): n for code, n in self.refusals.items()}),
            *typed("counter", {labelled("serve_predictions_total", label=c): n for c, n in self.predictions.items()}),
            *typed("gauge", info),
            *typed("gauge", {"serve_in_flight": self.in_flight}),
            *typed("gauge", {"serve_queue_depth": self.batcher.depth}),
            *self.latency.lines("serve_request_seconds"),
            *self.batcher.seconds.lines("serve_forward_seconds"),
            *self.batcher.sizes.lines("serve_batch_size"),
        ]
        return PlainTextResponse("\n".join([*lines, ""]), media_type="text/plain; version=0.0.4")


class Observed:
    """Around every request: its id, one log line, one count; `Connection: close` on what is answered while draining."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        started, status = time.perf_counter(), 500
        request_id = requested_id(scope) or uuid.uuid4().hex

        async def observed_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"].append((b"x-request-id", request_id.encode()))
                if self._service.draining:
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            await self._app(scope, receive, observed_send)
        except Exception:
            # The client has got its 500 by now.
            log.exception("failed", extra={"fields": {"request_id": request_id}})
        finally:
            path = scope["path"] if scope["path"] in KNOWN_PATHS else "other"
            self._service.answers[path, status] += 1
            elapsed = round((time.perf_counter() - started) * 1000, 3)
            entry = {"request_id": request_id, "method": scope["method"], "path": scope["path"]}
            quiet = path in ("/healthz", "/metrics") and status == 200
            fields = {**entry, "status": status, "latency_ms": elapsed}
            log.log(logging.DEBUG if quiet else logging.INFO, "request", extra={"fields": fields})


def requested_id(scope: Scope) -> str | None:
    headers = dict(scope["headers"])
    named = headers.get(b"x-request-id") or headers.get(b"x-eas-request-id") or b""
    request_id: str = named.decode("latin-1")
    return request_id if REQUEST_ID.fullmatch(request_id) else None


def create_app(service: Service) -> ASGIApp:
    async def refuse(_request: Request, error: Exception) -> Response:
        refused = refusal_of(error)
        service.refusals[refused.code] += 1
        content = {"error": {"code": refused.code, "message": refused.message}}
        return JSONResponse(content, refused.status, headers=refused.headers)

    app = Starlette(
        routes=[
            Route("/", service.root, methods=["GET", "POST"]),
            Route("/classify", service.classify, methods=["POST"]),
            Route("/healthz", service.healthz),
            Route("/metrics", service.metrics),
        ],
        exception_handlers={RefusedError: refuse, HTTPException: refuse, Exception: refuse},
        lifespan=service.lifespan,
    )
    app.router.redirect_slashes = False
    return Observed(app, service)


def refusal_of(error: Exception) -> RefusedError:
    """What the client is told: a refusal as it is, Starlette's own in the same form, of anything else nothing."""
    if isinstance(error, RefusedError):
        return error
    if not isinstance(error, HTTPException):
        return RefusedError(500, "internal", "the service failed; its log says why, under this request's id")
    if error.status_code != 405 or not error.headers:
        return RefusedError(error.status_code, "not_found", f"there are {', '.join(KNOWN_PATHS)}")
    message = f"the method is not allowed here; allowed: {', '.join(sorted(error.headers['Allow'].split(', ')))}"
    return RefusedError(405, "method_not_allowed", message, error.headers)


class Server(uvicorn.Server):
    """uvicorn that drains before it stops, and for which being told to stop is no failure."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._stop_at: float | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        del sig, frame
        again = self._service.draining
        self._service.draining = True
        self._stop_at = time.monotonic() + (0 if again else self._service.settings.drain_delay_s)

    async def on_tick(self, counter: int) -> bool:
        due = self._stop_at is not None and time.monotonic() >= self._stop_at
        return await super().on_tick(counter) or due or self._service.failed


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM; 0 when nothing was lost, 1 when the model or a request was."""
    settings = Settings.parse(arguments, os.environ)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    try:
        listener = socket.create_server((settings.host, settings.port), backlog=1024)
    except OSError as error:
        where = {"host": settings.host, "port": settings.port, "error": str(error)}
        log.critical("cannot listen", extra={"fields": where})
        return 1
    host, port = listener.getsockname()[:2]
    log.info("listening", extra={"fields": {"host": host, "port": port}})
    service = Service(settings)
    config = uvicorn.Config(
        create_app(service),
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=max(1, round(settings.drain_timeout_s)),
    )
    Server(config, service).run(sockets=[listener])
    log.info("stopped", extra={"fields": {"lost": service.lost}})
    return 1 if service.failed or service.lost else 0


if __name__ == "__main__":
    status = main()
    logging.shutdown()
    # Without waiting for the threads: a forward pass that hangs, or an import of torch, is not to delay the end.
    os._exit(status)
