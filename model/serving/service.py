"""One model behind HTTP: what each page answers."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from .batching import Batcher
from .classifier import Model, ModelError, load
from .images import Input, Pixels, read_images
from .log import log
from .metrics import Histogram, labelled, typed
from .predicted import predicted
from .refusal import RefusedError
from .settings import Settings

SMALL_BODY, SMALL_IMAGE = 16 * 1024, 128 * 128
"""Bytes and pixels that are decoded in less than a millisecond."""


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
        if self.settings.prediction_log == "on":
            request.state.predicted = predicted(model, images, predictions)
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
