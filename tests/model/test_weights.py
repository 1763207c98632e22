"""Networks begin with torchvision's weights, and what cannot be had or does not fit is told."""

from pathlib import Path

import pytest
import torch
from torchvision.models import resnet18

from model import weights
from model.dataset import DataError
from model.network import resnet

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights in torchvision's form, random ones."""
    path = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(resnet18().state_dict(), path)
    return path


@pytest.mark.parametrize("channels", [1, 3])
def test_a_network_begins_with_the_weights_but_for_its_last_layer(file: Path, channels: int) -> None:
    network = resnet("resnet18", classes=5, channels=channels, size=64, width=64)
    last = network.state_dict()["fc.weight"].clone()
    given = weights.read(file)
    weights.begin_with(network, given, str(file))
    own = network.state_dict()
    assert torch.equal(own["layer4.1.conv2.weight"], given["layer4.1.conv2.weight"])
    stem = given["conv1.weight"] if channels == 3 else given["conv1.weight"].sum(1, keepdim=True)
    assert torch.equal(own["conv1.weight"], stem)
    assert torch.equal(own["fc.weight"], last)


@pytest.mark.parametrize(("architecture", "width"), [("resnet18", 16), ("resnet50", 64)])
def test_weights_of_another_network_are_refused_with_what_would_fit(file: Path, architecture: str, width: int) -> None:
    network = resnet(architecture, classes=5, channels=3, size=64, width=width)
    with pytest.raises(DataError, match="torchvision's weights need --width 64 and the --architecture"):
        weights.begin_with(network, weights.read(file), "file.pth")


@pytest.mark.parametrize("architecture", ["resnet18", "resnet34", "resnet50"])
def test_each_network_has_torchvisions_shapes(architecture: str) -> None:
    import torchvision

    theirs = getattr(torchvision.models, architecture)(num_classes=7).state_dict()
    ours = resnet(architecture, classes=7, channels=3, size=224, width=64).state_dict()
    assert {name: each.shape for name, each in ours.items()} == {name: each.shape for name, each in theirs.items()}


def test_imagenet_weights_are_taken_from_torchs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    cached = tmp_path / "hub" / "checkpoints" / "resnet18-f37072fd.pth"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"weights")
    assert weights.file_of("resnet18", "imagenet") == cached


def test_imagenet_weights_that_cannot_be_fetched_are_told_with_the_ways_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(DataError, match=r"resnet34-b627a593.pth is not in .*, and cannot be fetched .*--weights FILE"):
        weights.file_of("resnet34", "imagenet")


def test_a_file_that_is_not_one_of_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.pth").write_bytes(b"nothing")
    torch.save([1, 2], tmp_path / "b.pth")
    with pytest.raises(DataError, match=r"not a file that torch\.save wrote"):
        weights.read(tmp_path / "a.pth")
    with pytest.raises(DataError, match="holds list; needed: a state dict"):
        weights.read(tmp_path / "b.pth")
