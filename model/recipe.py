"""What a person decides about a training run."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Augmentation(BaseModel):
    """How far an image may be changed and still show the same product."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rotate_degrees: float = Field(5.0, ge=0, le=180)
    """Turned by up to this, either way."""
    crop: float = Field(0.05, ge=0, lt=1)
    """Share of the width and height that a crop takes away, or a margin adds, at most."""
    shift: float = Field(0.04, ge=0, le=1)
    """Moved by up to this share of the side."""
    flip: bool = True
    """Mirrored left to right, every second time; wrong where writing or sides matter."""
    colour: float = Field(0.0, ge=0, lt=1)
    """Brightness, contrast and saturation grow or shrink by up to this share."""


class EarlyStopping(BaseModel):
    """Ends a run that no longer gets better on images that it neither learns from nor is measured on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    patience: int = Field(3, ge=1)
    """Epochs without a lower loss; the weights of the best epoch are kept."""
    share: float = Field(0.1, gt=0, lt=1)
    """Of the training images, taken away for this; not used where the data has a part for validation."""


class Recipe(BaseModel):
    """Everything that a person decides about a training run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    architecture: Literal["resnet18", "resnet34", "resnet50"] = "resnet18"
    weights: str = "none"
    """What the network begins with: `none`, `imagenet`, or the name of a file of torchvision weights."""
    epochs: int = Field(8, ge=1)
    batch_size: int = Field(32, ge=2)
    learning_rate: float = Field(0.004, gt=0)
    """The peak, after the first third of the run; from there it falls to nothing (one cycle, arXiv:1708.07120)."""
    weight_decay: float = Field(0.05, ge=0)
    width: int = Field(16, ge=8, le=64)
    """Channels in the network's first stage; ImageNet's ResNet-18 has 64."""
    seed: int = Field(0, ge=0)
    augmentation: Augmentation = Augmentation()
    early_stopping: EarlyStopping | None = None
