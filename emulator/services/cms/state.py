"""What CloudMonitor remembers."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from emulator.errors import ApiError
from emulator.services.cms.event_records import EventRule, SystemEvent, ToldEvent
from emulator.services.cms.points import Points
from emulator.store import Journal, Store

# So many entries are kept; the oldest are forgotten.
KEPT_ALARMS = 10_000
KEPT_EVENTS = 10_000
KEPT_MESSAGES = 1_000

Level = Literal["Critical", "Warn", "Info"]
NoDataPolicy = Literal["KEEP_LAST_STATE", "INSUFFICIENT_DATA", "OK"]


class Contact(BaseModel):
    """A person. `channels` are addresses by `Mail`, `SMS`, `DingWebHook`, `AliIM`.

    `activated` names the channels through which the person is really reached: mail and SMS only after a click.
    """

    name: str
    description: str
    language: str | None
    channels: dict[str, str]
    activated: list[str]
    created: datetime
    updated: datetime


class ContactGroup(BaseModel):
    name: str
    description: str
    contacts: list[str]
    subscribed: bool
    created: datetime
    updated: datetime


class Escalation(BaseModel):
    """One level's condition: the statistic of `times` periods one after another compares so with the threshold."""

    statistics: str
    comparison: str
    threshold: str
    times: int


class Expression(BaseModel):
    """One metric's condition within a composite one."""

    metric: str
    statistics: str
    comparison: str
    threshold: str
    period_s: int


class Composite(BaseModel):
    """A condition on several metrics, as a list that is joined or as one text in CloudMonitor's own language."""

    level: Literal["CRITICAL", "WARN", "INFO"]
    times: int
    expressions: list[Expression]
    join: Literal["&&", "||"] | None
    raw: str | None


class Target(BaseModel):
    """Where an alarm goes besides its contacts."""

    id: str
    arn: str
    level: str | None
    json_params: str | None


class AlarmRule(BaseModel):
    """A threshold on a metric. `resources` is the JSON text that the rule came with; times of day are in `HH:MM`."""

    id: str
    name: str
    namespace: str
    metric: str
    resources: str
    period_s: int
    contact_groups: list[str]
    silence_s: int
    effective_interval: str
    no_effective_interval: str
    no_data_policy: NoDataPolicy
    email_subject: str
    webhook: str
    send_ok: bool
    labels: dict[str, str]
    escalations: dict[Level, Escalation]
    composite: Composite | None
    enabled: bool
    alert_state: Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
    created: datetime
    updated: datetime
    targets: list[Target]

    @property
    def dimensions(self) -> list[dict[str, str]]:
        """The resources that the rule watches; none named means all of them."""
        return [_dimensions(one) for one in json.loads(self.resources)] if self.resources else []


def _dimensions(resource: dict[str, Any]) -> dict[str, str]:
    """Rules on custom metrics have a series as `{"groupId": 0, "dimension": "name=value&name=value"}`."""
    if "dimension" not in resource:
        return resource
    named = dict(part.split("=", 1) for part in resource["dimension"].split("&"))
    return {"groupId": str(resource["groupId"]), **named}


class ResourceState(BaseModel):
    """Where one resource of a rule stands.

    `streaks` counts periods in a row in which a level's condition held, `missing` those without data. `notified` says
    when each level was last sent, and `announced` whether anybody was told of the present alarm.
    """

    rule_id: str
    dimensions: dict[str, str]
    state: Literal["OK", "ALARM", "INSUFFICIENT_DATA"] = "OK"
    level: Level | None = None
    since: datetime | None = None
    streaks: dict[Level, int] = {}
    missing: int = 0
    notified: dict[Level, datetime] = {}
    announced: bool = False


class LoggedAlarm(BaseModel):
    """One entry of the alert history: an alarm begins, changes its level, is sent again, or ends.

    `level` is the alarm's, also when it ends; `targets` are the addresses that were told, by channel, and `contacts`
    the people behind them.
    """

    id: str
    time: datetime
    since: datetime | None
    rule_id: str
    rule_name: str
    namespace: str
    metric: str
    dimensions: dict[str, str]
    contact_groups: list[str]
    event: Literal["TRIGGERED", "RESOLVED"]
    state: Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
    level: Level
    before: Level | None
    expression: str
    times: int
    value: float | None
    send_status: int
    targets: dict[str, list[str]]
    contacts: list[str]
    webhook: str


class Message(BaseModel):
    """Something that the cloud would have sent to `address`; of a webhook also what became of it."""

    time: datetime
    channel: Literal["MAIL", "SMS", "ONCALL", "DING", "ALIIM", "WEBHOOK"]
    address: str
    contact: str
    subject: str
    text: str
    result: str = ""


class CmsState:
    def __init__(self, store: Store, now: Callable[[], datetime], *, account_id: str) -> None:
        self.store, self.now, self.account_id = store, now, account_id
        self.points = Points(store.connection)
        self.contacts = store.collection("cms.contacts", Contact)
        self.groups = store.collection("cms.contact_groups", ContactGroup)
        self.rules = store.collection("cms.alarm_rules", AlarmRule)
        self.alarm_states = store.collection("cms.alarm_states", ResourceState)
        self.alarms = Journal(store, "cms.alert_log", LoggedAlarm, KEPT_ALARMS)
        self.outbox = Journal(store, "cms.outbox", Message, KEPT_MESSAGES)
        self.event_rules = store.collection("cms.event_rules", EventRule)
        self.told_events = store.collection("cms.told_events", ToldEvent)
        self.system_events = Journal(store, "cms.system_events", SystemEvent, KEPT_EVENTS)

    def rule(self, rule_id: str) -> AlarmRule:
        if rule := self.rules.get(rule_id):
            return rule
        raise ApiError("ResourceNotFound", f"The alarm rule does not exist: {rule_id}.", 404)

    def event_rule(self, name: str) -> EventRule:
        if rule := self.event_rules.get(name):
            return rule
        raise ApiError("ResourceNotFound", f"The event rule does not exist: {name}.", 404)

    def groups_of(self, contact: str) -> list[ContactGroup]:
        return [group for group in self.groups.values() if contact in group.contacts]


def in_ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
