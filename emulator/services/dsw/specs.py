"""The machines that instances can have, and ListEcsSpecs."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import Field

from emulator.operations import Answer, Parameters
from emulator.services.dsw.product import dsw, refusal, succeeded


class Spec(NamedTuple):
    """`memory_gib` and `gpu_memory_gib` (of each GPU) in GiB; `cny_per_hour` is None where no price was published."""

    name: str
    vcpus: int
    memory_gib: float
    gpus: int = 0
    gpu_type: str = ""
    gpu_memory_gib: float = 0
    cny_per_hour: float | None = None

    @property
    def accelerator(self) -> str:
        return "GPU" if self.gpus else "CPU"


# Shapes: Alibaba Cloud's page of ECS instance families. Prices: A. Chiao, "GPU Prices Quick Reference" (2023-07-21),
# https://arthurchiao.github.io/blog/gpu-prices/. They are list prices of ECS in 2023, not DSW's of today, for which
# Alibaba Cloud publishes no table; good for comparing machines, not for a bill. For machines without a GPU there is
# none that could be cited.
SPECS = {
    spec.name: spec
    for spec in (
        Spec("ecs.c6.large", 2, 4),
        Spec("ecs.c7.large", 2, 4),
        Spec("ecs.c7.xlarge", 4, 8),
        Spec("ecs.c7.2xlarge", 8, 16),
        Spec("ecs.c7.4xlarge", 16, 32),
        Spec("ecs.gn6i-c4g1.xlarge", 4, 15, 1, "T4", 16, 11.63),
        Spec("ecs.gn6i-c8g1.2xlarge", 8, 31, 1, "T4", 16, 14.00),
        Spec("ecs.gn6i-c16g1.4xlarge", 16, 62, 1, "T4", 16, 16.41),
        Spec("ecs.gn6i-c24g1.6xlarge", 24, 93, 1, "T4", 16, 17.19),
        Spec("ecs.gn6v-c8g1.2xlarge", 8, 32, 1, "V100", 16, 26.46),
        Spec("ecs.gn6v-c8g1.8xlarge", 32, 128, 4, "V100", 16, 105.84),
        Spec("ecs.gn6v-c8g1.16xlarge", 64, 256, 8, "V100", 16, 211.68),
        Spec("ecs.gn6e-c12g1.3xlarge", 12, 92, 1, "V100", 32, 19.73),
        Spec("ecs.gn7i-c8g1.2xlarge", 8, 30, 1, "A10", 24, 9.53),
        Spec("ecs.gn7i-c16g1.4xlarge", 16, 60, 1, "A10", 24, 10.09),
        Spec("ecs.gn7i-c32g1.8xlarge", 32, 188, 1, "A10", 24, 13.30),
        Spec("ecs.gn7i-c32g1.16xlarge", 64, 376, 2, "A10", 24, 26.61),
        Spec("ecs.gn7i-c32g1.32xlarge", 128, 752, 4, "A10", 24, 53.23),
        Spec("ecs.gn7-c12g1.3xlarge", 12, 94, 1, "A100", 40, 31.5),
        Spec("ecs.gn7-c13g1.13xlarge", 52, 378, 4, "A100", 40, 126.3),
        Spec("ecs.gn7e-c16g1.4xlarge", 16, 125, 1, "A100", 80, 34.7),
        Spec("ecs.gn7e-c16g1.16xlarge", 64, 500, 4, "A100", 80, 138.9),
        Spec("ecs.gn7e-c16g1.32xlarge", 128, 1000, 8, "A100", 80, 277.9),
    )
}


def spec_of(settings: Mapping[str, Any]) -> Spec:
    """The machine that an instance with these settings has; in a quota, what it asks for."""
    if name := settings.get("EcsSpec"):
        return SPECS[name]
    asked = settings["RequestedResource"]
    gpus = int(asked.get("GPU", 0))
    memory = float(asked["Memory"].removesuffix("GB").removesuffix("Gi"))
    return Spec("", int(float(asked["CPU"])), memory, gpus, asked.get("GPUType", "") if gpus else "")


class ListEcsSpecs(Parameters):
    accelerator_type: Literal["CPU", "GPU"] = Field(alias="AcceleratorType")
    order: Literal["ASC", "DESC"] | None = Field(None, alias="Order")
    sort_by: Literal["gmtCreate"] | None = Field(None, alias="SortBy")
    page_number: int = Field(1, ge=1, alias="PageNumber")
    page_size: int = Field(100, ge=1, le=1000, alias="PageSize")
    resource_type: Literal["ECS"] | None = Field(None, alias="ResourceType")


@dsw.operation("ListEcsSpecs", "GET", "/api/v2/ecsspecs")
def list_ecs_specs(_state: object, query: ListEcsSpecs) -> Answer:
    """Every machine is available here, also as a spot one."""
    check_order(query.sort_by, query.order)
    found = [spec for spec in SPECS.values() if spec.accelerator == query.accelerator_type]
    if query.order == "DESC":
        found.reverse()
    page = found[(query.page_number - 1) * query.page_size :][: query.page_size]
    return succeeded(EcsSpecs=[_described(spec) for spec in page], TotalCount=len(found))


def check_order(sort_by: str | None, order: str | None) -> None:
    """DSW's own documentation for its command line says that one without the other is refused."""
    if (sort_by is None) != (order is None):
        raise refusal("SortBy and Order must be given together.")


def _described(spec: Spec) -> Answer:
    answer: Answer = {
        "InstanceType": spec.name,
        "AcceleratorType": spec.accelerator,
        "CPU": spec.vcpus,
        "Memory": spec.memory_gib,
        "GPU": spec.gpus,
        "IsAvailable": True,
        "SpotStockStatus": "WithStock",
    }
    if spec.gpus:
        answer |= {"GPUType": spec.gpu_type, "GPUMemorySize": spec.gpu_memory_gib}
    return answer if spec.cny_per_hour is None else {**answer, "Price": spec.cny_per_hour, "Currency": "CNY"}
