"""What the public resource group offers: instance types, spot discounts, regions."""

from datetime import timedelta

from pydantic import Field

from emulator.clock import iso
from emulator.operations import Answer, Call, Parameters
from emulator.services.eas.config.parsing import invalid
from emulator.services.eas.product import eas
from emulator.services.eas.queries import CommaSeparated
from emulator.services.eas.resources.machines import MACHINES, Machine
from emulator.services.eas.state import EasState

# The regions with an EAS endpoint of their own in the vendor's SDK 6.17.0, as far as they are public.
REGIONS = (
    "cn-beijing", "cn-zhangjiakou", "cn-hangzhou", "cn-shanghai", "cn-shenzhen", "cn-hongkong", "cn-chengdu",
    "cn-wulanchabu", "cn-heyuan", "cn-guangzhou", "ap-southeast-1", "ap-southeast-5", "us-east-1", "us-west-1",
    "eu-central-1",
)  # fmt: skip
HISTORY_DAYS = 7


class DescribeMachineSpec(Parameters):
    charge_type: str = Field("PostPaid", alias="ChargeType")
    resource_type: str = Field("Public", alias="ResourceType")
    instance_types: CommaSeparated = Field([], alias="InstanceTypes")


@eas.operation("DescribeMachineSpec", "GET", "/api/v2/public/instance_types")
def describe_machine_spec(state: EasState, query: DescribeMachineSpec) -> Answer:
    """Everything is in stock. Memory is in GiB, that of a GPU in GiB of one."""
    del state
    chosen = {name: MACHINES[name] for name in MACHINES if not query.instance_types or name in query.instance_types}
    cpus = sorted({machine.cpu for machine in chosen.values() if not machine.gpus})
    return {
        "InstanceMetas": [_described(name, machine) for name, machine in chosen.items()],
        "Types": [
            {"CPU": cpu, "Memory": sorted({int(each.memory_gib) for each in chosen.values() if each.cpu == cpu})}
            for cpu in cpus
        ],
    }


class DescribeSpotDiscountHistory(Parameters):
    instance_type: str = Field(alias="InstanceType")
    protected: bool = Field(True, alias="IsProtect")


@eas.operation("DescribeSpotDiscountHistory", "GET", "/api/v2/public/spot_discount")
def describe_spot_discount_history(state: EasState, call: Call, query: DescribeSpotDiscountHistory) -> Answer:
    """One value a day: here a type's discount never changes."""
    machine = MACHINES.get(query.instance_type)
    if machine is None:
        raise invalid(f"There is no instance type {query.instance_type!r}; DescribeMachineSpec lists what there is.")
    discount = machine.protected_spot_discount if query.protected else machine.spot_discount
    today = state.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return {
        "SpotDiscounts": [
            {
                "InstanceType": query.instance_type,
                "ZoneId": f"{call.region}-b",
                "Timestamp": iso(today - timedelta(days=days)),
                "SpotDiscount": f"{discount:g}",
            }
            for days in reversed(range(HISTORY_DAYS))
        ]
    }


@eas.operation("DescribeRegions", "GET", "/api/v2/regions")
def describe_regions(state: EasState) -> Answer:
    del state
    return {"Regions": [{"RegionId": region, "RegionName": region} for region in REGIONS]}


def _described(name: str, machine: Machine) -> Answer:
    return {
        "InstanceType": name,
        "CPU": machine.cpu,
        "Memory": machine.memory_gib,
        "GPU": machine.gpu,
        "GPUAmount": machine.gpus,
        "GPUMemory": machine.gpu_memory_gib,
        "IsAvailable": True,
        "StockStatus": "WithStock",
        "Vendor": "ECS",
        "SpotDiscount": machine.protected_spot_discount,
        "NonProtectSpotDiscount": machine.spot_discount,
    }
