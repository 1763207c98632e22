"""Which machine a new instance goes to."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from emulator.services.eas.config.parsing import parse_config
from emulator.services.eas.config.service import ComputingInstance, ServiceConfig
from emulator.services.eas.records import Instance, Service
from emulator.services.eas.resources.machines import MACHINES
from emulator.services.eas.resources.records import ResourceMachine

if TYPE_CHECKING:
    from emulator.services.eas.state import EasState

DEDICATED = "dedicated_resource"  # stands for the service's resource group among `cloud.computing.instances`


class Need(NamedTuple):
    """What an instance takes of a machine, or what a machine has left."""

    cpu: float
    memory_mib: float
    gpus: float

    def missing(self, room: "Need") -> str:
        """What `room` has too little of, or nothing."""
        names = ("cpu", "memory", "gpu")
        return ", ".join(name for name, need, has in zip(names, self, room, strict=True) if need > has)

    def __sub__(self, other: "Need") -> "Need":
        return Need(self.cpu - other.cpu, self.memory_mib - other.memory_mib, self.gpus - other.gpus)


class Placement(NamedTuple):
    """Where an instance runs: `host` is a machine of the resource group `resource`; both are empty in the public
    group."""

    resource: str = ""
    host: str = ""
    machine_type: str = ""
    spot: bool = False


class Room(NamedTuple):
    machine: ResourceMachine
    left: Need
    ready: bool


def check_resource(state: "EasState", region: str, config: ServiceConfig) -> None:
    """ApiError when the service JSON names a resource group that is not there."""
    resource = config.metadata.resource
    if resource is not None and state.virtual_groups.get(f"{region}/{resource}") is None:
        state.find_resource_group(region, resource)


def need_of(config: ServiceConfig, machine_type: str = "") -> Need:
    """One processor and no more, where the service does not say.

    Of a shared GPU it is the larger part of what `gpu_memory` (GiB) and `gpu_core_percentage` take of one on that type
    of machine: "both requirements must be met". "Setting gpu to 1 allocates the entire GPU", and the two are ignored
    ("GPU slicing" of the EAS user guide). That a part has to fit on a single one of several GPUs is not looked at.
    """
    metadata = config.metadata
    gpus: float = metadata.gpu or 0
    if not gpus and (metadata.gpu_memory or metadata.gpu_core_percentage):
        of_one = MACHINES[machine_type].gpu_memory_gib if machine_type in MACHINES else 0
        by_memory = (metadata.gpu_memory or 0) / of_one if of_one else float(bool(metadata.gpu_memory))
        gpus = max(by_memory, (metadata.gpu_core_percentage or 0) / 100)
    return Need(metadata.cpu or 1, metadata.memory or 0, gpus)


def capacity(machine_type: str) -> Need:
    """All of a machine; what its own system needs is not taken off, which the vendor does not document."""
    machine = MACHINES[machine_type]
    return Need(machine.cpu, machine.memory_gib * 1024, machine.gpus)


def rooms(state: "EasState", region: str, group: str) -> list[Room]:
    """The machines of a group with what is left on them."""
    used: dict[str, Need] = {}
    for key, instance in state.instances.items(f"{region}/"):
        if instance.resource == group and instance.host:
            service = state.services.get(key.rpartition("/")[0])
            before = used.get(instance.host, Need(0, 0, 0))
            config = parse_config(service.config) if service is not None else None
            taken = need_of(config, instance.machine_type) if config is not None else Need(0, 0, 0)
            used[instance.host] = Need(*(sum(pair) for pair in zip(before, taken, strict=True)))
    machines = state.machines.values(f"{region}/{group}/")
    return [
        Room(machine, capacity(machine.type) - used.get(machine.id, Need(0, 0, 0)), machine.ready_at <= state.now())
        for machine in machines
    ]


def fit(config: ServiceConfig, places: Sequence[Room]) -> ResourceMachine | str:
    """The machine with the least room that is enough, or why there is none, in Kubernetes' words."""
    problems = [_problem(need_of(config, room.machine.type), room) for room in places]
    fitting = [room for room, problem in zip(places, problems, strict=True) if not problem]
    if fitting:
        return min(fitting, key=lambda room: (room.left, room.machine.id)).machine
    counts = sorted(Counter(problems).items())
    return f"0/{len(places)} machines are available: " + "; ".join(f"{count} {problem}" for problem, count in counts)


def _problem(need: Need, room: Room) -> str:
    if not room.ready:
        return "not ready"
    if room.machine.cordoned:
        return "cordoned"
    missing = need.missing(room.left)
    return f"insufficient {missing}" if missing else ""


def place(state: "EasState", service: Service, config: ServiceConfig) -> Placement | str:
    """Where a new instance of the service goes, or why it has to wait.

    In its dedicated group as long as there is room, and with `metadata.resource_burstable` beyond it in the public
    group ("elastic resource pool" of "JSON deployment"); in a virtual group by the priorities of its sources; else in
    the public group, by the first entry of `cloud.computing.instances` whose `capacity` is not reached.
    """
    resource = config.metadata.resource
    if resource is None:
        return _public(state, service, config, config.cloud.computing.instances or [])
    if (virtual := state.virtual_groups.get(f"{service.region}/{resource}")) is not None:
        problems = []
        for source in sorted(virtual.sources, key=lambda source: -source.priority):
            if source.resource_id is None:
                return Placement(machine_type=source.instance_type or "", spot=source.spot_price_limit is not None)
            found = _dedicated(state, service, config, source.resource_id)
            if isinstance(found, Placement):
                return found
            problems.append(found)
        return "; ".join(problems)
    found = _dedicated(state, service, config, resource)
    if isinstance(found, str) and config.metadata.resource_burstable:
        kinds = [kind for kind in config.cloud.computing.instances or [] if kind.type != DEDICATED]
        return _public(state, service, config, kinds)
    return found


def _dedicated(state: "EasState", service: Service, config: ServiceConfig, group: str) -> Placement | str:
    found = fit(config, rooms(state, service.region, group))
    return found if isinstance(found, str) else Placement(group, found.id, found.type)


def _public(
    state: "EasState", service: Service, config: ServiceConfig, kinds: Sequence[ComputingInstance]
) -> Placement | str:
    if not kinds:
        return Placement(machine_type=config.instance_type)
    present = Counter(
        (instance.machine_type, instance.spot)
        for instance in state.instances.values(f"{service.key}/")
        if not instance.resource and instance.status != "Terminating" and not instance.leaving
    )
    for kind in kinds:
        spot = kind.spot_price_limit is not None
        if present[kind.type, spot] < _most(kind, service):
            return Placement(machine_type=kind.type, spot=spot)
    return "The capacity of every entry of cloud.computing.instances is reached"


def _most(kind: ComputingInstance, service: Service) -> float:
    if kind.capacity is None:
        return float("inf")
    if isinstance(kind.capacity, int):
        return kind.capacity
    return int(kind.capacity.removesuffix("%")) * service.replicas / 100


def instances_on(state: "EasState", region: str, machine: str) -> list[tuple[str, Instance]]:
    """The instances on a machine, by their keys in the store."""
    return [(key, each) for key, each in state.instances.items(f"{region}/") if each.host == machine]
