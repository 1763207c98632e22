"""ListInstances."""

from typing import Annotated, Literal

from pydantic import Field, Json

from emulator.operations import Answer, Call, Parameters
from emulator.services.dsw.description import accelerator, described, payment_type
from emulator.services.dsw.parameters import Pair
from emulator.services.dsw.product import INSTANCES, dsw, succeeded
from emulator.services.dsw.records import Instance, Status
from emulator.services.dsw.shutdown import Time
from emulator.services.dsw.specs import check_order, spec_of
from emulator.services.dsw.state import DswState

ALL = "ALL"
Number = Annotated[float | None, Field(ge=0)]


class ListInstances(Parameters):
    """Processors are given in thousandths, memory in GB (of one GPU for `GpuMemory`)."""

    accelerator_type: Literal["CPU", "GPU"] | None = Field(None, alias="AcceleratorType")
    accessibility: Literal["PUBLIC", "PRIVATE"] | None = Field(None, alias="Accessibility")
    create_time_after: Time | None = Field(None, alias="CreateTimeAfter")
    create_time_before: Time | None = Field(None, alias="CreateTimeBefore")
    create_user_id: str | None = Field(None, alias="CreateUserId")
    gpu_type: str | None = Field(None, alias="GpuType")
    image_name: str | None = Field(None, alias="ImageName")
    instance_id: str | None = Field(None, alias="InstanceId")
    instance_name: str = Field("", alias="InstanceName")
    labels: Json[dict[str, str]] = Field({}, alias="Labels", max_length=4)
    max_cpu: Number = Field(None, alias="MaxCpu")
    max_gpu: Number = Field(None, alias="MaxGpu")
    max_gpu_memory: Number = Field(None, alias="MaxGpuMemory")
    max_memory: Number = Field(None, alias="MaxMemory")
    min_cpu: Number = Field(None, alias="MinCpu")
    min_gpu: Number = Field(None, alias="MinGpu")
    min_gpu_memory: Number = Field(None, alias="MinGpuMemory")
    min_memory: Number = Field(None, alias="MinMemory")
    order: Literal["ASC", "DESC"] | None = Field(None, alias="Order")
    page_number: int = Field(1, ge=1, alias="PageNumber")
    page_size: int = Field(10, ge=1, le=1000, alias="PageSize")
    payment_type: Literal["PayAsYouGo", "Subscription"] | None = Field(None, alias="PaymentType")
    resource_id: str | None = Field(None, alias="ResourceId")
    sort_by: Literal["Priority", "GmtCreateTime", "GmtModifiedTime"] | None = Field(None, alias="SortBy")
    status: Status | None = Field(None, alias="Status")
    tag: Json[list[Pair]] = Field([], alias="Tag")
    workspace_id: str | None = Field(None, alias="WorkspaceId")


@dsw.operation("ListInstances", "GET", INSTANCES)
def list_instances(state: DswState, call: Call, query: ListInstances) -> Answer:
    """Without `ResourceId` only instances outside of quotas, with `ALL` every one; the newest first unless `SortBy`
    and `Order` say otherwise. `InstanceName` selects by a part of the name."""
    check_order(query.sort_by, query.order)
    here = [instance for instance in state.instances.values() if instance.region == call.region]
    found = [instance for instance in here if _matches(instance, query) and _fits(instance, query)]
    found.sort(key=lambda instance: _place(instance, query.sort_by), reverse=query.order != "ASC")
    page = found[(query.page_number - 1) * query.page_size :][: query.page_size]
    return succeeded(Instances=[described(state, instance) for instance in page], TotalCount=len(found))


def _matches(instance: Instance, query: ListInstances) -> bool:
    settings = instance.settings
    equal = (
        (query.accelerator_type, accelerator(instance)),
        (query.accessibility, settings["Accessibility"]),
        (query.create_user_id, instance.user_id),
        (query.instance_id, instance.id),
        (query.image_name, settings.get("ImageId") or settings.get("ImageUrl")),
        (query.payment_type, payment_type(instance)),
        (query.status, instance.status),
        (None if query.workspace_id == ALL else query.workspace_id, instance.workspace_id),
        (None if query.resource_id == ALL else query.resource_id or "", settings.get("ResourceId", "")),
    )
    return (
        all(wanted in (None, value) for wanted, value in equal)
        and query.instance_name in instance.name
        and (query.create_time_after is None or instance.created_at >= query.create_time_after)
        and (query.create_time_before is None or instance.created_at <= query.create_time_before)
        and query.labels.items() <= instance.labels.items()
        and {tag.key: tag.value for tag in query.tag}.items() <= instance.tags.items()
    )


def _fits(instance: Instance, query: ListInstances) -> bool:
    """Whether its machine is between the limits."""
    spec = spec_of(instance.settings)
    limits = (
        (query.min_cpu, spec.vcpus * 1000, query.max_cpu),
        (query.min_memory, spec.memory_gib, query.max_memory),
        (query.min_gpu, spec.gpus * 1000, query.max_gpu),
        (query.min_gpu_memory, spec.gpu_memory_gib, query.max_gpu_memory),
    )
    within = all((low is None or low <= value) and (high is None or value <= high) for low, value, high in limits)
    return within and query.gpu_type in (None, spec.gpu_type)


def _place(instance: Instance, sort_by: str | None) -> tuple[float, str]:
    """Where an instance comes in the listing; the id decides between equal ones."""
    values = {"Priority": instance.settings.get("Priority", 1), "GmtModifiedTime": instance.modified_at.timestamp()}
    return float(values.get(sort_by or "", instance.created_at.timestamp())), instance.id
