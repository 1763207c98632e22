"""What the autoscaler measures: requests a second at the gateway, processor time of the instances' processes."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

import psutil

from emulator.services.eas.config.parsing import parse_config
from emulator.services.eas.records import Instance, Service, ServiceKey
from emulator.services.eas.resources.machines import MACHINES
from emulator.services.eas.scaling.records import Strategy

if TYPE_CHECKING:
    from emulator.services.eas.dataplane.routes import Route
    from emulator.services.eas.state import EasState

# The metrics of CreateServiceAutoScaler. `gpu` is how the service JSON's examples write `gpu[util]`.
METRICS = ("qps", "cpu", "gpu[util]", "gpu")
# Requests are counted over this time, in real seconds: load is real, however the clock is moved.
WINDOW_S = 3.0
# What the gateway answers when no instance can take a request in time: none is there, all are busy, a queue is full.
OVERLOADED = frozenset({408, 450, 503})


class Usage(NamedTuple):
    """Processor seconds that an instance's processes had used at `time`."""

    time: float
    cpu_s: float


class LoadMeter:
    """Measures services; the use of processors between two calls."""

    def __init__(self, state: "EasState") -> None:
        self._state = state
        self._usages: dict[tuple[int, float], Usage] = {}
        self._loads: dict[tuple[int, float], float] = {}

    def value(self, region: str, strategy: Strategy) -> float | None:
        """The average over the instances that the strategy's service wants, an instance that is not there yet counting
        as 0; None when there is no such service or instance, or it has no such metric: there is no GPU here."""
        service = self._state.services.get(str(ServiceKey(region, strategy.service)))
        route = self._state.routes.get(ServiceKey(region, strategy.service))
        if service is None or route is None or not service.replicas:
            return None
        match strategy.metric.lower():
            case "qps":
                return requests_a_second(route) / service.replicas
            case "cpu":
                return self._cpu_percent(service) / service.replicas
        return None

    def sample(self, services: Iterable[Service]) -> None:
        """Notes how much processor time the instances of `services` have used since the last time."""
        usages: dict[tuple[int, float], Usage] = {}
        for service in services:
            for instance in self._state.instances.values(f"{service.key}/"):
                deployment = self._state.deployments.get(service.key)
                replica = deployment.replicas.get(instance.name) if deployment is not None else None
                if (usage := _usage(instance, replica.faults.pids if replica is not None else [])) is not None:
                    usages[_process(instance)] = usage
        for process, usage in usages.items():
            if (before := self._usages.get(process)) and usage.time > before.time:
                self._loads[process] = max(0.0, usage.cpu_s - before.cpu_s) / (usage.time - before.time)
        self._usages = usages
        self._loads = {process: load for process, load in self._loads.items() if process in usages}

    def _cpu_percent(self, service: Service) -> float:
        """The sum over the instances, in percent of the processors that one instance is given."""
        instances = self._state.instances.values(f"{service.key}/")
        return 100 * sum(self._loads.get(_process(instance), 0.0) for instance in instances) / processors(service)


def requests_a_second(route: "Route") -> float:
    """Requests of the last WINDOW_S that an instance answered, or that none could take: load is what is asked for."""
    since = time.time() - WINDOW_S
    count = 0
    for access in reversed(route.accesses):
        if access.time < since:
            break
        count += bool(access.instance) or access.status in OVERLOADED
    return count / WINDOW_S


def processors(service: Service) -> float:
    """How many processors an instance of the service is given."""
    config = parse_config(service.config)
    if config.metadata.cpu is not None:
        return float(config.metadata.cpu)
    machine = MACHINES.get(config.instance_type)
    return float(machine.cpu) if machine else 1.0


def _process(instance: Instance) -> tuple[int, float]:
    return instance.pid or 0, instance.process_started


def _usage(instance: Instance, others: Iterable[int]) -> Usage | None:
    """Of the instance's process, all that it started, and `others`."""
    if instance.pid is None:
        return None
    try:
        leader = psutil.Process(instance.pid)
        family = [leader, *leader.children(recursive=True), *map(psutil.Process, others)]
        used = sum(sum(process.cpu_times()[:2]) for process in family)
    except psutil.NoSuchProcess:
        return None
    return Usage(time.monotonic(), used)
