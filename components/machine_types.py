"""What a machine's type tells about it."""

import re
from typing import Annotated

from pydantic import StringConstraints

MachineType = Annotated[str, StringConstraints(pattern=r"^ecs\.[a-z0-9-]+\.[a-z0-9]+$")]

_GPU_FAMILIES = (".gn", ".ebmgn", ".sgn", ".vgn")


def has_gpu(instance_type: str) -> bool:
    """Alibaba Cloud's machines with NVIDIA's GPUs are the families gn, ebmgn, sgn and vgn (ecs.gn6i-c4g1.xlarge)."""
    return any(family in instance_type for family in _GPU_FAMILIES)


# GiB of memory for each vCPU of the families for computing, for general use and for memory.
_MEMORY_PER_VCPU = {"c": 2, "g": 4, "r": 8}
_SIZE = re.compile(r"(?P<times>\d*)xlarge$")


def vcpus(instance_type: str) -> int | None:
    """The vCPUs of a machine: of a size `large` two, of `Nxlarge` 4 N; None for other sizes.

    https://www.alibabacloud.com/help/en/ecs/user-guide/overview-of-instance-families
    """
    size = instance_type.rpartition(".")[2]
    if size == "large":
        return 2
    match = _SIZE.fullmatch(size)
    return 4 * int(match["times"] or 1) if match else None


def memory_gib(instance_type: str) -> int | None:
    """The memory of a machine of the families c, g and r; None for others, which follow no rule."""
    cores, family = vcpus(instance_type), re.match(r"ecs\.([cgr])\d[a-z]*\.", instance_type)
    return cores * _MEMORY_PER_VCPU[family[1]] if cores is not None and family else None
