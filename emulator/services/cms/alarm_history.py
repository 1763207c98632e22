"""What alarms there have been."""

import json
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from emulator.errors import ApiError
from emulator.operations import Answer, Call, Parameters
from emulator.services.cms.alarms import GRADES
from emulator.services.cms.service import cms, succeeded
from emulator.services.cms.state import CmsState, LoggedAlarm, in_ms
from emulator.services.cms.times import Moment

LONGEST_RANGE_S = 15 * 86_400
DEFAULT_RANGE_S = 15 * 60
_SENT_BY = {"MAIL": "MAIL", "ALIIM": "ALIIM", "SMS": "SMS", "ONCALL": "CALL", "DING": "DING"}


class DescribeAlertLogList(Parameters):
    start: Moment | None = Field(None, alias="StartTime")
    end: Moment | None = Field(None, alias="EndTime")
    last_min: int | None = Field(None, alias="LastMin", ge=1)
    rule_id: str | None = Field(None, alias="RuleId")
    rule_name: str | None = Field(None, alias="RuleName")
    namespace: str | None = Field(None, alias="Namespace")
    metric: str | None = Field(None, alias="MetricName")
    contact_group: str | None = Field(None, alias="ContactGroup")
    level: Literal["P2", "P3", "P4", "OK"] | None = Field(None, alias="Level")
    event: Literal["TRIGGERED", "RESOLVED"] | None = Field(None, alias="EventType")
    send_status: int | None = Field(None, alias="SendStatus")
    search: str = Field("", alias="SearchKey")
    page: int = Field(1, alias="PageNumber", ge=1)
    page_size: int = Field(10, alias="PageSize", ge=1, le=100)


class DescribeAlertHistoryList(Parameters):
    start: Moment | None = Field(None, alias="StartTime")
    end: Moment | None = Field(None, alias="EndTime")
    rule_id: str | None = Field(None, alias="RuleId")
    rule_name: str | None = Field(None, alias="RuleName")
    namespace: str | None = Field(None, alias="Namespace")
    metric: str | None = Field(None, alias="MetricName")
    state: Annotated[
        Literal["ALARM", "OK", "INSUFFICIENT_DATA"] | None, BeforeValidator(lambda value: value or None)
    ] = Field(None, alias="State")
    status: int | None = Field(None, alias="Status", ge=0, le=4)
    newest_first: bool = Field(True, alias="Ascending")
    page: int = Field(1, alias="Page", ge=1)
    page_size: int = Field(10, alias="PageSize", ge=1, le=100)


@cms.operation("DescribeAlertLogList")
def describe_alert_log_list(state: CmsState, call: Call, query: DescribeAlertLogList) -> Answer:
    """Newest first; of the last 15 minutes unless times are given."""
    start, end = _range(query, call)
    found = [
        alarm
        for alarm in reversed(state.alarms.values())
        if start <= alarm.time.timestamp() <= end
        and query.rule_id in (None, alarm.rule_id)
        and query.rule_name in (None, alarm.rule_name)
        and query.namespace in (None, alarm.namespace)
        and query.metric in (None, alarm.metric)
        and (query.contact_group is None or query.contact_group in alarm.contact_groups)
        and query.level in (None, _grade(alarm))
        and query.event in (None, alarm.event)
        and query.send_status in (None, alarm.send_status)
        and query.search in f"{alarm.rule_name} {alarm.metric} {alarm.dimensions}"
    ]
    page = found[(query.page - 1) * query.page_size :][: query.page_size]
    return succeeded(
        PageNumber=query.page, PageSize=query.page_size, AlertLogList=[_logged(state, alarm) for alarm in page]
    )


@cms.operation("DescribeAlertHistoryList")
def describe_alert_history_list(state: CmsState, call: Call, query: DescribeAlertHistoryList) -> Answer:
    """`Ascending` is documented as "true: reverse chronological order", which is also the default."""
    end = call.now.timestamp() if query.end is None else query.end
    start = end - timedelta(days=3).total_seconds() if query.start is None else query.start
    found = [
        alarm
        for alarm in state.alarms.values()
        if start <= alarm.time.timestamp() <= end
        and query.rule_id in (None, alarm.rule_id)
        and query.rule_name in (None, alarm.rule_name)
        and query.namespace in (None, alarm.namespace)
        and query.metric in (None, alarm.metric)
        and query.state in (None, alarm.state)
        and query.status in (None, alarm.send_status)
    ]
    if query.newest_first:
        found.reverse()
    page = found[(query.page - 1) * query.page_size :][: query.page_size]
    return succeeded(Total=str(len(found)), AlarmHistoryList={"AlarmHistory": [_in_history(alarm) for alarm in page]})


