"""The training loop: from images and a recipe to a classifier, the same every time on the same machine."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from model import augment, stopping
from model.checkpoint import Checkpoint
from model.dataset import DataError, Dataset, InputSpec, Part
from model.network import Classifier, resnet
from model.recipe import Recipe
from model.stopping import Best
from model.weights import begin_with
from model.workers import Workers


@dataclass(frozen=True)
class Step:
    """One batch done: the epoch it belongs to (from 1), its number over the whole run (from 1), its loss."""

    epoch: int
    number: int
    loss: float
    learning_rate: float
    validation_loss: float | None = None
    """After the last step of an epoch, where the run may stop early."""


@dataclass(frozen=True)
class Fitted:
    """A trained classifier, on the CPU, and how many epochs it took."""

    classifier: Classifier
    epochs: int
    best_epoch: int | None
    """Whose weights these are, where the run could stop early."""


class Logits(nn.Module):
    """What the loss takes, as a `forward`, which is what data-parallel training wraps."""

    def __init__(self, classifier: Classifier) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, images: Tensor) -> Tensor:
        return self.classifier.logits(images)


def batches_per_epoch(images: int, recipe: Recipe) -> int:
    """Whole batches only, so that none is too small to normalise over; at least one."""
    return max(1, images // recipe.batch_size)


def learnt_from(dataset: Dataset, recipe: Recipe) -> int:
    """How many images the run learns from."""
    return len(stopping.parts(dataset, recipe.early_stopping)[0])


def fit(
    dataset: Dataset,
    spec: InputSpec,
    recipe: Recipe,
    *,
    device: torch.device,
    weights: dict[str, Tensor] | None,
    workers: Workers,
    checkpoint: Checkpoint,
    on_step: Callable[[Step], None],
) -> Fitted:
    """Train on `dataset.train`, from the checkpoint on where it holds one; on a GPU with mixed precision.

    Raises DataError for weights that do not fit, or a batch that cannot be shared.
    """
    train, validation = stopping.parts(dataset, recipe.early_stopping)
    if min(recipe.batch_size, len(train)) % workers.count:
        raise DataError(
            f"--batch-size {recipe.batch_size}: {min(recipe.batch_size, len(train))} images cannot be shared equally "
            f"by {workers.count} processes; choose a multiple of {workers.count}"
        )
    run = _Run(train, len(dataset.labels), spec, recipe, device, weights, workers)
    if kept := workers.agreed(checkpoint.load()):
        run.load_state(kept)
    patience = recipe.early_stopping.patience if recipe.early_stopping else 0
    while run.number < run.steps and not (run.best and run.epoch_done - run.best.epoch >= patience):
        loss, learning_rate = run.step()
        found = None
        if validation is not None and run.number % run.per_epoch == 0:
            found = workers.agreed(stopping.loss_on(run.classifier, validation, device) if workers.is_first else 0.0)
            run.best = stopping.better(run.best, found, run.epoch_done, run.classifier)
        if workers.is_first:
            on_step(Step((run.number - 1) // run.per_epoch + 1, run.number, loss, learning_rate, found))
            if checkpoint.is_due() or run.number % run.per_epoch == 0:
                checkpoint.save(run.state())
    return run.result()


class _Run:
    """Everything that changes while a run goes on; `state` is all of it, and enough to go on from."""

    def __init__(
        self,
        train: Part,
        classes: int,
        spec: InputSpec,
        recipe: Recipe,
        device: torch.device,
        weights: dict[str, Tensor] | None,
        workers: Workers,
    ) -> None:
        torch.manual_seed(recipe.seed)
        torch.backends.cudnn.deterministic = True
        self._recipe, self._spec, self._device, self._workers = recipe, spec, device, workers
        self._classes = classes
        self._pixels, self._truth = (torch.tensor(each, device=device) for each in (train.pixels, train.classes))
        self._random = torch.Generator().manual_seed(recipe.seed)
        self._mean_and_std = _mean_and_std(train.pixels)
        self._classifier = self._new()
        if weights is not None:
            begin_with(self._classifier.network, weights, recipe.weights)
        self._classifier = self._classifier.to(device).to(memory_format=torch.channels_last)
        self._logits = workers.together(Logits(self._classifier).train())
        # Fused, a step takes a third of the time, which is a tenth of all.
        self._optimizer = torch.optim.AdamW(_parameter_groups(self._logits, recipe), recipe.learning_rate, fused=True)
        self.per_epoch = batches_per_epoch(len(train), recipe)
        self.steps = recipe.epochs * self.per_epoch
        self._schedule = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer,
            recipe.learning_rate,
            total_steps=self.steps,
            anneal_strategy="linear",
            cycle_momentum=False,
            div_factor=10,
            final_div_factor=1000,
        )
        self._scaler = torch.amp.GradScaler(device.type, enabled=device.type == "cuda")
        self._order = torch.empty(0, dtype=torch.int64)
        self.number = 0
        self.best: Best | None = None

    @property
    def epoch_done(self) -> int:
        return self.number // self.per_epoch

    @property
    def classifier(self) -> Classifier:
        return self._classifier

    def step(self) -> tuple[float, float]:
        """One batch; its loss, and the learning rate that it was learnt at."""
        at = self.number % self.per_epoch * self._recipe.batch_size
        if at == 0:
            self._order = torch.randperm(len(self._truth), generator=self._random)
        batch = self._order[at:][: self._recipe.batch_size]
        variants = augment.draw(len(batch), self._recipe.augmentation, self._random)
        mine = self._workers.share(len(batch))
        batch = batch[mine].to(self._device)
        background = 1.0 if self._spec.background == "white" else 0.0
        images = augment.augment(self._pixels[batch].float() / 255, variants.part(mine), background)
        loss = self._loss(images.contiguous(memory_format=torch.channels_last), self._truth[batch])
        self._optimizer.zero_grad()
        torch.autograd.backward(self._scaler.scale(loss))
        self._scaler.step(self._optimizer)
        self._scaler.update()
        learning_rate = float(self._schedule.get_last_lr()[0])
        self._schedule.step()
        self.number += 1
        return loss.item(), learning_rate

    def state(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "order": self._order,
            "random": self._random.get_state(),
            "classifier": self._classifier.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "scaler": self._scaler.state_dict(),
            "best": self.best and vars(self.best),
        }

    def load_state(self, state: dict[str, Any]) -> None:
        self.number, self._order = state["number"], state["order"]
        self._random.set_state(state["random"])
        self._classifier.load_state_dict(state["classifier"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        self._scaler.load_state_dict(state["scaler"])
        self.best = Best(**state["best"]) if state["best"] else None

    def result(self) -> Fitted:
        """The best weights where the run could stop early, else the last ones; without what joins processes."""
        classifier = self._new()
        classifier.load_state_dict(self.best.weights if self.best else self._classifier.state_dict())
        classifier = classifier.to(memory_format=torch.channels_last)
        return Fitted(classifier.eval(), self.epoch_done, self.best.epoch if self.best else None)

    def _new(self) -> Classifier:
        recipe, spec = self._recipe, self._spec
        network = resnet(
            recipe.architecture, classes=self._classes, channels=spec.channels, size=spec.size, width=recipe.width
        )
        return Classifier(network, *self._mean_and_std)

    def _loss(self, images: Tensor, truth: Tensor) -> Tensor:
        with torch.autocast(images.device.type, torch.float16, enabled=images.device.type == "cuda"):
            return functional.cross_entropy(self._logits(images), truth)


def predict(classifier: nn.Module, pixels: NDArray[np.uint8], batch_size: int = 256) -> NDArray[np.float32]:
    """Probabilities, (n, classes), for uint8 images, on the CPU."""
    with torch.inference_mode():
        batches = [classifier(batch) for batch in torch.split(torch.tensor(pixels), batch_size)]
    probabilities: NDArray[np.float32] = torch.cat(batches).numpy()
    return probabilities


def _parameter_groups(network: nn.Module, recipe: Recipe) -> list[dict[str, object]]:
    """Weights of convolutions and of the last layer decay; biases and normalisation do not."""
    parameters = list(network.parameters())
    return [
        {"params": [each for each in parameters if each.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [each for each in parameters if each.ndim <= 1], "weight_decay": 0.0},
    ]


def _mean_and_std(pixels: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
    """Of each channel, on a scale of 0 to 1; a channel that never varies is left as it is."""
    mean = pixels.mean((0, 2, 3)) / 255
    std = pixels.std((0, 2, 3)) / 255
    return torch.tensor(mean, dtype=torch.float32), torch.tensor(np.where(std > 0, std, 1), dtype=torch.float32)
