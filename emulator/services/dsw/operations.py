"""All emulated operations of DSW: importing this module registers them at `dsw`."""

from emulator.services.dsw import history, instances, labels, listing, metrics, shutdown, snapshots, specs

MODULES = (history, instances, labels, listing, metrics, shutdown, snapshots, specs)

__all__ = ["MODULES"]
