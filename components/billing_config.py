"""How the machines of services are paid for, and what of that goes together.

Public pool and spot: https://www.alibabacloud.com/help/en/pai/user-guide/use-public-resource-groups. Dedicated groups:
https://www.alibabacloud.com/help/en/pai/user-guide/work-with-dedicated-resource-groups. Overflow:
https://www.alibabacloud.com/help/en/pai/elastic-resource-pool. Shared GPUs:
https://www.alibabacloud.com/help/en/pai/user-guide/advanced-configuration-gpu-sharing.
"""

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from components.machine_types import MachineType, has_gpu
from components.settings import NAME_PATTERN, CountOrPercent, Problem, Settings, short_name

if TYPE_CHECKING:
    from pulumi import Input

    from components.eas_config import EasServiceSettings

_LONGEST_GROUP_NAME = 27

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
_PERIODS = ("period", "months", "years", "duration")


class SubscriptionSettings(Settings):
    """Paid for in advance. EAS takes nothing of it back before it expires."""

    auto_renewal: bool = Field(description="Whether it is bought again each time that it expires.")

    @model_validator(mode="before")
    @classmethod
    def _has_no_period(cls, values: Any) -> Any:
        if isinstance(values, dict) and (given := next((name for name in _PERIODS if name in values), None)):
            raise ValueError(
                f"{given} is given, but EAS's API takes no period; buy for longer in the console, and take that over "
                "with adopt"
            )
        return values


class PoolSettings(Settings):
    """Machines of one kind, pay-as-you-go or subscribed. They are paid for whether they are used or not."""

    instance_type: MachineType = Field(description="Such as ecs.gn7i-c8g1.2xlarge; another one replaces the machines.")
    count: int = Field(ge=1, le=1000)
    subscription: SubscriptionSettings | None = None
    disk_gib: int = Field(default=200, ge=200, le=2000, description="System disk of each machine.")
    zone: Annotated[str, StringConstraints(pattern=r"^[a-z]+(-[a-z0-9]+)+$")] | None = Field(
        default=None, description="Such as cn-hangzhou-b; by default EAS chooses."
    )


class MachineGroupSettings(Settings):
    """A dedicated resource group: machines that only this account's services run on."""

    group_name: Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_GROUP_NAME)] | None = Field(
        default=None, description="By default GROUP_STACK."
    )
    pools: dict[Name, PoolSettings] = Field(min_length=1, description="Each by a short name, such as base.")
    adopt: bool = Field(default=False, description="Take over a group of that name, and machines of these kinds in it.")
    timeout_min: int = Field(default=30, ge=1, le=240, description="How long machines may take to start, or to empty.")

    @property
    def types(self) -> list[str]:
        """The types of its machines, each once."""
        return list(dict.fromkeys(pool.instance_type for pool in self.pools.values()))


class MixSourceSettings(Settings):
    """Where replicas run: a dedicated group, or machines of the public pool, which are spot when there is a price."""

    machines: Name | None = Field(default=None, description="Key in paistack:machines of a dedicated group.")
    instance_type: MachineType | None = Field(default=None, description="Of the public pool.")
    max_price_usd_per_hour: float | None = Field(default=None, gt=0, description="With instance_type: spot, up to it.")

    @property
    def is_never_full(self) -> bool:
        return self.instance_type is not None and self.max_price_usd_per_hour is None

    @model_validator(mode="after")
    def _is_one_place(self) -> Self:
        if (self.machines is None) == (self.instance_type is None):
            raise ValueError("give either machines (a dedicated group) or instance_type (public), and not both")
        if self.machines is not None and self.max_price_usd_per_hour is not None:
            raise ValueError("max_price_usd_per_hour is for spot machines of the public pool, and machines is a group")
        return self


