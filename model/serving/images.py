"""From the bytes of a request to what the network takes; images to train on are prepared by the same conversion."""

import base64
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from .refusal import RefusedError

Pixels = NDArray[np.uint8]
"""Images as the network takes them, (channels, size, size) or with a batch dimension in front."""

# decode() refuses by its own limit, from the header alone, before Pillow's would warn.
Image.MAX_IMAGE_PIXELS = None

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
