"""`paistack classify`: images sent to a deployed service, and what it says they are."""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.table import Table
from rich.text import Text

from jobs.problem import JobError
from jobs.stacks import OpenStack

_TYPES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}


@dataclass(frozen=True)
class Endpoint:
    """A service's address and token. `proxied` when the proxies of the environment are to be used."""

    url: str
    token: str
    model: str
    proxied: bool


@dataclass(frozen=True)
class Classified:
    """The answer to one image; `problem` is empty when there is a label. Latency is the caller's, in milliseconds."""

    image: Path
    label: str
    confidence: float
    latency_ms: float
    problem: str


def endpoint_of(stack: OpenStack, service: str) -> Endpoint:
    """The service's endpoint from the stack's outputs; JobError when the stack has no such service."""
    services: dict[str, Any] = stack.pulumi.outputs().get("services", {})
    if service not in services:
        there = f"it has {', '.join(services)}" if services else "it is not deployed"
        name = stack.pulumi.name
        raise JobError(f"stack {name} has no service {service!r}: {there}; deploy it with `paistack up --stack {name}`")
    found = services[service]
    return Endpoint(found["endpoint"], found["token"], found["model"], proxied=stack.target.emulator is None)


def classify(endpoint: Endpoint, images: Iterable[Path]) -> list[Classified]:
    """Sends the images one after the other; JobError for a file that cannot be read."""
    with httpx.Client(headers={"Authorization": endpoint.token}, trust_env=endpoint.proxied, timeout=60.0) as client:
        return [_classify_one(client, endpoint.url, image) for image in images]


def table_of(classified: Iterable[Classified]) -> Table:
    """One row for each image."""
    table = Table("image", "label")
    table.add_column("confidence", justify="right")
    table.add_column("latency", justify="right")
    for item in classified:
        if item.problem:
            table.add_row(item.image.name, Text(item.problem, style="red"), "", f"{item.latency_ms:.1f} ms")
        else:
            table.add_row(item.image.name, item.label, f"{item.confidence:.1%}", f"{item.latency_ms:.1f} ms")
    return table


def _classify_one(client: httpx.Client, url: str, image: Path) -> Classified:
    try:
        content = image.read_bytes()
    except OSError as error:
        raise JobError(f"cannot read {image}: {error.strerror}") from None
    media_type = _TYPES.get(image.suffix.lower(), "application/octet-stream")
    started = time.perf_counter()
    try:
        answer = client.post(url, content=content, headers={"Content-Type": media_type})
    except httpx.HTTPError as error:
        return Classified(image, "", 0.0, _ms_since(started), f"no answer: {error}")
    latency_ms = _ms_since(started)
    if answer.status_code != httpx.codes.OK:
        return Classified(image, "", 0.0, latency_ms, f"{answer.status_code}: {answer.text.strip()[:200]}")
    prediction = answer.json()["predictions"][0]
    return Classified(image, prediction["label"], prediction["confidence"], latency_ms, "")


def _ms_since(started: float) -> float:
    return (time.perf_counter() - started) * 1000
