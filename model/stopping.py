"""Early stopping: on which images it is decided, and which weights are the best so far."""

import hashlib
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from model.dataset import DataError, Dataset, Part
from model.network import Classifier
from model.recipe import EarlyStopping


@dataclass(frozen=True)
class Best:
    """The epoch with the lowest loss so far, that loss, and the weights after it, on the CPU."""

    epoch: int
    loss: float
    weights: dict[str, Tensor]


def parts(dataset: Dataset, early: EarlyStopping | None) -> tuple[Part, Part | None]:
    """What is learnt from, and what decides when to stop: a part of its own, or a share of the training images.

    An image belongs to the share by the hash of its pixels: in every run, and together with its copies.
    """
    if early is None:
        return dataset.train, None
    if dataset.validation is not None:
        return dataset.train, dataset.validation
    taken = np.array([_fraction(image.tobytes()) < early.share for image in dataset.train.pixels])
    if not taken.any() or taken.all():
        raise DataError(
            f"early stopping takes {early.share:.0%} of {len(taken)} training images away, which leaves {taken.sum()} "
            "to decide by; use more images, another share, or no early stopping"
        )
    return dataset.train.take(~taken), dataset.train.take(taken)


def loss_on(classifier: Classifier, part: Part, device: torch.device) -> float:
    """The mean cross-entropy over the part, without augmentation."""
    was_training = classifier.training
    classifier.eval()
    total = 0.0
    with torch.inference_mode():
        for at in range(0, len(part), 256):
            pixels, truth = (torch.tensor(each[at : at + 256], device=device) for each in (part.pixels, part.classes))
            total += functional.cross_entropy(classifier.logits(pixels.float() / 255), truth, reduction="sum").item()
    classifier.train(was_training)
    return total / len(part)


def better(best: Best | None, loss: float, epoch: int, network: nn.Module) -> Best:
    """The better one of `best` and the network as it is after `epoch`."""
    if best is not None and best.loss <= loss:
        return best
    return Best(epoch, loss, {name: each.detach().cpu().clone() for name, each in network.state_dict().items()})


def _fraction(content: bytes) -> float:
    """From 0 to 1, as good as random, the same for the same content; salted, since data may be chosen by its hash."""
    return int.from_bytes(hashlib.sha256(b"early stopping" + content).digest()[:8]) / 2**64
