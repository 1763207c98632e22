"""All emulated operations of CloudMonitor: importing this module registers them at `cms`."""

from emulator.services.cms import alarm_rules, alarm_targets, contact_groups, contacts

MODULES = (alarm_rules, alarm_targets, contact_groups, contacts)

__all__ = ["MODULES"]
