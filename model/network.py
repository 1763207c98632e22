"""torchvision's ResNets, fitted to small images, and the form in which they are served."""

import io
import warnings
import zipfile
from contextlib import AbstractContextManager

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock, Bottleneck, ResNet

SMALL = 64
"""Images with fewer pixels a side get a stem that keeps more of them."""


BLOCKS = {
    "resnet18": (BasicBlock, (2, 2, 2, 2)),
    "resnet34": (BasicBlock, (3, 4, 6, 3)),
    "resnet50": (Bottleneck, (3, 4, 6, 3)),
}
"""Kind and number of the residual blocks in each stage (arXiv:1512.03385, table 1)."""


def resnet(architecture: str, *, classes: int, channels: int, size: int, width: int) -> nn.Module:
    """A ResNet for `channels` x `size` x `size` images, `width` channels in its first stage (ImageNet's has 64).

    The stem of ImageNet (7 x 7, stride 2, then a pool) would leave 7 x 7 of 28 x 28 pixels; below 64 pixels a side
    it is 3 x 3 with stride 2 and no pool, which leaves 14 x 14. Time goes with the square of the width.
    """
    block, numbers = BLOCKS[architecture]
    network = ResNet(block, list(numbers), num_classes=classes)
    network.inplanes = width
    for number, blocks in enumerate(numbers):
        stage = network._make_layer(block, width << number, blocks, stride=2 if number else 1)
        setattr(network, f"layer{number + 1}", stage)
    network.conv1 = nn.Conv2d(channels, width, 7, stride=2, padding=3, bias=False)
    network.bn1 = nn.BatchNorm2d(width)
    network.fc = nn.Linear(8 * width * block.expansion, classes)
    if size < SMALL:
        network.conv1 = nn.Conv2d(channels, width, 3, stride=2, padding=1, bias=False)
        network.maxpool = nn.Identity()
    return _initialised(network)


def _initialised(network: nn.Module) -> nn.Module:
    # Each residual block begins as the identity: faster early progress (arXiv:1706.02677).
    last = {BasicBlock: "bn2", Bottleneck: "bn3"}
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        if type(module) in last:
            nn.init.zeros_(getattr(module, last[type(module)]).weight)
    return network


class Classifier(nn.Module):
    """A network with what comes before and after it, so that the artefact needs no recipe beside it.

    Takes uint8 (n, channels, size, size); gives probabilities, float32 (n, classes).
    """

    mean: Tensor
    std: Tensor

    def __init__(self, network: nn.Module, mean: Tensor, std: Tensor) -> None:
        """`mean` and `std` of each channel of the training images, on a scale of 0 to 1."""
        super().__init__()
        self.network = network
        self.register_buffer("mean", mean.reshape(1, -1, 1, 1))
        self.register_buffer("std", std.reshape(1, -1, 1, 1))

    def logits(self, images: Tensor) -> Tensor:
        """From images on a scale of 0 to 1, float32; what the loss takes."""
        logits: Tensor = self.network((images - self.mean) / self.std)
        return logits

    def forward(self, pixels: Tensor) -> Tensor:
        return torch.softmax(self.logits(pixels.float() / 255), 1)


def export(classifier: Classifier, channels: int, size: int) -> bytes:
    """The classifier as a TorchScript file, on the CPU; the same classifier gives the same bytes on every machine."""
    example = torch.zeros(1, channels, size, size, dtype=torch.uint8)
    buffer = io.BytesIO()
    # Traced and not scripted: a script is saved in the order of Python's sets, another one in each process.
    with deprecation_accepted(), torch.no_grad():
        traced = torch.jit.trace(classifier.cpu().eval(), example, check_trace=False)  # type: ignore[no-untyped-call]
        torch.jit.save(traced, buffer)
    return _without_source_paths(buffer)


def load(content: bytes) -> torch.jit.ScriptModule:
    """What `export` wrote."""
    with deprecation_accepted():
        module: torch.jit.ScriptModule = torch.jit.load(io.BytesIO(content))  # type: ignore[no-untyped-call]
    return module.eval()


def deprecation_accepted() -> AbstractContextManager[None]:
    """EAS serves TorchScript; PyTorch deprecates it in favour of torch.export, which EAS does not take."""
    return warnings.catch_warnings(action="ignore", category=FutureWarning)


def _without_source_paths(file: io.BytesIO) -> bytes:
    """The file without its debug records, which name the source files on this machine, and without the id that was made
    with them."""
    stripped = io.BytesIO()
    with zipfile.ZipFile(file) as records, zipfile.ZipFile(stripped, "w") as kept:
        for name in records.namelist():
            if not name.endswith((".debug_pkl", ".data/serialization_id")):
                kept.writestr(zipfile.ZipInfo(name), records.read(name))
    return stripped.getvalue()
