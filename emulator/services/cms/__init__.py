<<<<<<< HEAD
"""CloudMonitor: contacts, their groups, and alarm rules. Rules are kept, not evaluated."""
=======
"""CloudMonitor: contacts, their groups, metrics, and alarms that rules make of them."""

from emulator.services.cms import (
    alarm_history,
    alarm_rules,
    alarm_targets,
    contact_groups,
    contacts,
    custom_metrics,
    metric_data,
    metric_meta,
)
from emulator.services.cms.service import cms

__all__ = [
    "alarm_history",
    "alarm_rules",
    "alarm_targets",
    "cms",
    "contact_groups",
    "contacts",
    "custom_metrics",
    "metric_data",
    "metric_meta",
]
>>>>>>> 9406f9a (The emulator measures its services, and CloudMonitor's rules are evaluated on that)