class MixSettings(Settings):
    """A virtual resource group: several places under one name, of which the first one that has room is taken."""

    group_name: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = Field(
        default=None, description="By default MIX_STACK."
    )
    sources: list[MixSourceSettings] = Field(min_length=1, description="The first one is tried first.")
    protected_hour: bool = Field(default=True, description="Spot machines are not taken away in their first hour.")
    adopt: bool = Field(default=False, description="Take over a virtual group of that name that is there already.")

    def types(self, machines: Mapping[str, MachineGroupSettings]) -> list[str]:
        """The types of machines that it may give, each once."""
        found: list[str] = []
        for source in self.sources:
            if source.instance_type is not None:
                found.append(source.instance_type)
            elif source.machines is not None and source.machines in machines:
                found += machines[source.machines].types
        return list(dict.fromkeys(found))


class GatewaySettings(Settings):
    """A gateway that only this account's services are called through."""

    gateway_name: Annotated[str, StringConstraints(min_length=1, max_length=128)] | None = Field(
        default=None, description="By default GATEWAY_STACK."
    )
    size: Literal["2c4g", "4c8g", "8c16g", "16c32g"] = Field(description="Processors and GiB of each node.")
    nodes: int = Field(default=2, ge=1, le=100, description="With two, one may fail.")
    internet: bool = Field(default=True, description="Whether services are called from the internet.")
    intranet: bool = Field(default=True, description="Whether services are called from within Alibaba Cloud.")
    subscription: SubscriptionSettings | None = None
    adopt: bool = Field(default=False, description="Take over a gateway of that name that is there already.")
    timeout_min: int = Field(default=30, ge=1, le=240, description="How long `pulumi up` waits for it.")

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not (self.internet or self.intranet):
            raise ValueError("internet and intranet are both off, so that no service could be called through it")
        return self


class SpotMachinesSettings(Settings):
    """Machines of the public pool that are cheaper, and may be taken away."""

    max_price_usd_per_hour: float = Field(gt=0, description="More is not paid: then the fall-back is used.")
    instance_types: list[MachineType] | None = Field(
        default=None, min_length=1, description="Tried in this order; by default the service's instance_type."
    )
    fallback: list[MachineType] | None = Field(
        default=None, min_length=1, description="Without spot, in this order; by default the service's instance_type."
    )
    most: CountOrPercent | None = Field(
        default=None, description="So many replicas of each spot type at most; 80% leaves a fifth to the fall-back."
    )
    protected_hour: bool = Field(
        default=True, description="Not taken away in its first hour; about a tenth of the full price more."
    )
    return_to_spot: bool = Field(default=True, description="Leave the fall-back as soon as there is spot again.")

    @model_validator(mode="after")
    def _uses_spot(self) -> Self:
        if self.most in (0, "0%"):
            raise ValueError("most is 0, so that no replica would be spot; raise it, or leave spot out")
        return self


class OverflowSettings(Settings):
    """Where replicas go that have no room in the dedicated group: pay-as-you-go machines of the public pool."""

    instance_types: list[MachineType] | None = Field(
        default=None, min_length=1, description="Tried in this order; by default the service's instance_type."
    )
    move_back: bool = Field(default=True, description="Leave the public pool as soon as the group has room again.")


class SharedGpuSettings(Settings):
    """A part of one GPU for each replica. Memory is not strictly kept apart between those that share it."""

    memory_gib: int = Field(ge=1, le=1000)
    core_percent: int | None = Field(default=None, ge=1, le=100, description="Of the GPU's computing power.")


class SizeSettings(Settings):
    """What a replica takes of a machine of the group."""

    cpu: int = Field(ge=1, le=1000, description="Processors.")
    memory_mib: int = Field(ge=1, le=10_000_000)
    gpus: int = Field(default=0, ge=0, le=16, description="Whole GPUs; see shared_gpu for parts.")


