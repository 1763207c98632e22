"""All emulated operations of EAS: importing this module registers them at `eas` and `eas_tags`."""

from emulator.services.eas import endpoints, instances, labels, lifecycle, listing, logs, services, versions
from emulator.services.eas.labels import eas_tags
from emulator.services.eas.product import eas
from emulator.services.eas.scaling import autoscalers, cronscalers

MODULES = (autoscalers, cronscalers, endpoints, instances, labels, lifecycle, listing, logs, services, versions)

__all__ = ["MODULES", "eas", "eas_tags"]
