"""An image is kept, repaired or rejected, each for a reason."""

import io

import numpy as np
import pytest
from PIL import Image

from jobs.data.image import Limits, RejectedError, examine
from tests.jobs.data.pictures import bomb, encoded, picture

LIMITS = Limits(shortest_side=16, pixels=1_000_000)


@pytest.mark.parametrize(("kind", "suffix"), [("PNG", ".png"), ("JPEG", ".jpg"), ("JPEG", ".JPEG")])
def test_a_sound_image_is_kept_byte_for_byte(kind: str, suffix: str) -> None:
    content = encoded(picture(1), kind)
    kept = examine(content, suffix, LIMITS)
    assert kept.content == content
    assert kept.repairs == ()


@pytest.mark.parametrize(
    ("content", "suffix", "repair", "becomes"),
    [
        (encoded(picture(1)), ".jpg", "named .jpg, but is PNG", ".png"),
        (encoded(picture(1), "WEBP"), ".webp", "WEBP converted to PNG", ".png"),
        (encoded(picture(1), "BMP"), ".bmp", "BMP converted to PNG", ".png"),
        (encoded(picture(1, mode="CMYK"), "JPEG"), ".jpg", "mode CMYK made RGB", ".png"),
        (encoded(picture(1, mode="P")), ".png", "mode P made RGB", ".png"),
        (encoded(picture(1, mode="1")), ".png", "mode 1 made L", ".png"),
        (encoded(picture(1, mode="RGBA")), ".png", "transparency made white", ".png"),
    ],
)
def test_what_can_be_repaired_is_repaired_and_said(content: bytes, suffix: str, repair: str, becomes: str) -> None:
    kept = examine(content, suffix, LIMITS)
    assert repair in kept.repairs
    assert kept.suffix == becomes
    with Image.open(io.BytesIO(kept.content)) as image:
        assert image.mode in ("L", "RGB")


def test_sixteen_bits_become_the_upper_eight() -> None:
    grey = np.arange(32 * 32, dtype=np.uint16).reshape(32, 32) * 64
    kept = examine(encoded(Image.fromarray(grey)), ".png", LIMITS)
    with Image.open(io.BytesIO(kept.content)) as image:
        assert np.abs(np.asarray(image).astype(int) - (grey >> 8).astype(int)).max() <= 1
    assert kept.repairs == ("16 bits made 8",)


def test_a_photograph_is_turned_upright() -> None:
    image = picture(1).resize((20, 40))
    exif = image.getexif()
    exif[0x0112] = 6
    kept = examine(encoded(image, "JPEG", exif=exif), ".jpg", LIMITS)
    assert kept.repairs == ("turned upright, as its EXIF says",)
    with Image.open(io.BytesIO(kept.content)) as upright:
        assert upright.size == (40, 20)


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"", "empty", "the file is empty"),
        (b"#!/bin/sh\nrm -rf /\n", "not an image", "begins with b'#!/bin/s'"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not an image", "allowed: BMP, GIF, JPEG, PNG, TIFF, WEBP"),
        (encoded(picture(1))[:300], "corrupt", "cannot be decoded"),
        (encoded(picture(1, 64), "JPEG")[:700], "corrupt", "cannot be decoded"),
        (encoded(picture(1, 8)), "too small", "8 x 8 pixels; allowed: 16 a side or more"),
        (encoded(picture(1, 1200)), "huge", "1200 x 1200 pixels; allowed: 1000000 in all"),
        (bomb(50_000, 50_000), "huge", "50000 x 50000 pixels; allowed: 16384 a side"),
        (bomb(16_000, 16_000), "huge", "16000 x 16000 pixels; allowed: 1000000 in all"),
        (bomb(100, 100), "corrupt", "cannot be decoded"),
        (
            encoded(picture(1), "GIF", save_all=True, append_images=[picture(2)]),
            "animated",
            "GIF with several frames; save one of them",
        ),
    ],
)
def test_what_cannot_be_used_is_rejected_with_a_reason(content: bytes, kind: str, message: str) -> None:
    with pytest.raises(RejectedError) as rejected:
        examine(content, ".png", LIMITS)
    assert rejected.value.kind == kind
    assert message in str(rejected.value)


def test_the_same_picture_is_known_in_another_file() -> None:
    png, bmp = encoded(picture(1)), encoded(picture(1), "BMP")
    assert examine(png, ".png", LIMITS).pixels == examine(bmp, ".bmp", LIMITS).pixels
    assert examine(png, ".png", LIMITS).pixels != examine(encoded(picture(2)), ".png", LIMITS).pixels