class BillingSettings(Settings):
    """Without any of these, a service runs on pay-as-you-go machines of the public pool."""

    machines: Name | None = Field(default=None, description="Key in paistack:machines of the group that it runs in.")
    mix: Name | None = Field(default=None, description="Key in paistack:mixes, in place of machines.")
    size: SizeSettings | None = Field(default=None, description="With machines or mix: a replica's share of one.")
    overflow: OverflowSettings | None = Field(default=None, description="With machines: when there is no room.")
    shared_gpu: SharedGpuSettings | None = Field(default=None, description="With machines or mix: a part of a GPU.")
    spot: SpotMachinesSettings | None = Field(default=None, description="Without machines and mix.")
    price_cny_per_replica_hour: float | None = Field(
        default=None, gt=0, description="As your bill has it, for the metric cost_cny_per_day: EAS publishes no prices."
    )


def default_group_name(name: str, stack: str) -> str:
    """No longer than EAS allows."""
    return short_name(name, stack, _LONGEST_GROUP_NAME)


def billing_problems(billing: BillingSettings, instance_type: str) -> Iterator[Problem]:
    """What does not go together in the billing of a service; paths begin at it."""
    if billing.machines is not None and billing.mix is not None:
        yield Problem(("mix",), "a service runs in one place, and machines names one already; keep one of them")
    elif (group := billing.machines or billing.mix) is not None:
        yield from _problems_in_group(billing, group, instance_type)
    else:
        for name in ("size", "overflow", "shared_gpu"):
            if getattr(billing, name) is not None:
                yield Problem((name,), _NEEDS_MACHINES[name])
    for where, types in (
        (("spot", "instance_types"), billing.spot and billing.spot.instance_types),
        (("spot", "fallback"), billing.spot and billing.spot.fallback),
        (("overflow", "instance_types"), billing.overflow and billing.overflow.instance_types),
    ):
        yield from _type_problems(where, types or [], instance_type)


_NEEDS_MACHINES = {
    "size": "a replica has a whole machine of the public pool; leave it out, or name a group in machines",
    "overflow": "replicas overflow out of a dedicated group, and there is none; name one in machines",
    "shared_gpu": "EAS shares GPUs in dedicated groups only; name one in machines",
}


def _problems_in_group(billing: BillingSettings, group: str, instance_type: str) -> Iterator[Problem]:
    if billing.size is None:
        message = "give size beside it: in a group, EAS has to know how much of a machine a replica takes"
        yield Problem(("machines" if billing.machines else "mix",), message)
    if billing.spot is not None:
        message = f"spot machines are of the public pool, and the service runs in {group}; keep one of them"
        yield Problem(("spot",), message)
    if billing.mix is not None and billing.overflow is not None:
        yield Problem(("overflow",), f"{group} says itself where replicas go next; add it to its sources")
    if not has_gpu(instance_type):
        if billing.shared_gpu is not None:
            yield Problem(("shared_gpu",), f"{instance_type} has no GPU; leave it out, or take another machine")
        if billing.size is not None and billing.size.gpus:
            yield Problem(("size", "gpus"), f"{instance_type} has no GPU; leave it out, or take another machine")
    elif billing.shared_gpu is not None and billing.size is not None and billing.size.gpus:
        message = "EAS gives whole GPUs then, and ignores shared_gpu; keep one of them"
        yield Problem(("size", "gpus"), message)


def _type_problems(where: tuple[str, ...], types: list[str], instance_type: str) -> Iterator[Problem]:
    if twice := next((each for each in types if types.count(each) > 1), None):
        yield Problem(where, f"{twice} is there twice; the first one counts")
    for each in types:
        if has_gpu(each) != has_gpu(instance_type):
            has, has_not = (instance_type, each) if has_gpu(instance_type) else (each, instance_type)
            yield Problem(where, f"{has} has a GPU and {has_not} has none; replicas of one service need the same")
            return


