"""What a network begins with: torchvision's ImageNet weights, or a file of such weights."""

import pickle
from pathlib import Path
from urllib.error import URLError

import torch
from torch import Tensor, nn
from torchvision.models import ResNet18_Weights, ResNet34_Weights, ResNet50_Weights

from model.dataset import DataError

IMAGENET = {
    "resnet18": ResNet18_Weights.IMAGENET1K_V1,
    "resnet34": ResNet34_Weights.IMAGENET1K_V1,
    "resnet50": ResNet50_Weights.IMAGENET1K_V2,
}


def file_of(architecture: str, named: str) -> Path | None:
    """Of `none`, `imagenet` (in torch's cache, else fetched), or a file. Raises DataError."""
    if named == "none":
        return None
    path = _imagenet(architecture) if named == "imagenet" else Path(named)
    if not path.is_file():
        raise DataError(f"--weights {named}: no such file; allowed: none, imagenet, or a file of torchvision weights")
    return path


def read(path: Path) -> dict[str, Tensor]:
    """The tensors in the file, by name. Raises DataError."""
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        raise DataError(f"--weights {path}: not a file that torch.save wrote, with tensors only ({error})") from error
    if not isinstance(tensors, dict) or not all(isinstance(each, Tensor) for each in tensors.values()):
        raise DataError(f"--weights {path}: holds {type(tensors).__name__}; needed: a state dict of torchvision")
    return tensors


def begin_with(network: nn.Module, weights: dict[str, Tensor], named: str) -> None:
    """Put the weights into the network, all but its last layer, and its stem where that is made for smaller images.

    A stem for colour fits grey images once its channels are added up. Raises DataError when the stages do not fit.
    """
    own = network.state_dict()
    given = dict(weights)
    if "conv1.weight" in given and own["conv1.weight"].shape[1] == 1:
        given["conv1.weight"] = given["conv1.weight"].sum(1, keepdim=True)
    stages = [name for name in own if name.startswith("layer")]
    if misfit := next((name for name in stages if name not in given or given[name].shape != own[name].shape), None):
        raise DataError(
            f"--weights {named}: {misfit} is {_shape(given.get(misfit))}, the network's is {_shape(own[misfit])}; "
            "torchvision's weights need --width 64 and the --architecture that they were trained for"
        )
    fitting = {n: t for n, t in given.items() if n in own and t.shape == own[n].shape and not n.startswith("fc.")}
    network.load_state_dict(own | fitting)


def _imagenet(architecture: str) -> Path:
    """The file in torch's cache, fetched when it is not there."""
    url: str = IMAGENET[architecture].url
    path = Path(torch.hub.get_dir()) / "checkpoints" / Path(url).name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # The name ends in the first digits of the sha256, which the fetched content is held against.
        digits = path.stem.rpartition("-")[2]
        try:
            torch.hub.download_url_to_file(url, str(path), digits, progress=True)
        except (URLError, OSError, RuntimeError) as error:
            raise DataError(
                f"--weights imagenet: {path.name} is not in {path.parent}, and cannot be fetched ({error}); copy it "
                "there from a machine with access, name it with --weights FILE, or begin with --weights none"
            ) from error
    return path


def _shape(tensor: Tensor | None) -> str:
    return "missing" if tensor is None else str(tuple(tensor.shape))
