"""Images of every kind become what the network takes."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from model.serving.images import Input, Pixels, decode
from model.serving.refusal import RefusedError

GREY = Input(size=28, channels=1, background="black")
COLOUR = Input(size=32, channels=3, background="white")
UPRIGHT = 6
"""The EXIF orientation of a picture taken with the camera turned to the right."""


def decoded(image: Image.Image, kind: str = "PNG", spec: Input = GREY, **options: Any) -> Pixels:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return decode(buffer.getvalue(), spec, 10_000_000)


def ramp(mode: str = "L", size: tuple[int, int] = (28, 28)) -> Image.Image:
    """Black on the left, white on the right."""
    return Image.linear_gradient("L").rotate(90).resize(size).convert(mode)


def test_an_image_that_fits_already_is_not_changed() -> None:
    assert np.array_equal(decoded(ramp())[0], np.asarray(ramp()))


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_mode_of_png_keeps_left_dark_and_right_light(mode: str) -> None:
    image = ramp()
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image, np.uint16) << 8)
    pixels = decoded(image.convert(mode) if mode != "I;16" else image)
    assert pixels.shape == (1, 28, 28)
    assert pixels[0, :, 2].mean() < 60 < 200 < pixels[0, :, -2].mean()


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_every_mode_of_jpeg_keeps_left_dark_and_right_light(mode: str) -> None:
    pixels = decoded(ramp(mode, (300, 300)), "JPEG", quality=95)
    assert pixels[0, :, 2].mean() < 60 < 200 < pixels[0, :, -2].mean()


def test_sixteen_bits_are_scaled_and_not_cut_off() -> None:
    image = Image.fromarray(np.full((28, 28), 0x4000, np.uint16))
    assert decoded(image).max() == 0x40


def test_a_tall_image_keeps_its_proportions_and_the_sides_are_background() -> None:
    tall = Image.new("RGB", (100, 200), (200, 100, 50))
    pixels = decoded(tall, spec=COLOUR)
    assert pixels.shape == (3, 32, 32)
    assert (pixels[:, :, :8] == 255).all()
    assert (pixels[:, :, 24:] == 255).all()
    assert (pixels[:, :, 8:24] == np.array([200, 100, 50]).reshape(3, 1, 1)).all()


def test_a_line_of_one_pixel_is_still_an_image() -> None:
    assert decoded(Image.new("L", (5000, 1), 90)).max() == 90


def test_a_photograph_on_a_light_ground_is_negated_for_a_model_that_knows_dark_grounds() -> None:
    photograph = Image.new("L", (280, 280), 250)
    photograph.paste(20, (70, 70, 210, 210))
    pixels = decoded(photograph)
    assert pixels[0, 0, 0] == 5
    assert pixels[0, 14, 14] == 235
    assert decoded(photograph, spec=COLOUR)[0, 0, 0] == 250


def test_a_cut_out_product_lies_on_white() -> None:
    cut_out = Image.new("RGBA", (32, 32), (0, 0, 0, 0))
    cut_out.paste((10, 20, 30, 255), (8, 8, 24, 24))
    pixels = decoded(cut_out, spec=COLOUR)
    assert (pixels[:, 0, 0] == 255).all()
    assert pixels[:, 16, 16].tolist() == [10, 20, 30]


def test_a_picture_taken_sideways_is_turned_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = UPRIGHT
    pixels = decoded(ramp("RGB", (64, 64)), "JPEG", COLOUR, exif=exif, quality=95)
    assert pixels[0, 2].mean() < 60 < 200 < pixels[0, -2].mean()


def test_an_image_with_more_pixels_than_allowed_is_refused() -> None:
    image = Image.new("RGB", (2000, 1000), "red")
    with pytest.raises(RefusedError, match=r"2000 x 1000 pixels; allowed: 1000000 in all"):
        decode(_png(image), COLOUR, 1_000_000)


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
