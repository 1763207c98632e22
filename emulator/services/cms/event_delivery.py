"""From what happens in EAS to system events, and from these to whom the rules tell."""

import json
import uuid
from datetime import datetime, timedelta
from typing import Any

from emulator.services.cms.alarms import ZONE
from emulator.services.cms.event_filter import matches
from emulator.services.cms.event_records import EventLevel, EventRule, SystemEvent, ToldEvent
from emulator.services.cms.notification import Notifier
from emulator.services.cms.state import CmsState, Level, Message
from emulator.services.eas.records import Event, ServiceKey
from emulator.services.eas.state import EasState

# CloudMonitor's product code of PAI, and the types of EAS's events ("View EAS events in CloudMonitor").
PRODUCT, INSTANCE = "learn", "ServiceInstance"

# By the reason in EAS: what the event is called and how grave it is. The documentation names the first four; the
# others are ours, see docs/emulator.md.
_INSTANCE_EVENTS: dict[str, tuple[str, EventLevel]] = {
    "Started": ("Running", "INFO"),
    "FailedScheduling": ("Pending", "INFO"),
    "Completed": ("Completed", "INFO"),
    "Killing": ("Terminating", "INFO"),
    "Evicting": ("Evicting", "WARN"),
    "Unhealthy": ("Unhealthy", "WARN"),
    "Error": ("Failed", "CRITICAL"),
    "FailedMount": ("Failed", "CRITICAL"),
    "FailedToStart": ("Failed", "CRITICAL"),
}
# The levels of a rule's contacts, in words of alarms.
_LEVELS: dict[str, Level] = {"2": "Critical", "3": "Warn", "4": "Info"}


class EventDelivery:
    """`heard` takes every event of EAS; what CloudMonitor has a name for is kept, and told by the rules."""

    def __init__(self, cms: CmsState, eas: EasState, notifier: Notifier) -> None:
        self._cms, self._eas, self._notifier = cms, eas, notifier

    def heard(self, key: ServiceKey, event: Event) -> None:
        reported = self._reported(key, event)
        if reported is None:
            return
        with self._cms.store.transaction():
            self._cms.system_events.add(reported)
            for rule in self._cms.event_rules.values():
                if rule.enabled and any(matches(pattern, reported) for pattern in rule.patterns):
                    self._tell(rule, reported)

    def _reported(self, key: ServiceKey, event: Event) -> SystemEvent | None:
        service = self._eas.services.get(str(key))
        instance = self._eas.instances.get(f"{key}/{event.instance}")
        if event.resource != "Pod" or event.reason not in _INSTANCE_EVENTS or service is None or instance is None:
            return None
        status, level = _INSTANCE_EVENTS[event.reason]
        content = {
            "serviceName": service.name,
            "serviceId": service.id,
            "serviceGroup": service.config["metadata"].get("group", ""),
            "resourceType": "DedicatedResource" if instance.resource else "PublicResource",
            "instanceType": instance.machine_type,
            "reason": event.reason,
            "message": event.message,
        }
        return SystemEvent(
            id=str(uuid.uuid4()).upper(),
            time=event.time,
            product=PRODUCT,
            kind=INSTANCE,
            name=f"EAS:{INSTANCE}:{status}",
            level=level,
            status=status,
            region=key.region,
            resource_id=f"acs:eas:{key.region}:{self._cms.account_id}:service/{key.name}",
            instance_name=event.instance,
            content=json.dumps(content),
        )

    def _tell(self, rule: EventRule, event: SystemEvent) -> None:
        told_as = f"{rule.name}/{event.name}/{event.resource_id}"
        last = self._cms.told_events.get(told_as)
        if last is not None and event.time - last.time < timedelta(seconds=rule.silence_s):
            return
        self._cms.told_events.put(told_as, ToldEvent(time=event.time))
        subject, text = f"[{event.level}] {rule.name}", _text(rule, event)
        reached = {
            (channel, address): contact
            for target in rule.contacts
            for channel, address, contact in self._notifier.reached([target.group], _LEVELS[target.level])
        }
        for (channel, address), contact in reached.items():
            message = Message(
                time=event.time, channel=channel, address=address, contact=contact, subject=subject, text=text
            )
            self._cms.outbox.add(message)
        body = json.dumps(_callback(self._cms.account_id, event))
        for webhook in rule.webhooks:
            self._notifier.call(webhook.url, body, "application/json", subject, event.time)


def _text(rule: EventRule, event: SystemEvent) -> str:
    content: dict[str, str] = json.loads(event.content)
    what = f"{event.name} of {event.instance_name}"
    return f"{rule.name}: {what} ({content['serviceName']}): {content['message']}"


def _callback(account_id: str, event: SystemEvent) -> dict[str, Any]:
    """ "Configure callbacks for system event-triggered alerts (old)"."""
    return {
        "traceId": event.id,
        "id": event.id,
        "ver": "1.0",
        "product": event.product,
        "name": event.name,
        "level": event.level,
        "status": event.status,
        "userId": account_id,
        "regionId": event.region,
        "resourceId": event.resource_id,
        "instanceName": event.instance_name,
        "eventTime": _stamp(event.time),
        "content": json.loads(event.content),
    }


def _stamp(moment: datetime) -> str:
    """As in the documentation of events: 20190409T121826.922+0800."""
    local = moment.astimezone(ZONE)
    return f"{local:%Y%m%dT%H%M%S}.{local.microsecond // 1000:03d}{local:%z}"
