"""How an alarm rule is evaluated: from values to states, levels and what is sent. Pure; time comes in.

Sources: the descriptions of PutResourceMetricRule's parameters; "Modify an alert rule" of the user guides for the mute
period ("if the threshold value is exceeded again within the mute period, CloudMonitor does not resend … if the alert is
not cleared when the mute period elapses, CloudMonitor resends") and for the effective period ("checks whether to send
alert notifications only within the validity period"); "Manage alarm rules" for the channels of levels.
"""

import operator
from collections.abc import Callable, Mapping
from datetime import datetime, time, timedelta, timezone
from typing import Literal, NamedTuple

from emulator.services.cms.state import AlarmRule, Level, ResourceState

LEVELS: tuple[Level, ...] = ("Critical", "Warn", "Info")
# The alert history's names of levels, with the channels that each reaches.
GRADES: dict[Level, str] = {"Critical": "P2", "Warn": "P3", "Info": "P4"}
CHANNELS: dict[Level, tuple[str, ...]] = {
    "Critical": ("ONCALL", "SMS", "MAIL", "DING"),
    "Warn": ("SMS", "MAIL", "DING"),
    "Info": ("MAIL", "DING"),
}
SENT, NOT_EFFECTIVE, SILENT, NOT_SENT = 0, 1, 2, 4
# Times of day in rules are those of China.
ZONE = timezone(timedelta(hours=8))
# "Unchanged" compared with a reference of nothing cannot be told in percent.
_THRESHOLDS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanOrEqualToThreshold": operator.le,
    "LessThanThreshold": operator.lt,
    "NotEqualToThreshold": operator.ne,
    "EqualToThreshold": operator.eq,
}
SYMBOLS = {
    "GreaterThanOrEqualToThreshold": ">=",
    "GreaterThanThreshold": ">",
    "LessThanOrEqualToThreshold": "<=",
    "LessThanThreshold": "<",
    "NotEqualToThreshold": "!=",
    "EqualToThreshold": "==",
}

# Whether a level's condition held in a period; None when there was nothing to tell by.
Conditions = Mapping[Level, bool | None]


class Happening(NamedTuple):
    """An entry of the alert history. `level` is the alarm's, also when it is over; `send_status` as documented for
    DescribeAlertLogList."""

    event: Literal["TRIGGERED", "RESOLVED"]
    state: Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
    level: Level
    before: Level | None
    send_status: int


def holds(comparison: str, threshold: float, value: float | None, reference: float | None) -> bool | None:
    """Whether a value meets a condition; None without a value, or without the one that it is compared with.

    Comparisons with yesterday, the last week and the last period are about the change in percent.
    """
    if value is None:
        return None
    if compare := _THRESHOLDS.get(comparison):
        return compare(value, threshold)
    if not reference:
        return None
    change = 100 * (value - reference) / abs(reference)
    return change > threshold if comparison.startswith("Greater") else -change > threshold


def reference_age_s(comparison: str, period_s: int) -> int:
    """How much earlier the value is that a comparison is with; 0 for a threshold."""
    for ending, age_s in (("Yesterday", 86_400), ("LastWeek", 7 * 86_400), ("LastPeriod", period_s)):
        if comparison.endswith(ending):
            return age_s
    return 0


def is_effective(rule: AlarmRule, now: datetime) -> bool:
    """Whether notifications are sent at this time of day."""
    at = now.astimezone(ZONE).time().replace(second=0, microsecond=0)
    if rule.no_effective_interval and _is_within(rule.no_effective_interval, at):
        return False
    return _is_within(rule.effective_interval, at)


def next_state(
    rule: AlarmRule, times: Mapping[Level, int], before: ResourceState, conditions: Conditions, now: datetime
) -> tuple[ResourceState, Happening | None]:
    """What one more period makes of a resource, and what is to be told of it.

    `times` is how often in a row each level's condition must hold.
    """
    if all(held is None for held in conditions.values()):
        match rule.no_data_policy:
            case "KEEP_LAST_STATE":
                return before, None
            case "INSUFFICIENT_DATA":
                return _without_data(rule, times, before, now)
        conditions = dict.fromkeys(conditions, False)
    streaks = {level: before.streaks.get(level, 0) + 1 if held else 0 for level, held in conditions.items()}
    level = next((level for level in LEVELS if level in times and streaks.get(level, 0) >= times[level]), None)
    counted = before.model_copy(update={"streaks": streaks, "missing": 0})
    if level is not None:
        return _raised(rule, counted, "ALARM", level, now)
    return _cleared(rule, counted, now)


def _without_data(
    rule: AlarmRule, times: Mapping[Level, int], before: ResourceState, now: datetime
) -> tuple[ResourceState, Happening | None]:
    """ "Insufficient data" is told at the rule's highest level, after as many periods as that level needs."""
    level = next(level for level in LEVELS if level in times)
    counted = before.model_copy(update={"streaks": {}, "missing": before.missing + 1})
    if counted.missing < times[level]:
        return counted, None
    return _raised(rule, counted, "INSUFFICIENT_DATA", level, now)


def _raised(
    rule: AlarmRule,
    before: ResourceState,
    state: Literal["ALARM", "INSUFFICIENT_DATA"],
    level: Level,
    now: datetime,
) -> tuple[ResourceState, Happening | None]:
    changed = (before.state, before.level) != (state, level)
    since = before.since if before.state != "OK" else now
    after = before.model_copy(update={"state": state, "level": level, "since": since})
    last = before.notified.get(level)
    if not is_effective(rule, now):
        status = NOT_EFFECTIVE
    elif last is not None and now - last < timedelta(seconds=rule.silence_s):
        status = SILENT
    else:
        after = after.model_copy(update={"notified": {**before.notified, level: now}, "announced": True})
        return after, Happening("TRIGGERED", state, level, before.level, SENT)
    return after, Happening("TRIGGERED", state, level, before.level, status) if changed else None


def _cleared(rule: AlarmRule, before: ResourceState, now: datetime) -> tuple[ResourceState, Happening | None]:
    """The end of an alarm is told to those who were told of the alarm."""
    after = before.model_copy(update={"state": "OK", "level": None, "since": None, "announced": False})
    if before.level is None:
        return after, None
    if not before.announced or not rule.send_ok:
        status = NOT_SENT
    else:
        status = SENT if is_effective(rule, now) else NOT_EFFECTIVE
    return after, Happening("RESOLVED", "OK", before.level, before.level, status)


def _is_within(interval: str, at: time) -> bool:
    """Both ends belong to it; over midnight when it ends before it begins."""
    begin, end = (datetime.strptime(part, "%H:%M").time() for part in interval.split("-"))
    return begin <= at <= end if begin <= end else at >= begin or at <= end
