"""What has happened to an instance, what its processes wrote, and what opens its notebook."""

import heapq
from datetime import timedelta
from itertools import groupby
from typing import Literal

from pydantic import Field

from emulator.clock import iso
from emulator.operations import Answer, Call, Parameters
from emulator.processes.output import read_lines
from emulator.services.dsw.product import INSTANCE, dsw, refusal, succeeded
from emulator.services.dsw.records import Passage
from emulator.services.dsw.shutdown import Time
from emulator.services.dsw.state import DswState

LOG_PAGE = 1000


class Between(Parameters):
    """`token` is of a shared link; whoever can sign a request needs none."""

    start_time: Time | None = Field(None, alias="StartTime")
    end_time: Time | None = Field(None, alias="EndTime")
    token: str | None = Field(None, alias="Token")


class GetLifecycle(Between):
    limit: int = Field(10, alias="Limit", ge=1)
    order: Literal["ASC", "DESC"] = Field("DESC", alias="Order")
    session_number: int = Field(0, alias="SessionNumber", ge=0)


@dsw.operation("GetLifecycle", "GET", f"{INSTANCE}/lifecycle")
def get_lifecycle(state: DswState, call: Call, instance_id: str, query: GetLifecycle) -> Answer:
    """The statuses of `Limit` sessions, after the first `SessionNumber` of them."""
    instance = state.find(call.region, instance_id)
    passages = [
        passage
        for passage in state.passages.values(f"{instance.id}/")
        if (query.end_time is None or passage.began_at <= query.end_time)
        and (query.start_time is None or passage.ended_at is None or passage.ended_at >= query.start_time)
    ]
    sessions = [list(group) for _, group in groupby(passages, key=lambda passage: passage.session)]
    if query.order == "DESC":
        sessions = [session[::-1] for session in sessions[::-1]]
    chosen = sessions[query.session_number :][: query.limit]
    return succeeded(
        with_http_status=False,
        Lifecycle=[[_described(passage) for passage in session] for session in chosen],
        TotalCount=len(sessions),
    )


class GetInstanceEvents(Between):
    level: Literal["Normal", "Warning"] | None = Field(None, alias="EventLevel")
    most: int = Field(2000, alias="MaxEventsNum", ge=1)


@dsw.operation("GetInstanceEvents", "GET", f"{INSTANCE}/events")
def get_instance_events(state: DswState, call: Call, instance_id: str, query: GetInstanceEvents) -> Answer:
    """The last ones, oldest first."""
    instance = state.find(call.region, instance_id)
    events = [
        f"{iso(event.time)}: {event.message}"
        for event in state.events.values(f"{instance.id}/")
        if query.level in (None, event.level)
        and (query.start_time is None or event.time >= query.start_time)
        and (query.end_time is None or event.time <= query.end_time)
    ]
    return succeeded(InstanceId=instance.id, Events=events[-query.most :])


class ListSystemLogs(Parameters):
    """The parameters that are left out here (levels, categories, repositories) are documented nowhere."""

    instance_id: str = Field(alias="InstanceId", min_length=1)
    start_time: Time | None = Field(None, alias="GmtStartTime")
    end_time: Time | None = Field(None, alias="GmtEndTime")
    order: Literal["ASC", "DESC"] = Field("ASC", alias="Order")
    offset: str = Field("0", alias="Offset", pattern=r"^[0-9]+$")


@dsw.operation("ListSystemLogs", "GET", "/api/v2/systemlogs")
def list_system_logs(state: DswState, call: Call, query: ListSystemLogs) -> Answer:
    """What the start command and JupyterLab wrote in this session, in pages of 1000 lines; `Offset` of an answer asks
    for the next one. The SDK has this operation, but the cloud has been seen to answer it with InvalidAction.NotFound:
    what must be read there as well goes to a mounted bucket."""
    instance = state.find(call.region, query.instance_id)
    logs = state.home(instance.id) / "logs"
    lines = [
        line
        for line in heapq.merge(*(read_lines(logs / name) for name in ("start-command", "notebook")))
        if (query.start_time is None or line.time >= query.start_time)
        and (query.end_time is None or line.time <= query.end_time)
    ]
    if query.order == "DESC":
        lines.reverse()
    page = lines[int(query.offset) :][:LOG_PAGE]
    return {
        "Offset": str(int(query.offset) + len(page)),
        "SystemLogs": [
            {
                "Content": line.text,
                "GmtCreateTime": f"{line.time:%Y-%m-%dT%H:%M:%S}.{line.time.microsecond // 1000:03d}Z",
                "Level": "INFO",
            }
            for line in page
        ],
    }


class GetUserCommand(Parameters):
    instance_id: str = Field(alias="InstanceId", min_length=1)
    token: str | None = Field(None, alias="Token")


@dsw.operation("GetUserCommand", "GET", "/api/v2/usercommands/{user_command_id}")
def get_user_command(state: DswState, call: Call, user_command_id: str, query: GetUserCommand) -> Answer:
    """The text of the start command, and nothing of how it went."""
    instance = state.find(call.region, query.instance_id)
    if user_command_id != instance.user_command_id:
        raise refusal(f"The instance {instance.id} has no user command {user_command_id}.", 404)
    on_start = instance.settings["UserCommand"].get("OnStart", {})
    return succeeded(with_http_status=False, UserCommandId=user_command_id, OnStart=on_start)


class GetToken(Parameters):
    """`expire_s` in seconds: the notebook's token does not expire, the instance's next start makes no other."""

    instance_id: str = Field(alias="InstanceId", min_length=1)
    expire_s: int = Field(int(timedelta(hours=1).total_seconds()), alias="ExpireTime", ge=1)


@dsw.operation("GetToken", "GET", "/api/v2/tokens")
def get_token(state: DswState, call: Call, query: GetToken) -> Answer:
    """What JupyterLab asks for at `InstanceUrl`."""
    instance = state.find(call.region, query.instance_id)
    return succeeded(with_http_status=False, Token=instance.token)


def _described(passage: Passage) -> Answer:
    answer = {
        "Status": passage.status,
        "ReasonCode": passage.reason_code,
        "ReasonMessage": passage.reason_message,
        "GmtCreateTime": iso(passage.began_at),
        "LifecycleId": passage.id,
    }
    return answer if passage.ended_at is None else {**answer, "GmtEndTime": iso(passage.ended_at)}
