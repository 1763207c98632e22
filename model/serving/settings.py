"""How a replica serves: options of the command line, and the environment."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, get_type_hints

RUNTIMES = ("torchscript", "onnx")


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
    prediction_log: Annotated[str, "on tells in the log what was predicted for each request, off does not"] = "on"
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
        if settings.prediction_log not in ("on", "off"):
            parser.error(f"argument --prediction-log: {settings.prediction_log!r}; allowed: on, off")
        if settings.port > 65535:
            parser.error(f"argument --port: {settings.port}; allowed: 0 to 65535")
        for name, value in vars(settings).items():
            least = 0 if name.endswith(("_ms", "_s", "port")) else 1
            if isinstance(value, int | float) and not least <= value < float("inf"):
                parser.error(f"argument {flag(name)}: {value}; allowed: {least} or more")
        return settings


def flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
