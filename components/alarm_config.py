"""Who is told, when, and of what: settings of contacts and of a service's alarms."""

import itertools
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from components.alarm_rules import LEVELS, WATCHED, LevelName, RuleName
from components.settings import NAME_PATTERN, Problem, Secret, Settings, refuse

_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
ContactName = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]


class ContactSettings(Settings):
    """A person or a channel; mail and SMS are used once the person has followed the link that they get."""

    mail: Annotated[str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+$")] | None = None
    sms: Annotated[str, StringConstraints(pattern=r"^\+?[0-9-]{5,20}$")] | None = Field(
        default=None, description="Number for text messages, and for calls in an emergency."
    )
    dingtalk: Secret | None = Field(
        default=None, description="Address of a DingTalk robot; encrypted, since whoever has it can write to the group."
    )
    language: Literal["en", "zh-cn"] = "en"

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.mail is None and self.sms is None and self.dingtalk is None:
            raise ValueError("give at least one of mail, sms and dingtalk")
        return self


class MonitoringSettings(Settings):
    """Whom the alarms of all services reach; without contacts there are no alarms."""

    contacts: dict[ContactName, ContactSettings] = Field(
        default_factory=dict, description="People and channels, each by a short name of lower-case letters."
    )
    webhook: Annotated[str, StringConstraints(pattern=r"^https?://\S+$")] | None = Field(
        default=None,
        description="Gets every alarm, its end and every event in a POST request; in clear text, so without a token.",
    )
    events: bool = Field(
        default=True, description="Tells a service's contacts when one of its replicas fails or is taken away."
    )


class LevelSettings(Settings):
    """Where a level begins."""

    limit: float = Field(ge=0, description="In the unit of the rule's name.")
    for_min: int = Field(default=3, ge=1, le=60, description="Minutes in a row.")


class AlarmRuleSettings(Settings):
    """The levels of one rule. warn reaches mail and DingTalk, critical SMS too, and emergency the phone too."""

    warn: LevelSettings | None = None
    critical: LevelSettings | None = None
    emergency: LevelSettings | None = None

    @property
    def levels(self) -> dict[LevelName, LevelSettings]:
        """Those that are given, mildest first."""
        given: dict[LevelName, LevelSettings | None]
        given = {"warn": self.warn, "critical": self.critical, "emergency": self.emergency}
        return {name: level for name, level in given.items() if level is not None}

    @model_validator(mode="after")
    def _has_a_level(self) -> Self:
        if not self.levels:
            raise ValueError(f"give at least one of {', '.join(LEVELS)}; or name the rule in without")
        return self


class AlarmSettings(Settings):
    """The alarms of one service. Every rule that is not set here has limits of its own."""

    enabled: bool = True
    contacts: list[ContactName] | None = Field(
        default=None, min_length=1, description="Names from monitoring.contacts; by default all."
    )
    rules: dict[RuleName, AlarmRuleSettings] = Field(
        default_factory=dict, description="Levels instead of the default ones."
    )
    without: list[RuleName] = Field(default_factory=list, description="Rules that are not wanted.")
    no_data_min: int | None = Field(
        default=5, ge=1, le=60, description="An emergency after so long without any running replica; null is never."
    )
    silence_min: int = Field(default=60, ge=5, le=1440, description="An alarm that lasts is sent again after this.")
    quiet: Annotated[str, StringConstraints(pattern=rf"^{_TIME}-{_TIME}$")] | None = Field(
        default=None, description="Time of day in China without messages of quiet_levels, such as 23:00-07:00."
    )
    quiet_levels: list[LevelName] = Field(default=["warn"], min_length=1)

    @model_validator(mode="after")
    def _is_consistent(self) -> Self:
        refuse(AlarmSettings, self._problems())
        return self

    def _problems(self) -> Iterator[Problem]:
        for name, rule in self.rules.items():
            if name in self.without:
                yield Problem(("rules", name), f"{name} is named in without, too; keep one of them")
            yield from _wrong_limits(name, rule.levels)
            yield from _wrong_times(name, rule.levels)
        if self.quiet is not None and self.quiet[:5] == self.quiet[6:]:
            yield Problem(("quiet",), f"begins and ends at {self.quiet[:5]}, which leaves no time to be told")
        if self.quiet is None and "quiet_levels" in self.model_fields_set:
            yield Problem(("quiet_levels",), "there is no quiet time that they would be silent in; give quiet")


def _wrong_times(name: RuleName, levels: Mapping[LevelName, LevelSettings]) -> Iterator[Problem]:
    """Minutes in a row of what is reported once an hour or a day."""
    for level, its in levels.items():
        if WATCHED[name].seldom and "for_min" in its.model_fields_set and its.for_min != 1:
            message = f"{name} is reported seldom, and each report counts; leave for_min out"
            yield Problem(("rules", name, level, "for_min"), message)


def _wrong_limits(name: RuleName, levels: Mapping[LevelName, LevelSettings]) -> Iterator[Problem]:
    """Limits that are never reached, and levels that would come after the next one."""
    watched = WATCHED[name]
    for level, its in levels.items():
        if watched.highest is not None and its.limit >= watched.highest and watched.worse == "above":
            message = f"{its.limit:g} is never exceeded: at most {watched.highest:g} are possible"
            yield Problem(("rules", name, level, "limit"), message)
        if watched.highest is not None and its.limit > watched.highest and watched.worse == "below":
            message = (
                f"{its.limit:g} is above the highest possible value, {watched.highest:g}: the alarm would never end"
            )
            yield Problem(("rules", name, level, "limit"), message)
        if watched.worse == "below" and its.limit == 0:
            yield Problem(("rules", name, level, "limit"), "nothing is below 0")
    ordered = list(levels.items())
    for (milder, one), (worse, other) in itertools.pairwise(ordered):
        right = one.limit < other.limit if watched.worse == "above" else one.limit > other.limit
        if not right:
            relation = "above" if watched.worse == "above" else "below"
            message = f"{worse} must be {relation} {milder}, found {other.limit:g} and {one.limit:g}"
            yield Problem(("rules", name, worse, "limit"), message)
