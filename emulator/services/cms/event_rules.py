"""Rules that tell of system events."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from emulator.operations import Answer, Parameters
from emulator.services.cms.event_filter import condition
from emulator.services.cms.event_records import EventPattern, EventRule
from emulator.services.cms.service import cms, succeeded
from emulator.services.cms.state import CmsState

MOST_PATTERNS = 50


def _known_query(value: str) -> str:
    if value:
        condition(value)
    return value


class PatternParameters(Parameters):
    product: str = Field(alias="Product", min_length=1)
    kinds: list[str] = Field([], alias="EventTypeList", max_length=50)
    levels: list[Literal["CRITICAL", "WARN", "INFO", "*"]] = Field([], alias="LevelList", max_length=50)
    names: list[str] = Field([], alias="NameList", max_length=50)
    statuses: list[str] = Field([], alias="StatusList", max_length=50)
    sql_filter: Annotated[str, AfterValidator(_known_query)] = Field("", alias="SQLFilter")
    keyword: str = Field("", alias="CustomFilters")


class PutEventRule(Parameters):
    """Without application groups and custom events, which the emulator does not have."""

    name: str = Field(alias="RuleName", min_length=1)
    patterns: list[PatternParameters] = Field(alias="EventPattern", min_length=1, max_length=MOST_PATTERNS)
    kind: Literal["SYSTEM"] = Field("SYSTEM", alias="EventType")
    description: str = Field("", alias="Description")
    silence_s: int = Field(86_400, alias="SilenceTime", ge=0, le=86_400)
    status: Literal["ENABLED", "DISABLED"] | None = Field(None, alias="State")


class DescribeEventRuleList(Parameters):
    prefix: str = Field("", alias="NamePrefix")
    enabled: bool | None = Field(None, alias="IsEnable")
    page: int = Field(1, alias="PageNumber", ge=1)
    page_size: int = Field(10, alias="PageSize", ge=1, le=100)


class RuleName(Parameters):
    name: str = Field(alias="RuleName")


class RuleNames(Parameters):
    names: list[str] = Field(alias="RuleNames", min_length=1)


@cms.operation("PutEventRule")
def put_event_rule(state: CmsState, query: PutEventRule) -> Answer:
    """Makes a rule or replaces it. Its targets stay, and whether it is enabled where that is not given."""
    old = state.event_rules.get(query.name)
    enabled = query.status == "ENABLED" if query.status else old is None or old.enabled
    rule = EventRule(
        name=query.name,
        description=query.description,
        patterns=[EventPattern(**pattern.model_dump()) for pattern in query.patterns],
        silence_s=query.silence_s,
        enabled=enabled,
        contacts=old.contacts if old else [],
        webhooks=old.webhooks if old else [],
    )
    state.event_rules.put(rule.name, rule)
    return succeeded(Data="1")


@cms.operation("DescribeEventRuleList")
def describe_event_rule_list(state: CmsState, query: DescribeEventRuleList) -> Answer:
    found = [
        rule
        for rule in state.event_rules.values()
        if rule.name.startswith(query.prefix) and query.enabled in (None, rule.enabled)
    ]
    page = found[(query.page - 1) * query.page_size :][: query.page_size]
    return succeeded(Total=len(found), EventRules={"EventRule": [_listed(rule) for rule in page]})


@cms.operation("DescribeEventRuleAttribute")
def describe_event_rule_attribute(state: CmsState, query: RuleName) -> Answer:
    """Tells of the first pattern, since the answer has one."""
    rule = state.event_rule(query.name)
    pattern = rule.patterns[0]
    keywords = {"Keywords": {"keyword": [pattern.keyword] if pattern.keyword else []}, "Relation": "OR"}
    described = {**_pattern(pattern), "KeywordFilterObj": keywords, "StatusList": {"StatusList": pattern.statuses}}
    return succeeded(Result={**_head(rule), "EventPattern": described})


@cms.operation("DeleteEventRules")
def delete_event_rules(state: CmsState, query: RuleNames) -> Answer:
    """Deleting what does not exist succeeds."""
    for name in query.names:
        state.event_rules.delete(name)
        state.told_events.delete_all(f"{name}/")
    return succeeded()


@cms.operation("EnableEventRules")
def enable_event_rules(state: CmsState, query: RuleNames) -> Answer:
    return _switch(state, query.names, enabled=True)


@cms.operation("DisableEventRules")
def disable_event_rules(state: CmsState, query: RuleNames) -> Answer:
    return _switch(state, query.names, enabled=False)


def _switch(state: CmsState, names: list[str], *, enabled: bool) -> Answer:
    for rule in [state.event_rule(name) for name in names]:
        state.event_rules.put(rule.name, rule.model_copy(update={"enabled": enabled}))
    return succeeded()


def _head(rule: EventRule) -> dict[str, Any]:
    return {
        "Name": rule.name,
        "Description": rule.description,
        "EventType": "SYSTEM",
        "GroupId": "",
        "State": "ENABLED" if rule.enabled else "DISABLED",
    }


def _listed(rule: EventRule) -> dict[str, Any]:
    patterns = [{**_pattern(pattern), "CustomFilters": pattern.keyword} for pattern in rule.patterns]
    return {**_head(rule), "SilenceTime": rule.silence_s, "EventPattern": {"EventPattern": patterns}}


def _pattern(pattern: EventPattern) -> dict[str, Any]:
    return {
        "Product": pattern.product,
        "EventTypeList": {"EventTypeList": pattern.kinds},
        "LevelList": {"LevelList": pattern.levels},
        "NameList": {"NameList": pattern.names},
        "SQLFilter": pattern.sql_filter,
    }
