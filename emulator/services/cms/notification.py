"""Whom an alarm reaches, and what they get. Nothing leaves this machine: messages stay in an outbox, and only webhooks
on the loopback are called."""

import asyncio
import ipaddress
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

from emulator.clock import iso
from emulator.services.cms.alarms import CHANNELS, GRADES, SENT, Happening
from emulator.services.cms.state import AlarmRule, CmsState, Contact, Level, LoggedAlarm, Message, in_ms
from emulator.services.eas.dataplane import background

# "If an alert callback fails, CloudMonitor retries up to three times. The timeout period of each callback request is
# 5 seconds" ("Use the alert callback feature to send notifications about threshold-triggered alerts").
TRIES = 4
TIMEOUT_S = 5.0

Channel = Literal["MAIL", "SMS", "ONCALL", "DING", "ALIIM"]
# Each channel, with the address of a contact that it needs. Phone calls go to the number that gets text messages.
_ADDRESSES: dict[Channel, str] = {
    "ONCALL": "SMS", "SMS": "SMS", "MAIL": "Mail", "DING": "DingWebHook", "ALIIM": "AliIM",
}  # fmt: skip
_CALLBACK_STATES = {"OK": "OK", "ALARM": "ALERT", "INSUFFICIENT_DATA": "INSUFFICIENT_DATA"}


class Notifier:
    """Tells people and programs of alarms."""

    def __init__(self, state: CmsState) -> None:
        self._state = state
        self._calls: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """Gives up callbacks that are under way."""
        for call in self._calls:
            call.cancel()
        if self._calls:
            await asyncio.wait(self._calls)

    def tell(
        self,
        rule: AlarmRule,
        dimensions: dict[str, str],
        happening: Happening,
        expression: str,
        value: float | None,
        since: datetime | None,
        now: datetime,
    ) -> None:
        """Writes the alert history, and sends unless the happening says that nothing is sent."""
        reached = self.reached(rule.contact_groups, happening.level) if happening.send_status == SENT else []
        targets: dict[str, list[str]] = {}
        for channel, address, _ in reached:
            targets.setdefault(channel, []).append(address)
        escalation = rule.escalations.get(happening.level)
        webhook = rule.webhook if happening.send_status == SENT else ""
        entry = LoggedAlarm(
            id=f"{in_ms(now)}-{rule.id}",
            time=now,
            since=since,
            rule_id=rule.id,
            rule_name=rule.name,
            namespace=rule.namespace,
            metric=rule.metric,
            dimensions=dimensions,
            contact_groups=rule.contact_groups,
            event=happening.event,
            state=happening.state,
            level=happening.level,
            before=happening.before,
            expression=expression,
            times=escalation.times if escalation else rule.composite.times if rule.composite else 0,
            value=value,
            send_status=happening.send_status,
            targets=targets,
            contacts=sorted({contact for _, _, contact in reached}),
            webhook=webhook,
        )
        self._state.alarms.add(entry)
        subject = rule.email_subject or _subject(entry)
        for channel, address, contact in reached:
            message = Message(
                time=now, channel=channel, address=address, contact=contact, subject=subject, text=_text(entry)
            )
            self._state.outbox.add(message)
        if webhook:
            body = urlencode(_callback(self._state.account_id, entry))
            self.call(webhook, body, "application/x-www-form-urlencoded", subject, now)

    def reached(self, groups: list[str], level: Level) -> list[tuple[Channel, str, str]]:
        """Channel, address and contact: each address once, of activated channels that the level uses."""
        names = {name for group in map(self._state.groups.get, groups) if group for name in group.contacts}
        contacts = [contact for name in sorted(names) if (contact := self._state.contacts.get(name)) is not None]
        found = [
            (channel, contact.channels[address], contact.name)
            for contact in contacts
            for channel, address in _ADDRESSES.items()
            if channel in (*CHANNELS[level], "ALIIM") and address in contact.activated
        ]
        return list({(channel, address): (channel, address, name) for channel, address, name in found}.values())

    def call(self, url: str, body: str, content_type: str, subject: str, now: datetime) -> None:
        """Sends `body` to a webhook, and keeps what becomes of it."""
        message = Message(time=now, channel="WEBHOOK", address=url, contact="", subject=subject, text=body)
        if not is_loopback(url):
            self._state.outbox.add(message.model_copy(update={"result": "not called: not on the loopback"}))
            return
        key = self._state.outbox.add(message.model_copy(update={"result": "under way"}))
        task = background.start(self._called(content_type, key, message), f"callback to {url}")
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def _called(self, content_type: str, key: str, message: Message) -> None:
        import httpx  # takes longer to load than the rest of the emulator: only who has callbacks waits for it

        result = ""
        url, headers = message.address, {"Content-Type": content_type}
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            for _ in range(TRIES):
                try:
                    answer = await client.post(url, content=message.text, headers=headers)
                    result = f"status {answer.status_code}"
                    if answer.is_success:
                        break
                except httpx.HTTPError as error:
                    result = f"failed: {error or type(error).__name__}"
        with self._state.store.transaction():
            self._state.outbox.replace(key, message.model_copy(update={"result": result}))


