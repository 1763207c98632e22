"""CloudMonitor: contacts, their groups, metrics, and alarms that rules make of them."""
