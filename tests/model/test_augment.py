"""Augmentation changes an image as far as it is told, and no further."""

import pytest
import torch
from torch import Tensor

from model.augment import augment, draw
from model.recipe import Augmentation

pytestmark = pytest.mark.model

NONE = Augmentation(rotate_degrees=0, crop=0, shift=0, flip=False)
DARK, LIGHT = 0.0, 1.0


def varied(images: Tensor, by: Augmentation, background: float = DARK, seed: int = 0) -> Tensor:
    return augment(images, draw(len(images), by, torch.Generator().manual_seed(seed)), background)


@pytest.fixture
def images() -> Tensor:
    return torch.rand(64, 3, 20, 20, generator=torch.Generator().manual_seed(1))


def test_without_augmentation_images_stay_as_they_are(images: Tensor) -> None:
    assert torch.allclose(varied(images, NONE), images, atol=1e-4)


def test_flipping_mirrors_about_half_of_the_images_left_to_right(images: Tensor) -> None:
    result = varied(images, NONE.model_copy(update={"flip": True}))
    mirrored = [torch.allclose(new, old.flip(2), atol=1e-4) for new, old in zip(result, images, strict=True)]
    kept = [torch.allclose(new, old, atol=1e-4) for new, old in zip(result, images, strict=True)]
    assert sum(mirrored) + sum(kept) == 64
    assert 16 < sum(mirrored) < 48


@pytest.mark.parametrize("background", [DARK, LIGHT])
def test_what_comes_into_view_is_background(background: float) -> None:
    empty = torch.full((8, 1, 20, 20), background)
    by = Augmentation(rotate_degrees=45, crop=0.5, shift=0.5)
    assert torch.allclose(varied(empty, by, background), empty, atol=1e-5)


def test_turning_keeps_the_middle_and_moves_the_edge() -> None:
    images = torch.zeros(16, 1, 21, 21)
    images[:, :, 9:12, :] = 1
    turned = varied(images, NONE.model_copy(update={"rotate_degrees": 30.0}))
    assert torch.allclose(turned[:, 0, 10, 10], torch.ones(16), atol=1e-4)
    assert (turned[:, 0, 10, 0] < 0.5).any()


def test_a_seed_gives_the_same_variants_and_another_gives_others(images: Tensor) -> None:
    first, again, other = (varied(images, Augmentation(), seed=seed) for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_colours_change_and_stay_in_range(images: Tensor) -> None:
    by = NONE.model_copy(update={"colour": 0.4})
    changed = varied(images, by)
    assert not torch.allclose(changed, images, atol=0.05)
    assert changed.min() >= 0
    assert changed.max() <= 1


def test_a_part_of_the_variants_is_what_the_whole_batch_would_give(images: Tensor) -> None:
    variants = draw(64, Augmentation(colour=0.2), torch.Generator().manual_seed(0))
    part = augment(images[16:32], variants.part(slice(16, 32)), DARK)
    assert torch.allclose(part, augment(images, variants, DARK)[16:32], atol=1e-6)
