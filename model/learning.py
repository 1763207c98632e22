"""The training loop: from images and a recipe to a classifier, the same every time on the same machine."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model.augment import augment
from model.dataset import Dataset, InputSpec
from model.network import Classifier, small_resnet18
from model.recipe import Recipe


@dataclass(frozen=True)
class Step:
    """One batch done: the epoch it belongs to (from 1), its number over the whole run (from 1), its loss."""

    epoch: int
    number: int
    loss: float


def batches_per_epoch(images: int, recipe: Recipe) -> int:
    """Whole batches only, so that none is too small to normalise over; at least one."""
    return max(1, images // recipe.batch_size)


def fit(
    dataset: Dataset, spec: InputSpec, recipe: Recipe, device: torch.device, on_step: Callable[[Step], None]
) -> Classifier:
    """Train on `dataset.train`; on a GPU with mixed precision."""
    torch.manual_seed(recipe.seed)
    torch.backends.cudnn.deterministic = True
    random = torch.Generator().manual_seed(recipe.seed)
    pixels, classes = (torch.tensor(array, device=device) for array in (dataset.train.pixels, dataset.train.classes))
    network = small_resnet18(classes=len(dataset.labels), channels=spec.channels, size=spec.size, width=recipe.width)
    classifier = Classifier(network, *_mean_and_std(dataset.train.pixels)).train()
    classifier = classifier.to(device).to(memory_format=torch.channels_last)
    per_epoch = batches_per_epoch(len(classes), recipe)
    optimizer = torch.optim.AdamW(_parameter_groups(classifier, recipe), recipe.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        recipe.learning_rate,
        total_steps=recipe.epochs * per_epoch,
        anneal_strategy="linear",
        cycle_momentum=False,
        div_factor=10,
        final_div_factor=1000,
    )
    scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
    background = 1.0 if spec.background == "white" else 0.0
    for number in range(recipe.epochs * per_epoch):
        if number % per_epoch == 0:
            order = torch.randperm(len(classes), generator=random).to(device)
        batch = order[number % per_epoch * recipe.batch_size :][: recipe.batch_size]
        images = augment(pixels[batch].float() / 255, recipe.augmentation, background, random)
        loss = _loss(classifier, images.contiguous(memory_format=torch.channels_last), classes[batch])
        optimizer.zero_grad()
        torch.autograd.backward(scaler.scale(loss))
        scaler.step(optimizer)
        scaler.update()
        schedule.step()
        on_step(Step(number // per_epoch + 1, number + 1, loss.item()))
    return classifier.eval()


def predict(classifier: nn.Module, pixels: NDArray[np.uint8], batch_size: int = 256) -> NDArray[np.float32]:
    """Probabilities, (n, classes), for uint8 images, on the CPU."""
    with torch.inference_mode():
        batches = [classifier(batch) for batch in torch.split(torch.tensor(pixels), batch_size)]
    probabilities: NDArray[np.float32] = torch.cat(batches).numpy()
    return probabilities


def _loss(classifier: Classifier, images: Tensor, classes: Tensor) -> Tensor:
    with torch.autocast(images.device.type, torch.float16, enabled=images.device.type == "cuda"):
        return functional.cross_entropy(classifier.logits(images), classes)


def _parameter_groups(classifier: nn.Module, recipe: Recipe) -> list[dict[str, object]]:
    """Weights of convolutions and of the last layer decay; biases and normalisation do not."""
    parameters = list(classifier.parameters())
    return [
        {"params": [each for each in parameters if each.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [each for each in parameters if each.ndim <= 1], "weight_decay": 0.0},
    ]


def _mean_and_std(pixels: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
    """Of each channel, on a scale of 0 to 1; a channel that never varies is left as it is."""
    mean = pixels.mean((0, 2, 3)) / 255
    std = pixels.std((0, 2, 3)) / 255
    return torch.tensor(mean, dtype=torch.float32), torch.tensor(np.where(std > 0, std, 1), dtype=torch.float32)