def _range(query: DescribeAlertLogList, call: Call) -> tuple[float, float]:
    if (query.start is None) != (query.end is None):
        raise ApiError("ParameterInvalid", "StartTime and EndTime must be given together.")
    if query.start is None or query.end is None:
        span_s = DEFAULT_RANGE_S if query.last_min is None else 60 * query.last_min
        return call.now.timestamp() - span_s, call.now.timestamp()
    if query.end - query.start > LONGEST_RANGE_S:
        raise ApiError("ParameterInvalid", "StartTime and EndTime must be 15 days apart at most.")
    return query.start, query.end


def _grade(alarm: LoggedAlarm) -> str:
    return "OK" if alarm.state == "OK" else GRADES[alarm.level]


def _logged(state: CmsState, alarm: LoggedAlarm) -> dict[str, Any]:
    before = GRADES[alarm.before] if alarm.before else "OK"
    sent = {_SENT_BY[channel]: addresses for channel, addresses in alarm.targets.items()}
    return {
        "LogId": alarm.id,
        "AlertTime": str(in_ms(alarm.time)),
        "RuleId": alarm.rule_id,
        "RuleName": alarm.rule_name,
        "Namespace": alarm.namespace,
        "MetricName": alarm.metric,
        "Dimensions": [{"Key": key, "Value": value} for key, value in alarm.dimensions.items()],
        "InstanceName": alarm.dimensions.get("serviceName", ""),
        "EventName": alarm.event,
        "Level": _grade(alarm),
        "LevelChange": f"{before}->{_grade(alarm)}",
        "Escalation": {"Expression": alarm.expression, "Level": GRADES[alarm.level], "Times": alarm.times},
        "ContactGroups": alarm.contact_groups,
        "ContactMailList": alarm.targets.get("MAIL", []),
        "ContactSMSList": alarm.targets.get("SMS", []),
        "ContactOnCallList": alarm.targets.get("ONCALL", []),
        "ContactALIIWWList": alarm.targets.get("ALIIM", []),
        "DingdingWebhookList": alarm.targets.get("DING", []),
        "WebhookList": _callbacks(state, alarm),
        "SendStatus": str(alarm.send_status),
        "SendResultList": [{"Key": key, "Value": addresses} for key, addresses in sent.items()],
        "Message": "" if alarm.value is None else f'{{"value": {alarm.value:g}}}',
    }


def _callbacks(state: CmsState, alarm: LoggedAlarm) -> list[dict[str, str]]:
    """What became of the callback of this entry."""
    if not alarm.webhook:
        return []
    results = [
        message.result
        for message in state.outbox.values()
        if message.channel == "WEBHOOK" and (message.time, message.address) == (alarm.time, alarm.webhook)
    ]
    return [{"url": alarm.webhook, "code": "", "message": results[-1] if results else ""}]


def _in_history(alarm: LoggedAlarm) -> dict[str, Any]:
    lasted_s = 0.0 if alarm.since is None else (alarm.time - alarm.since).total_seconds()
    return {
        "AlertTime": in_ms(alarm.time),
        "LastTime": round(lasted_s * 1000),
        "RuleId": alarm.rule_id,
        "RuleName": alarm.rule_name,
        "Namespace": alarm.namespace,
        "MetricName": alarm.metric,
        "Dimensions": json.dumps(alarm.dimensions),
        "InstanceName": alarm.dimensions.get("serviceName", ""),
        "State": alarm.state,
        "Status": alarm.send_status,
        "Level": _grade(alarm),
        "Expression": alarm.expression,
        "EvaluationCount": alarm.times,
        "Value": "" if alarm.value is None else f"{alarm.value:g}",
        "Contacts": {"Contact": alarm.contacts},
        "ContactGroups": {"ContactGroup": alarm.contact_groups},
        "ContactMails": {"ContactMail": alarm.targets.get("MAIL", [])},
        "ContactSmses": {"ContactSms": alarm.targets.get("SMS", [])},
        "ContactALIIMs": {"ContactALIIM": alarm.targets.get("ALIIM", [])},
        "Webhooks": alarm.webhook,
    }
