"""What later inputs are compared with, against counts worked out by hand."""

import json

import numpy as np

from model.reference import document


def test_images_are_counted_where_they_fall() -> None:
    probabilities = np.array([[0.95, 0.05], [0.45, 0.55], [0.4, 0.6], [1, 0]], np.float32)
    pixels = np.zeros((4, 1, 2, 2), np.uint8)
    pixels[1] = 16  # the first of the second bin
    pixels[2] = 255
    pixels[3, 0] = [[0, 0], [200, 200]]  # mean and standard deviation 100

    found = json.loads(document(probabilities, pixels, ("bag", "boot")))

    assert (found["images"], found["predictions"]) == (4, {"bag": 2, "boot": 2})
    assert found["confidence"] == [0, 0, 0, 0, 0, 1, 1, 0, 0, 2]
    assert found["mean"] == [1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1]
    assert found["deviation"] == [3, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]
