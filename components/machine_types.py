"""What a machine's type tells about it."""

from typing import Annotated

from pydantic import StringConstraints

MachineType = Annotated[str, StringConstraints(pattern=r"^ecs\.[a-z0-9-]+\.[a-z0-9]+$")]

_GPU_FAMILIES = (".gn", ".ebmgn", ".sgn", ".vgn")


def has_gpu(instance_type: str) -> bool:
    """Alibaba Cloud's machines with NVIDIA's GPUs are the families gn, ebmgn, sgn and vgn (ecs.gn6i-c4g1.xlarge)."""
    return any(family in instance_type for family in _GPU_FAMILIES)
