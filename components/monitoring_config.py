"""What the monitoring of a whole stack and the alarms of its services must agree on."""

from collections.abc import Iterator, Mapping

from components.alarm_config import MonitoringSettings
from components.eas_config import EasServiceSettings
from components.settings import Problem


def contact_problems(monitoring: MonitoringSettings, services: Mapping[str, EasServiceSettings]) -> Iterator[Problem]:
    """Alarms that would reach nobody, by paths from the top of the stack's settings."""
    there = ", ".join(monitoring.contacts)
    for key, service in services.items():
        alarms = service.alarms
        if not monitoring.contacts and alarms.enabled and alarms.model_fields_set - {"enabled"}:
            yield Problem(("services", key, "alarms"), "nobody would be told; add people to monitoring.contacts")
        for name in alarms.contacts or () if monitoring.contacts else ():
            if name not in monitoring.contacts:
                yield Problem(
                    ("services", key, "alarms", "contacts"),
                    f"there is no contact {name!r} in monitoring.contacts; there are {there}",
                )


def watched_services(
    monitoring: MonitoringSettings, services: Mapping[str, EasServiceSettings]
) -> dict[str, EasServiceSettings]:
    """The services that have alarms."""
    return {key: service for key, service in services.items() if monitoring.contacts and service.alarms.enabled}
