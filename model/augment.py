"""Variants of training images: turned, cropped, shifted and mirrored, a batch at a time on whatever device it lies."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from model.recipe import Augmentation


def augment(images: Tensor, by: Augmentation, background: float, random: torch.Generator) -> Tensor:
    """A variant of each image, (n, channels, size, size) on a scale of 0 to 1; `background` fills what comes into view.

    One resampling does all of it. `random` lies on the CPU, so that a seed means the same on every device.
    """
    n = len(images)

    def spread(limit: float) -> Tensor:
        return (torch.rand(n, generator=random) * 2 - 1) * limit

    angle, scale = spread(math.radians(by.rotate_degrees)), 1 + spread(by.crop)
    x, y = spread(2 * by.shift), spread(2 * by.shift)
    mirror = 1 - 2 * (torch.rand(n, generator=random) < 0.5).float() if by.flip else torch.ones(n)
    cos, sin = angle.cos() * scale, angle.sin() * scale
    matrices = torch.stack([torch.stack([cos * mirror, -sin, x], 1), torch.stack([sin * mirror, cos, y], 1)], 1)
    grid = functional.affine_grid(matrices.to(images.device), list(images.shape), align_corners=False)
    return functional.grid_sample(images - background, grid, align_corners=False) + background
