"""Bad and hostile requests against a real replica: each gets its own clear refusal, none gets a 500."""

import base64
import io
import json
import socket
import struct
import zlib
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image

from tests.model.serving import Replica

pytestmark = pytest.mark.model


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png_of(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG whose header claims any size."""
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


PNG = encoded(Image.new("L", (28, 28)), "PNG")
JPEG = encoded(Image.effect_noise((64, 64), 50), "JPEG")
TEXT = base64.b64encode(PNG).decode()
FRAMES = [Image.new("L", (28, 28), grey) for grey in (0, 90, 180)]
BOMB = png_of(50_000, 50_000, zlib.compress(bytes(10_000_000), 9))
TEXT_BOMB = PNG.replace(chunk(b"IEND", b""), chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(70_000_000), 9)), 1)

REFUSALS: dict[str, tuple[bytes, int, str, str]] = {
    "nothing": (b"", 400, "empty_body", "no body"),
    "text": (b"hello", 415, "unsupported_media", "begin with b'hello'"),
    "a GIF": (encoded(Image.new("L", (28, 28)), "GIF"), 415, "unsupported_media", "found GIF"),
    "a BMP": (encoded(Image.new("L", (28, 28)), "BMP"), 415, "unsupported_media", "found BMP"),
    "a WebP": (encoded(Image.new("L", (28, 28)), "WEBP"), 415, "unsupported_media", "WebP"),
    "a TIFF": (encoded(Image.new("L", (28, 28)), "TIFF"), 415, "unsupported_media", "found TIFF"),
    "an SVG": (b"<svg/>", 415, "unsupported_media", "SVG"),
    "a form": (b"--x\r\nContent-Disposition: form-data\r\n\r\n", 415, "unsupported_media", "curl --data-binary"),
    "an animated PNG": (
        encoded(FRAMES[0], "PNG", save_all=True, append_images=FRAMES[1:]),
        415,
        "animated_image",
        "send one of its frames",
    ),
    "a PNG's first bytes": (PNG[:8], 400, "broken_image", "PNG cannot be decoded"),
    "half a PNG": (PNG[: len(PNG) // 2], 400, "broken_image", "PNG cannot be decoded"),
    "half a JPEG": (JPEG[: len(JPEG) // 2], 400, "broken_image", "JPEG cannot be decoded"),
    "a JPEG's first bytes": (JPEG[:3], 400, "broken_image", "JPEG cannot be decoded"),
    "a PNG with spoilt pixels": (png_of(28, 28, b"spoilt"), 400, "broken_image", "PNG cannot be decoded"),
    "a PNG of no size": (png_of(0, 0), 400, "broken_image", "PNG cannot be decoded"),
    "a PNG with a checksum that is wrong": (PNG[:29] + b"\0\0\0\0" + PNG[33:], 400, "broken_image", "PNG"),
    "a decompression bomb": (BOMB, 413, "image_too_large", "50000 x 50000 pixels; allowed: 1000000"),
    "huge dimensions": (png_of(2**31 - 1, 2**31 - 1), 413, "image_too_large", "2147483647 x 2147483647"),
    "a bomb in a comment": (TEXT_BOMB, 400, "broken_image", "PNG cannot be decoded"),
    "too many bytes": (PNG + bytes(200_000), 413, "body_too_large", "200000 bytes"),
    "half of a JSON document": (b'{"image": ', 400, "broken_json", "JSON cannot be read"),
    "JSON that is no UTF-8": (b'{"image": "\xff"}', 400, "broken_json", "JSON cannot be read"),
    "deep JSON": (b"[" * 100_000, 400, "broken_json", "JSON cannot be read"),
    "an empty object": (b"{}", 400, "bad_field", "found []; allowed: an object with one of image, images, pixels"),
    "a list": (b"[1, 2]", 400, "bad_field", "found list"),
    "a misspelt field": (as_json({"imgae": TEXT}), 400, "bad_field", "imgae"),
    "two fields": (as_json({"image": TEXT, "pixels": []}), 400, "bad_field", "['image', 'pixels']"),
    "an image that is a number": (as_json({"image": 1}), 400, "bad_base64", '"image" is not base64'),
    "an image that is null": (as_json({"image": None}), 400, "bad_base64", '"image" is not base64'),
    "an image that is no base64": (as_json({"image": "%%%"}), 400, "bad_base64", '"image" is not base64'),
    "an image with letters that are no ASCII": (as_json({"image": "\u4f60"}), 400, "bad_base64", '"image" is not'),
    "an image that is empty": (as_json({"image": ""}), 400, "bad_base64", '"image" is not base64'),
    "a data URL": (as_json({"image": f"data:image/png;base64,{TEXT}"}), 400, "bad_base64", "no data: prefix"),
    "base64 of text": (as_json({"image": base64.b64encode(b"hello").decode()}), 415, "unsupported_media", "image: "),
    "images that are one string": (as_json({"images": TEXT}), 400, "bad_field", "is a list"),
    "no images": (as_json({"images": []}), 400, "bad_field", "at least one"),
    "too many images": (as_json({"images": [TEXT] * 5}), 413, "too_many_images", "holds 5 images; allowed: 4"),
    "a second image that is broken": (
        as_json({"images": [TEXT, base64.b64encode(PNG[:40]).decode()]}),
        400,
        "broken_image",
        "images[1]: the PNG cannot be decoded",
    ),
    "images that are large together": (
        as_json({"images": [base64.b64encode(encoded(Image.new("L", (800, 800)), "PNG")).decode()] * 2}),
        413,
        "image_too_large",
        "images[0]: the image has 800 x 800 pixels; allowed: 500000",
    ),
    "pixels without rows": (as_json({"pixels": []}), 400, "bad_pixels", "equally long rows"),
    "pixels in rows of different lengths": (as_json({"pixels": [[1, 2], [3]]}), 400, "bad_pixels", "equally long rows"),
    "pixels that are fractions": (as_json({"pixels": [[0.5]]}), 400, "bad_pixels", "whole numbers 0..255"),
    "pixels above 255": (as_json({"pixels": [[256]]}), 400, "bad_pixels", "whole numbers 0..255"),
    "pixels below 0": (as_json({"pixels": [[-1]]}), 400, "bad_pixels", "whole numbers 0..255"),
    "pixels beyond all integers": (as_json({"pixels": [[10**30]]}), 400, "bad_pixels", "whole numbers 0..255"),
    "pixels that are true": (as_json({"pixels": [[True]]}), 400, "bad_pixels", "whole numbers 0..255"),
    "pixels that are text": (as_json({"pixels": [["1"]]}), 400, "bad_pixels", "whole numbers 0..255"),
    "pixels that are not a number": (b'{"pixels": [[NaN]]}', 400, "bad_pixels", "whole numbers 0..255"),
    "pixels of two colours": (as_json({"pixels": [[[1, 2]]]}), 400, "bad_pixels", "[red, green, blue]"),
    "pixels that are a number": (as_json({"pixels": 5}), 400, "bad_pixels", "equally long rows"),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_bad_body_is_refused_with_its_own_status_and_reason(limited: Replica, name: str) -> None:
    body, status, code, message = REFUSALS[name]
    answer = httpx.post(limited.url, content=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert message in error["message"]


def test_bytes_changed_at_random_never_break_the_service(limited: Replica) -> None:
    random = np.random.default_rng(0)
    statuses = set()
    with httpx.Client(base_url=limited.url) as client:
        for original in (PNG, JPEG, as_json({"image": TEXT}), as_json({"pixels": [[1, 2], [3, 4]]})):
            for _ in range(60):
                body = np.frombuffer(original, np.uint8).copy()
                at = random.integers(0, len(body), 1 + len(body) // 100)
                body[at] = random.integers(0, 256, len(at))
                statuses.add(client.post("/", content=body.tobytes()).status_code)
    assert statuses <= {200, 400, 413, 415}


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "message"),
    [
        ("GET", "/nothing", 404, "not_found", "there are /, /classify, /healthz, /metrics"),
        ("POST", "/classify/", 404, "not_found", "there are"),
        ("GET", "/%2e%2e/manifest.json", 404, "not_found", "there are"),
        ("GET", "/classify", 405, "method_not_allowed", "allowed: POST"),
        ("DELETE", "/", 405, "method_not_allowed", "GET"),
        ("POST", "/healthz", 405, "method_not_allowed", "GET"),
    ],
)
def test_a_wrong_path_or_method_is_refused(
    limited: Replica, method: str, path: str, status: int, code: str, message: str
) -> None:
    answer = httpx.request(method, limited.url + path)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code)
    assert message in error["message"]


def test_a_body_that_grows_beyond_the_limit_without_saying_so_is_refused(limited: Replica) -> None:
    answer = httpx.post(limited.url, content=(bytes(10_000) for _ in range(50)))
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "body_too_large")


def test_a_body_that_does_not_arrive_is_given_up(limited: Replica) -> None:
    port = int(limited.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as connection, connection.makefile("rb") as received:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\n\x89PNG")
        head, _, body = received.read().partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 408 ")
    assert json.loads(body)["error"] == {"code": "body_timeout", "message": "the body did not arrive within 0.5 s"}


def test_a_client_that_goes_away_is_counted_and_breaks_nothing(limited: Replica) -> None:
    counted = 'serve_requests_total{path="/",status="499"}'
    before = limited.metric(counted)
    port = int(limited.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"POST / HTTP/1.1\r\nHost: here\r\nContent-Length: 1000\r\n\r\n\x89PNG")
    limited.await_metric(counted, before + 1)
    assert httpx.post(limited.url, content=PNG).status_code == 200


def test_a_wrong_content_type_does_not_matter(limited: Replica) -> None:
    bodies = {"image/jpeg": PNG, "application/json": JPEG, "image/png": as_json({"image": TEXT}), "text/plain": PNG}
    for content_type, body in bodies.items():
        assert httpx.post(limited.url, content=body, headers={"Content-Type": content_type}).status_code == 200
