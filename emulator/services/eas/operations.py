"""All emulated operations of EAS: importing this module registers them at `eas` and `eas_tags`."""

from emulator.services.eas import (
    endpoints,
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
from emulator.services.eas.labels import eas_tags
from emulator.services.eas.product import eas
from emulator.services.eas.scaling import autoscalers, cronscalers
from emulator.services.eas.traffic import groups, mirrors, release

MODULES = (
    autoscalers, cronscalers, endpoints, groups, instances, labels, lifecycle, listing, locks, logs, mirrors, release,
    rollouts, services, versions,
)  # fmt: skip

__all__ = ["MODULES", "eas", "eas_tags"]
