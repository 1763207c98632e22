"""Evaluates the stored alarm rules on what was measured."""

import itertools
import json
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from emulator.services.cms.alarms import SYMBOLS, Conditions, holds, next_state, reference_age_s
from emulator.services.cms.notification import Notifier
from emulator.services.cms.points import MINUTE_S, Point, Points, is_part
from emulator.services.cms.state import AlarmRule, CmsState, Composite, Escalation, Expression, Level, ResourceState

_COMPOSITE_LEVELS: dict[str, Level] = {"CRITICAL": "Critical", "WARN": "Warn", "INFO": "Info"}
_SEVERITY = ("OK", "INSUFFICIENT_DATA", "ALARM")

Resource = dict[str, str]
# A value, and the earlier one that it is compared with.
Pair = tuple[float | None, float | None]
NOTHING: Pair = (None, None)
# By the key of their resource.
Values = dict[str, Pair]


class Measured:
    """What was measured of a metric in a period, by the keys of resources: read once, however many rules ask."""

    def __init__(self, points: Points) -> None:
        self._points = points
        self._read: dict[tuple[str, str, int, int], dict[str, Point]] = {}

    def at(self, namespace: str, metric: str, begun: int, period_s: int) -> dict[str, Point]:
        asked = (namespace, metric, begun, period_s)
        if asked not in self._read:
            found = self._points.find(namespace, metric, (), begun - 1, begun, period_s)
            self._read[asked] = {_key(point.dimensions): point for point in found}
        return self._read[asked]


class Evaluation:
    """`after_minute` is called when a minute that was looked at is over."""

    def __init__(self, state: CmsState, notifier: Notifier) -> None:
        self._state, self._notifier = state, notifier

    def after_minute(self, minute: int, next_minute: int) -> None:
        """Evaluates the rules with a period that is over, now that `next_minute` has begun."""
        now = datetime.fromtimestamp(minute + MINUTE_S, UTC)
        measured = Measured(self._state.points)
        states: dict[str, dict[str, ResourceState]] = {}
        for state in self._state.alarm_states.values():
            states.setdefault(state.rule_id, {})[_key(state.dimensions)] = state
        for rule in self._state.rules.values():
            period_s = max(rule.period_s, MINUTE_S)
            begun = minute // period_s * period_s
            if rule.enabled and next_minute >= begun + period_s:
                values = [
                    _values(rule, measured, condition, metric, begun // length_s * length_s, length_s)
                    for condition, metric, length_s in _conditions_of(rule, period_s)
                ]
                self._evaluate(rule, states.get(rule.id, {}), values, now)

    def _evaluate(self, rule: AlarmRule, before: dict[str, ResourceState], values: list[Values], now: datetime) -> None:
        times = _times(rule)
        if not times:
            return  # a condition in CloudMonitor's own language
        resources = _resources(rule, before, values)
        worst = "OK"
        for key, resource in resources.items():
            own = [found.get(key, NOTHING) for found in values]
            conditions = _conditions(rule, own)
            if any(other is not resource and is_part(resource, other) for other in resources.values()):
                # A name in the rule that had no resource once: by now it has.
                conditions = dict.fromkeys(conditions, False)
            old = before.get(key) or ResourceState(rule_id=rule.id, dimensions=resource)
            state, happening = next_state(rule, times, old, conditions, now)
            if state != old:
                self._state.alarm_states.put(f"{rule.id}/{key}", state)
            if happening is not None:
                value = next((value for value, _ in own if value is not None), None)
                since = state.since or old.since
                expression = describe(rule, happening.level)
                self._notifier.tell(rule, resource, happening, expression, value, since, now)
            worst = max(worst, state.state, key=_SEVERITY.index)
        if worst != rule.alert_state:
            self._state.rules.put(rule.id, rule.model_copy(update={"alert_state": worst}))


def _values(
    rule: AlarmRule, measured: Measured, condition: Escalation | Expression, metric: str, begun: int, period_s: int
) -> Values:
    """What one condition is about, of the resources that the rule names."""
    age_s = reference_age_s(condition.comparison, period_s)
    earlier = measured.at(rule.namespace, metric, begun - age_s, period_s) if age_s else {}
    named = rule.dimensions
    return {
        key: (
            point.statistic(condition.statistics),
            earlier[key].statistic(condition.statistics) if key in earlier else None,
        )
        for key, point in measured.at(rule.namespace, metric, begun, period_s).items()
        if not named or any(is_part(one, point.dimensions) for one in named)
    }


def _resources(rule: AlarmRule, before: Iterable[str], values: list[Values]) -> dict[str, Resource]:
    """What is there now, what was there before, and what the rule names and has never been there; by their keys."""
    known: dict[str, Resource] = {key: json.loads(key) for key in {*before, *itertools.chain(*values)}}
    named = [one for one in rule.dimensions if not any(is_part(one, resource) for resource in known.values())]
    return known | {_key(one): one for one in named}


def _conditions(rule: AlarmRule, values: list[Pair]) -> Conditions:
    """What held for one resource, given what each condition is about."""
    if rule.composite is None:
        return {
            level: holds(escalation.comparison, float(escalation.threshold), *pair)
            for (level, escalation), pair in zip(rule.escalations.items(), values, strict=True)
        }
    held = [
        holds(expression.comparison, float(expression.threshold), *pair)
        for expression, pair in zip(rule.composite.expressions, values, strict=True)
    ]
    return {_COMPOSITE_LEVELS[rule.composite.level]: _joined(rule.composite, held)}


def describe(rule: AlarmRule, level: Level) -> str:
    """The condition of a level in a few signs, as `$Average>80`."""
    if rule.composite is None:
        return _expression(rule.escalations[level]) if level in rule.escalations else ""
    join = f" {rule.composite.join} " if rule.composite.join else ""
    return join.join(f"{expression.metric} {_expression(expression)}" for expression in rule.composite.expressions)


def _expression(condition: Escalation | Expression) -> str:
    symbol = SYMBOLS.get(condition.comparison, f" {condition.comparison} ")
    return f"${condition.statistics}{symbol}{condition.threshold}"


def _times(rule: AlarmRule) -> dict[Level, int]:
    if rule.composite is None:
        return {level: escalation.times for level, escalation in rule.escalations.items()}
    if rule.composite.raw is not None:
        return {}
    return {_COMPOSITE_LEVELS[rule.composite.level]: rule.composite.times}


def _conditions_of(rule: AlarmRule, period_s: int) -> Iterator[tuple[Escalation | Expression, str, int]]:
    """Each condition with its metric and its period."""
    if rule.composite is None:
        yield from ((escalation, rule.metric, period_s) for escalation in rule.escalations.values())
    else:
        for expression in rule.composite.expressions:
            yield expression, expression.metric, max(expression.period_s, MINUTE_S)


def _joined(composite: Composite, held: list[bool | None]) -> bool | None:
    if composite.join == "||" and any(held):
        return True
    if composite.join == "&&" and any(one is False for one in held):
        return False
    return None if None in held else all(held) if composite.join == "&&" else any(held)


def _key(dimensions: Resource) -> str:
    return json.dumps(dict(sorted(dimensions.items())))
