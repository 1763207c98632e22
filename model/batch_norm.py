"""Batch normalisation over a batch that several processes share, on CPUs; PyTorch's own is for GPUs only."""

import torch
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_reduce


def synchronised(network: nn.Module) -> nn.Module:
    """The network with each of its batch normalisations replaced, weights and statistics kept."""
    for name, module in network.named_children():
        if isinstance(module, nn.BatchNorm2d):
            replacement = SharedBatchNorm(module.num_features)
            replacement.load_state_dict(module.state_dict())
            setattr(network, name, replacement)
        else:
            synchronised(module)
    return network


class SharedBatchNorm(nn.BatchNorm2d):
    """Mean and variance are those over all processes, and so are their gradients."""

    def forward(self, images: Tensor) -> Tensor:
        if not self.training:
            return super().forward(images)
        sums = torch.stack([images.sum((0, 2, 3)), images.square().sum((0, 2, 3))])
        sums = all_reduce(sums)  # type: ignore[no-untyped-call]
        n = images[:, 0].numel() * distributed.get_world_size()
        mean, square = sums[0] / n, sums[1] / n
        variance = (square - mean.square()).clamp_min(0)
        self._remember(mean.detach(), variance.detach() * n / max(n - 1, 1))
        scale = self.weight / torch.sqrt(variance + self.eps)
        normalised: Tensor = images * scale[:, None, None] + (self.bias - mean * scale)[:, None, None]
        return normalised

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None  # noqa: S101 - for mypy: BatchNorm2d keeps them unless told otherwise
        assert self.running_var is not None  # noqa: S101
        assert self.num_batches_tracked is not None  # noqa: S101
        momentum = 0.1 if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance, momentum)
        self.num_batches_tracked.add_(1)
