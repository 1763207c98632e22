"""Variants of training images: turned, cropped, shifted, mirrored, in other colours; a batch at a time."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from model.recipe import Augmentation

GREY = (0.299, 0.587, 0.114)
"""How much red, green and blue count for the brightness (ITU-R BT.601)."""


@dataclass(frozen=True)
class Variants:
    """What becomes of each of n images: where its pixels go, (n, 2, 3), and three factors for its colours, (n, 3)."""

    places: Tensor
    colours: Tensor

    def part(self, rows: slice) -> "Variants":
        return Variants(self.places[rows], self.colours[rows])


def draw(n: int, by: Augmentation, random: torch.Generator) -> Variants:
    """`random` lies on the CPU, so that a seed means the same on every device."""

    def spread(limit: float) -> Tensor:
        return (torch.rand(n, generator=random) * 2 - 1) * limit

    angle, scale = spread(math.radians(by.rotate_degrees)), 1 + spread(by.crop)
    x, y = spread(2 * by.shift), spread(2 * by.shift)
    mirror = 1 - 2 * (torch.rand(n, generator=random) < 0.5).float() if by.flip else torch.ones(n)
    cos, sin = angle.cos() * scale, angle.sin() * scale
    places = torch.stack([torch.stack([cos * mirror, -sin, x], 1), torch.stack([sin * mirror, cos, y], 1)], 1)
    colours = 1 + torch.stack([spread(by.colour) for _ in range(3)], 1) if by.colour else torch.ones(n, 3)
    return Variants(places, colours)


def augment(images: Tensor, variants: Variants, background: float) -> Tensor:
    """A variant of each image, (n, channels, size, size) on a scale of 0 to 1; `background` fills what comes into view.

    One resampling does all that moves pixels.
    """
    grid = functional.affine_grid(variants.places.to(images.device), list(images.shape), align_corners=False)
    moved = functional.grid_sample(images - background, grid, align_corners=False) + background
    return moved if bool((variants.colours == 1).all()) else _coloured(moved, variants.colours.to(images.device))


def _coloured(images: Tensor, factors: Tensor) -> Tensor:
    """Brightness, contrast and saturation multiplied by the factors, in this order."""
    brightness, contrast, saturation = (each.reshape(-1, 1, 1, 1) for each in factors.unbind(1))
    images = images * brightness
    middle = images.mean((1, 2, 3), keepdim=True)
    images = (images - middle) * contrast + middle
    if images.shape[1] == 3:
        grey = (images * images.new_tensor(GREY).reshape(1, 3, 1, 1)).sum(1, keepdim=True)
        images = (images - grey) * saturation + grey
    return images.clamp(0, 1)
