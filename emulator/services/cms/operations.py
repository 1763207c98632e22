"""All emulated operations of CloudMonitor: importing this module registers them at `cms`."""

from emulator.services.cms import (
    alarm_history,
    alarm_rules,
    alarm_targets,
    contact_groups,
    contacts,
    custom_metrics,
    custom_rules,
    event_rules,
    event_targets,
    metric_data,
    metric_meta,
    system_events,
)

MODULES = (
    alarm_history,
    alarm_rules,
    alarm_targets,
    contact_groups,
    contacts,
    custom_metrics,
    custom_rules,
    event_rules,
    event_targets,
    metric_data,
    metric_meta,
    system_events,
)

__all__ = ["MODULES"]
