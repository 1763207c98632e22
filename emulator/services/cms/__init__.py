"""CloudMonitor: contacts, their groups, and alarm rules. Rules are kept, not evaluated."""

from emulator.services.cms import alarm_rules, alarm_targets, contact_groups, contacts
from emulator.services.cms.service import cms

__all__ = ["alarm_rules", "alarm_targets", "cms", "contact_groups", "contacts"]
