"""CloudMonitor: contacts, their groups, and alarm rules. Rules are kept, not evaluated."""