def is_loopback(url: str) -> bool:
    """Whether an address is on this machine, without asking anybody for a name."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def activation_messages(contact: Contact, before: Contact | None, now: datetime) -> list[Message]:
    """What a new address gets: a link that a person has to follow before anything else is sent there."""
    channels: dict[str, Literal["MAIL", "SMS"]] = {"Mail": "MAIL", "SMS": "SMS"}
    text = f"{contact.name} was made a contact of CloudMonitor; nothing is sent here before you agree."
    return [
        Message(
            time=now,
            channel=channel,
            address=contact.channels[name],
            contact=contact.name,
            subject="Activate your address",
            text=text,
        )
        for name, channel in channels.items()
        if name in contact.channels and name not in contact.activated
        if before is None or before.channels.get(name) != contact.channels[name]
    ]


def _subject(entry: LoggedAlarm) -> str:
    what = "recovered" if entry.state == "OK" else entry.level
    return f"[{what}] {entry.rule_name}"


def _text(entry: LoggedAlarm) -> str:
    resource = ", ".join(f"{name}={value}" for name, value in entry.dimensions.items())
    if entry.state == "INSUFFICIENT_DATA":
        return f"{entry.rule_name}: Insufficient data of {entry.metric} for {resource}"
    value = "no value" if entry.value is None else f"{entry.value:g}"
    return f"{entry.rule_name}: {entry.metric} is {value} for {resource} ({entry.expression}, {entry.times} times)"


def _callback(account_id: str, entry: LoggedAlarm) -> dict[str, str]:
    """The parameters of the callback, sent as a form ("Use the alert callback feature …")."""
    grade = GRADES[entry.level]
    before = GRADES[entry.before] if entry.before else "OK"
    values: dict[str, Any] = {
        "alertName": entry.rule_name,
        "alertState": _CALLBACK_STATES[entry.state],
        "curValue": "" if entry.value is None else f"{entry.value:g}",
        "dimensions": f"{{{', '.join(f'{name}={value}' for name, value in entry.dimensions.items())}}}",
        "expression": entry.expression,
        "instanceName": entry.dimensions.get("serviceName", ""),
        "metricName": entry.metric,
        "metricProject": entry.namespace,
        "namespace": entry.namespace,
        "preTriggerLevel": before,
        "triggerLevel": "OK" if entry.state == "OK" else grade,
        "rawMetricName": entry.metric,
        "regionId": entry.dimensions.get("regionId", ""),
        "ruleId": entry.rule_id,
        "timestamp": in_ms(entry.time),
        "time": iso(entry.time),
        "userId": account_id,
    }
    return {name: str(value) for name, value in values.items()}
