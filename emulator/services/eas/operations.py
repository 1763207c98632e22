"""All emulated operations of EAS: importing this module registers them at `eas`."""

from emulator.services.eas import services
from emulator.services.eas.product import eas

__all__ = ["eas", "services"]
