"""What instances have written, and what has happened to services and instances."""

import heapq
from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

from pydantic import Field

from emulator.clock import iso
from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.processes.output import LogLine, read_lines
from emulator.services.eas.product import SERVICE, eas
from emulator.services.eas.queries import Time, page, pages
from emulator.services.eas.records import Service
from emulator.services.eas.state import EasState

EVENTS_OF = timedelta(days=7)


class DescribeServiceLog(Parameters):
    start_time: Time | None = Field(None, alias="StartTime")
    end_time: Time | None = Field(None, alias="EndTime")
    keyword: str = Field("", alias="Keyword")
    instance_name: str | None = Field(None, alias="InstanceName")
    container_name: str = Field("", alias="ContainerName")
    ip: str = Field("", alias="Ip")
    previous: bool = Field(False, alias="Previous")
    page_num: int = Field(1, ge=1, alias="PageNum")
    page_size: int = Field(500, ge=1, le=10_000, alias="PageSize")


@eas.operation("DescribeServiceLog", "GET", f"{SERVICE}/logs")
def describe_service_log(state: EasState, cluster_id: str, service_name: str, query: DescribeServiceLog) -> Answer:
    """Lines of all instances, or of one, oldest first; with `Previous` those of the run before the last restart.

    The last instances that have gone are included, so that a failed one can still be looked into.
    """
    service = state.find(cluster_id, service_name)
    lines = [
        f"[{line.time:%Y-%m-%d %H:%M:%S}.{line.time.microsecond // 1000:03d}] {line.text}"
        for line in _lines(state, service, query)
        if query.keyword in line.text
        and (query.start_time is None or line.time >= query.start_time)
        and (query.end_time is None or line.time <= query.end_time)
    ]
    return {
        "Logs": page(lines, query.page_num, query.page_size),
        "PageNum": query.page_num,
        "TotalCount": len(lines),
        "TotalPageNum": pages(len(lines), query.page_size),
    }


class DescribeServiceEvent(Parameters):
    start_time: Time | None = Field(None, alias="StartTime")
    end_time: Time | None = Field(None, alias="EndTime")
    event_type: Literal["Normal", "Warning"] | None = Field(None, alias="EventType")
    instance_name: str | None = Field(None, alias="InstanceName")
    page_num: int = Field(1, ge=1, alias="PageNum")
    page_size: int = Field(100, ge=1, le=1000, alias="PageSize")


@eas.operation("DescribeServiceEvent", "GET", f"{SERVICE}/events")
def describe_service_event(
    state: EasState, call: Call, cluster_id: str, service_name: str, query: DescribeServiceEvent
) -> Answer:
    """Oldest first; of the last seven days unless `StartTime` says otherwise."""
    service = state.find(cluster_id, service_name)
    start, end = query.start_time or call.now - EVENTS_OF, query.end_time or call.now
    events = [
        event
        for event in state.events.values(f"{service.key}/")
        if start <= event.time <= end
        and query.event_type in (None, event.type)
        and query.instance_name in (None, event.instance)
    ]
    return {
        "Events": [
            {
                "Time": iso(event.time),
                "Type": event.type,
                "Reason": event.reason,
                "Message": event.message,
                "Resource": event.resource,
            }
            for event in page(events, query.page_num, query.page_size)
        ],
        "PageNum": query.page_num,
        "TotalCount": len(events),
        "TotalPageNum": pages(len(events), query.page_size),
    }


def _lines(state: EasState, service: Service, query: DescribeServiceLog) -> Iterator[LogLine]:
    home = state.home(service.key)
    if query.instance_name is None:
        return heapq.merge(*(read_lines(log, previous=query.previous) for log in home.glob("*/log")))
    if query.instance_name not in {log.parent.name for log in home.glob("*/log")}:
        message = f"Service [{service.name}] has no instance [{query.instance_name}]."
        raise ApiError("InvalidInstance.NotFound", message, 404)
    return read_lines(home / query.instance_name / "log", previous=query.previous)
