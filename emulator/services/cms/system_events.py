"""What events there have been."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from emulator.operations import Answer, Parameters
from emulator.services.cms.event_records import EventLevel, SystemEvent
from emulator.services.cms.service import cms
from emulator.services.cms.state import CmsState, in_ms

_FROM_HERE_IN_MS = 1e11  # seconds of the year 5138


def _seconds(value: float) -> float:
    return value / 1000 if value >= _FROM_HERE_IN_MS else value


Seconds = Annotated[float, AfterValidator(_seconds)]


class DescribeSystemEventAttribute(Parameters):
    """Times are in seconds since 1970, as documented, or in milliseconds; there are no application groups."""

    start: Seconds | None = Field(None, alias="StartTime")
    end: Seconds | None = Field(None, alias="EndTime")
    product: str | None = Field(None, alias="Product")
    kind: str | None = Field(None, alias="EventType")
    name: str | None = Field(None, alias="Name")
    level: EventLevel | None = Field(None, alias="Level")
    status: str | None = Field(None, alias="Status")
    search: str = Field("", alias="SearchKeywords")
    page: int = Field(1, alias="PageNumber", ge=1)
    page_size: int = Field(10, alias="PageSize", ge=1, le=100)


@cms.operation("DescribeSystemEventAttribute")
def describe_system_event_attribute(state: CmsState, query: DescribeSystemEventAttribute) -> Answer:
    """Newest first. `SearchKeywords` is `a and b` or `a or b`, of parts of the content."""
    found = [
        event
        for event in reversed(state.system_events.values())
        if (query.start is None or query.start <= event.time.timestamp())
        and (query.end is None or event.time.timestamp() <= query.end)
        and query.product in (None, event.product)
        and query.kind in (None, event.kind)
        and query.name in (None, event.name)
        and query.level in (None, event.level)
        and query.status in (None, event.status)
        and _has(query.search, event.content)
    ]
    page = found[(query.page - 1) * query.page_size :][: query.page_size]
    return {
        "Success": "true",
        "Code": "200",
        "Message": "success",
        "SystemEvents": {"SystemEvent": [_answer(event) for event in page]},
    }


def _has(keywords: str, content: str) -> bool:
    return any(all(word in content for word in part.split(" and ")) for part in keywords.split(" or "))


def _answer(event: SystemEvent) -> dict[str, Any]:
    return {
        "Id": event.id,
        "Time": in_ms(event.time),
        "Product": event.product,
        "Name": event.name,
        "Level": event.level,
        "Status": event.status,
        "RegionId": event.region,
        "ResourceId": event.resource_id,
        "InstanceName": event.instance_name,
        "GroupId": "",
        "Content": event.content,
    }
