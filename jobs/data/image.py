"""One image file: kept as it is, repaired, or rejected with a reason. Nothing is decoded before its size is known."""

import hashlib
import io
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageOps, UnidentifiedImageError

SUFFIXES = {"PNG": (".png",), "JPEG": (".jpg", ".jpeg")}
"""What is kept as it is; everything else that is an image becomes PNG."""
CONVERTED = ("BMP", "GIF", "TIFF", "WEBP")
MODES = ("L", "RGB")
LONGEST_SIDE = 16_384

# The limits below are checked from the header alone, before Pillow's own would warn.
Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True)
class Limits:
    """What is taken: pixels of the shorter side at least, and pixels in all at most."""

    shortest_side: int = 16
    pixels: int = 50_000_000


@dataclass(frozen=True)
class Kept:
    """An image as it goes into the dataset; `pixels` is the sha256 of what it shows, whatever its file looks like."""

    content: bytes
    suffix: str
    pixels: str
    repairs: tuple[str, ...]


class RejectedError(Exception):
    """The image is left out. `kind` is one of a few words to count by, the message says what was found."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def examine(content: bytes, suffix: str, limits: Limits) -> Kept:
    """The image in a file named with `suffix`. Raises RejectedError."""
    if not content:
        raise RejectedError("empty", "the file is empty")
    formats = (*SUFFIXES, *CONVERTED)
    try:
        with Image.open(io.BytesIO(content), formats=formats) as image:
            _check_size(image, limits)
            _check_frames(image)
            image.load()
            return _kept(image, content, suffix.lower())
    except UnidentifiedImageError:
        allowed = ", ".join(sorted(formats))
        found = f"begins with {content[:8]!r}"
        raise RejectedError("not an image", f"{found}; allowed: {allowed}") from None
    except RejectedError:
        raise
    except Exception as error:  # Pillow's decoders raise a dozen kinds of error, each of which means the same
        raise RejectedError("corrupt", f"cannot be decoded: {error}") from error


def _check_size(image: Image.Image, limits: Limits) -> None:
    width, height = image.size
    if max(width, height) > LONGEST_SIDE:
        raise RejectedError("huge", f"{width} x {height} pixels; allowed: {LONGEST_SIDE} a side")
    if width * height > limits.pixels:
        raise RejectedError("huge", f"{width} x {height} pixels; allowed: {limits.pixels} in all")
    if min(width, height) < limits.shortest_side:
        raise RejectedError("too small", f"{width} x {height} pixels; allowed: {limits.shortest_side} a side or more")


def _check_frames(image: Image.Image) -> None:
    if image.format != "MPO" and getattr(image, "n_frames", 1) > 1:
        raise RejectedError("animated", f"{image.format} with several frames; save one of them")


def _kept(image: Image.Image, content: bytes, suffix: str) -> Kept:
    """The file as it is where nothing has to be done to its pixels."""
    plain, repairs = _plain(image)
    digest = hashlib.sha256(f"{plain.mode} {plain.size}".encode() + plain.tobytes()).hexdigest()
    suffixes = SUFFIXES.get(image.format or "", ())
    if not suffixes:
        repairs.append(f"{image.format} converted to PNG")
    elif suffix not in suffixes:
        repairs.append(f"named {suffix or 'without suffix'}, but is {image.format}")
    if plain is image and suffixes:
        return Kept(content, suffixes[0], digest, tuple(repairs))
    file = io.BytesIO()
    plain.save(file, "PNG")
    return Kept(file.getvalue(), ".png", digest, tuple(repairs))


def _plain(image: Image.Image) -> tuple[Image.Image, list[str]]:
    """Upright, grey or RGB, with 8 bits and without transparency: the same object where it is so already."""
    repairs: list[str] = []
    upright: Image.Image = image
    if image.getexif().get(_ORIENTATION, 1) != 1:
        upright = ImageOps.exif_transpose(image)
        repairs.append("turned upright, as its EXIF says")
    if upright.has_transparency_data:
        paper = Image.new("RGBA", upright.size, "white")
        paper.alpha_composite(upright.convert("RGBA"))
        return paper.convert("RGB"), [*repairs, "transparency made white"]
    if upright.mode.startswith("I"):
        return upright.convert("I").point(_shifted).convert("L"), [*repairs, "16 bits made 8"]
    if upright.mode not in MODES:
        grey = upright.mode == "1"
        return upright.convert("L" if grey else "RGB"), [*repairs, f"mode {upright.mode} made {'L' if grey else 'RGB'}"]
    return upright, repairs


def _shifted(value: Any) -> Any:
    return value * (1 / 256)


_ORIENTATION = 0x0112
