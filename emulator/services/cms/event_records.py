"""What CloudMonitor remembers of system events, and of the rules that tell of them."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

EventLevel = Literal["CRITICAL", "WARN", "INFO"]


class SystemEvent(BaseModel):
    """Something that a product reports. `kind` is the type that rules name; `content` is JSON, or a plain text."""

    id: str
    time: datetime
    product: str
    kind: str
    name: str
    level: EventLevel
    status: str
    region: str
    resource_id: str
    instance_name: str
    content: str


class EventPattern(BaseModel):
    """Which events a rule is about. An empty list, like `*`, is any; the filters are empty when there are none."""

    product: str
    kinds: list[str]
    levels: list[str]
    names: list[str]
    statuses: list[str]
    sql_filter: str
    keyword: str


class ContactTarget(BaseModel):
    """A group of contacts, reached by the channels of `level`: 2, 3 or 4."""

    id: str
    group: str
    level: Literal["2", "3", "4"]


class WebhookTarget(BaseModel):
    id: str
    url: str


class EventRule(BaseModel):
    name: str
    description: str
    patterns: list[EventPattern]
    silence_s: int
    enabled: bool
    contacts: list[ContactTarget] = []
    webhooks: list[WebhookTarget] = []


class ToldEvent(BaseModel):
    """When a rule last told of a name's events at a resource."""

    time: datetime
