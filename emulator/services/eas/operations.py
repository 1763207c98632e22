"""All emulated operations of EAS: importing this module registers them at `eas` and `eas_tags`."""

from emulator.services.eas import (
    endpoints,
    faults,
    instances,
    labels,
    lifecycle,
    listing,
    locks,
    logs,
    rollouts,
    services,
    versions,
)
from emulator.services.eas.benchmark import operations as benchmarks
from emulator.services.eas.resources import gateways, machine_operations, specs, virtual_groups
from emulator.services.eas.resources import groups as resource_groups
from emulator.services.eas.scaling import autoscalers, cronscalers
from emulator.services.eas.traffic import groups, mirrors, release

MODULES = (
    autoscalers, benchmarks, cronscalers, endpoints, faults, gateways, groups, instances, labels, lifecycle, listing,
    locks, logs, machine_operations, mirrors, release, resource_groups, rollouts, services, specs, versions,
    virtual_groups,
)  # fmt: skip

__all__ = ["MODULES"]