def place_problems(
    machines: Mapping[str, MachineGroupSettings],
    mixes: Mapping[str, MixSettings],
    gateways: Mapping[str, GatewaySettings],
    services: "Mapping[str, EasServiceSettings]",
) -> Iterator[Problem]:
    """What is wrong between services and where they run, by paths from the top of the stack's settings."""
    for name, service in services.items():
        if service.gateway is not None and service.gateway not in gateways:
            yield Problem(("services", name, "gateway"), _unknown("gateway", service.gateway, gateways))
        if (pool := service.billing.machines) is not None:
            types = machines[pool].types if pool in machines else None
            yield from _place_of_service_problems(name, service, "machines", pool, types, machines)
        elif (mix := service.billing.mix) is not None:
            types = mixes[mix].types(machines) if mix in mixes else None
            yield from _place_of_service_problems(name, service, "mix", mix, types, mixes)
    for name, settings in mixes.items():
        yield from _source_problems(name, settings, machines)


def _place_of_service_problems(
    name: str, service: "EasServiceSettings", what: str, key: str, types: list[str] | None, there: Iterable[str]
) -> Iterator[Problem]:
    if types is None:
        yield Problem(("services", name, "billing", what), _unknown(_PLACES[what], key, there))
    elif types and service.instance_type not in types:
        message = f"its replicas run in {key}, whose machines are {', '.join(types)}; name one of those"
        yield Problem(("services", name, "instance_type"), message)


def _source_problems(name: str, mix: MixSettings, machines: Mapping[str, MachineGroupSettings]) -> Iterator[Problem]:
    for number, source in enumerate(mix.sources):
        path = ("mixes", name, "sources", number)
        if source.machines is not None and source.machines not in machines:
            yield Problem((*path, "machines"), _unknown(_PLACES["machines"], source.machines, machines))
        if source.is_never_full and number < len(mix.sources) - 1:
            yield Problem(path, "pay-as-you-go is never full, so that what stands after it is never used; put it last")


_PLACES = {"machines": "group of machines", "mix": "mix"}


def _unknown(what: str, key: str, there: Iterable[str]) -> str:
    if close := difflib.get_close_matches(key, there, n=1):
        return f"there is no such {what}; did you mean {close[0]}?"
    return f"there is no such {what}; there are {', '.join(there) or 'none'}"


def computing(billing: BillingSettings, instance_type: str) -> dict[str, Any] | None:
    """`cloud.computing` of the service's JSON: which machines of the public pool are tried, in which order."""
    if billing.machines is not None or billing.mix is not None:
        if billing.overflow is None:
            return None
        return {"instances": [{"type": each} for each in billing.overflow.instance_types or [instance_type]]}
    if (spot := billing.spot) is None:
        return {"instance_type": instance_type}
    bounded = {"capacity": spot.most} if spot.most is not None else {}
    cheap = [
        {"type": each, "spot_price_limit": spot.max_price_usd_per_hour, **bounded}
        for each in spot.instance_types or [instance_type]
    ]
    regular = [{"type": each} for each in spot.fallback or [instance_type]]
    return {"instances": [*cheap, *regular], "disable_spot_protection_period": not spot.protected_hour}


def placement(billing: BillingSettings, resource_id: "Input[str] | None") -> dict[str, Any]:
    """What `metadata` of the service's JSON says about where replicas run; `resource_id` is the group's."""
    if billing.machines is None and billing.mix is None:
        return {"resource_rebalancing": True} if billing.spot is not None and billing.spot.return_to_spot else {}
    return {"resource": resource_id, **_share(billing), **_burst(billing.overflow)}


def _share(billing: BillingSettings) -> dict[str, Any]:
    size, shared = billing.size, billing.shared_gpu
    optional = {
        "gpu": (size.gpus or None) if size else None,
        "gpu_memory": shared.memory_gib if shared else None,
        "gpu_core_percentage": shared.core_percent if shared else None,
    }
    whole = {"cpu": size.cpu, "memory": size.memory_mib} if size else {}
    return whole | {name: value for name, value in optional.items() if value is not None}


def _burst(overflow: OverflowSettings | None) -> dict[str, Any]:
    if overflow is None:
        return {}
    return {"resource_burstable": True} | ({"resource_rebalancing": True} if overflow.move_back else {})
