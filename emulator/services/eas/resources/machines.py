"""Instance types of the public resource group.

Shapes are those of the ECS instance families of the same names ("Instance families" of the ECS user guide); the
vendor publishes no list of the types that EAS offers in a region, DescribeMachineSpec being that list. Spot discounts
move by the hour in the cloud; here each type has a fixed one, of the usual size and no more than that.
"""

from typing import NamedTuple


class Machine(NamedTuple):
    """`memory_gib` and `gpu_memory_gib` (of one GPU) in GiB; `spot_discount` is the part of the price that a spot
    instance costs (0.3: 70 % off) without a protection period, which costs 10 % of the full price more."""

    cpu: int
    memory_gib: float
    gpus: int = 0
    gpu: str = ""
    gpu_memory_gib: int = 0
    spot_discount: float = 0.3

    @property
    def protected_spot_discount(self) -> float:
        return round(self.spot_discount + 0.1, 2)


MACHINES: dict[str, Machine] = {
    "ecs.c7.large": Machine(2, 4),
    "ecs.c7.xlarge": Machine(4, 8),
    "ecs.c7.2xlarge": Machine(8, 16),
    "ecs.c7.4xlarge": Machine(16, 32),
    "ecs.c7a.large": Machine(2, 4),
    "ecs.c7a.xlarge": Machine(4, 8),
    "ecs.c7a.2xlarge": Machine(8, 16),
    "ecs.c8i.large": Machine(2, 4),
    "ecs.c8i.xlarge": Machine(4, 8),
    "ecs.c8i.2xlarge": Machine(8, 16),
    "ecs.g7.large": Machine(2, 8),
    "ecs.g7.xlarge": Machine(4, 16),
    "ecs.g7.2xlarge": Machine(8, 32),
    "ecs.g7.4xlarge": Machine(16, 64),
    "ecs.gn6i-c4g1.xlarge": Machine(4, 15, 1, "NVIDIA T4", 16),
    "ecs.gn6i-c8g1.2xlarge": Machine(8, 31, 1, "NVIDIA T4", 16),
    "ecs.gn6i-c16g1.4xlarge": Machine(16, 62, 1, "NVIDIA T4", 16),
    "ecs.gn6i-c24g1.6xlarge": Machine(24, 93, 1, "NVIDIA T4", 16),
    "ecs.gn6v-c8g1.2xlarge": Machine(8, 32, 1, "NVIDIA V100", 16),
    "ecs.gn6v-c8g1.8xlarge": Machine(32, 128, 4, "NVIDIA V100", 16),
    "ecs.gn6v-c8g1.16xlarge": Machine(64, 256, 8, "NVIDIA V100", 16),
    "ecs.gn6e-c12g1.3xlarge": Machine(12, 92, 1, "NVIDIA V100", 32),
    "ecs.gn7i-c8g1.2xlarge": Machine(8, 30, 1, "NVIDIA A10", 24),
    "ecs.gn7i-c16g1.4xlarge": Machine(16, 60, 1, "NVIDIA A10", 24),
    "ecs.gn7i-c32g1.8xlarge": Machine(32, 188, 1, "NVIDIA A10", 24),
    "ecs.gn7i-c32g1.16xlarge": Machine(64, 376, 2, "NVIDIA A10", 24),
    "ecs.gn7i-c32g1.32xlarge": Machine(128, 752, 4, "NVIDIA A10", 24),
    "ecs.gn7-c12g1.3xlarge": Machine(12, 94, 1, "NVIDIA A100", 40),
    "ecs.gn7-c13g1.13xlarge": Machine(52, 378, 4, "NVIDIA A100", 40),
    "ecs.gn7e-c16g1.4xlarge": Machine(16, 125, 1, "NVIDIA A100", 80),
    "ecs.gn7e-c16g1.16xlarge": Machine(64, 500, 4, "NVIDIA A100", 80),
    "ecs.gn7e-c16g1.32xlarge": Machine(128, 1000, 8, "NVIDIA A100", 80),
}
