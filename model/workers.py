"""The processes that train one model together: torchrun starts them, each with a part of every batch.

`torchrun --nproc-per-node 2 -m model.train ...`; for several machines with `--nnodes` and `--rdzv-endpoint`
(https://docs.pytorch.org/docs/stable/elastic/run.html). The variables that torchrun sets say who is who.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import torch
from torch import distributed, nn

from model.batch_norm import synchronised

T = TypeVar("T")

SILENCE = timedelta(minutes=10)
"""How long one waits for another, which may be killed, before it gives up."""


@dataclass(frozen=True)
class Workers:
    """This process's place among `count`, from 0."""

    rank: int = 0
    count: int = 1
    local_rank: int = 0

    @property
    def is_first(self) -> bool:
        """The one that logs, measures and stores."""
        return self.rank == 0

    def share(self, n: int) -> slice:
        """This process's part of a batch of n, which `count` divides."""
        each = n // self.count
        return slice(self.rank * each, (self.rank + 1) * each)

    def agreed(self, value: T) -> T:
        """What the first process says, for all of them."""
        if self.count == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values, src=0)
        return values[0]

    def together(self, network: nn.Module) -> nn.Module:
        """The network with its gradients and its batch statistics those of the whole batch."""
        if self.count == 1:
            return network
        on_gpu = next(network.parameters()).is_cuda
        if on_gpu:
            network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        else:
            synchronised(network)
        return nn.parallel.DistributedDataParallel(network)


def place(environ: Mapping[str, str]) -> Workers:
    """What torchrun says; the only one where there is no torchrun."""
    rank, count, local = (int(environ.get(name, default)) for name, default in _VARIABLES.items())
    return Workers(rank, count, local)


@contextmanager
def joined(device: torch.device) -> Iterator[Workers]:
    """Inside, all processes of the run are connected: by NCCL between GPUs, else by Gloo."""
    workers = place(os.environ)
    if workers.count == 1:
        yield workers
        return
    if device.type == "cuda":
        torch.cuda.set_device(workers.local_rank)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=SILENCE)
    try:
        yield workers
    finally:
        distributed.destroy_process_group()


_VARIABLES = {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}
