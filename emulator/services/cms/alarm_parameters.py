"""What an alarm rule must look like."""

import math
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Json, TypeAdapter, ValidationError, model_validator

from emulator.operations import Parameters
from emulator.services.cms.catalogue import COMPARISONS
from emulator.services.cms.state import Escalation, Level, NoDataPolicy

_DIMENSIONS = TypeAdapter(Json[list[dict[str, str]]])
_TIME = r"([01]?\d|2[0-3]):[0-5]\d"
Interval = Annotated[str, Field(pattern=rf"^{_TIME}-{_TIME}$")]


def _known_comparison(value: str) -> str:
    if value not in COMPARISONS:
        raise ValueError(f"must be one of {', '.join(COMPARISONS)}")
    return value


def _numeric(value: str) -> str:
    if not math.isfinite(float(value)):
        raise ValueError("must be a finite number")
    return value


def _period(value: int) -> int:
    if value not in (15, 30) and (value <= 0 or value % 60):
        raise ValueError("must be 15, 30 or a multiple of 60 seconds")
    return value


def _resources(value: str) -> str:
    try:
        _DIMENSIONS.validate_python(value)
    except ValidationError as error:
        raise ValueError(f'must be JSON like [{{"serviceName": "resnet"}}]: {error.errors()[0]["msg"]}') from None
    return value


Comparison = Annotated[str, AfterValidator(_known_comparison)]
Threshold = Annotated[str, AfterValidator(_numeric)]
Period = Annotated[int, AfterValidator(_period)]


class EscalationParameters(Parameters):
    statistics: str = Field(alias="Statistics")
    comparison: Comparison = Field(alias="ComparisonOperator")
    threshold: Threshold = Field(alias="Threshold")
    times: int = Field(alias="Times", ge=1, le=180)


class Escalations(Parameters):
    critical: EscalationParameters | None = Field(None, alias="Critical")
    warn: EscalationParameters | None = Field(None, alias="Warn")
    info: EscalationParameters | None = Field(None, alias="Info")

    def by_level(self) -> dict[Level, Escalation]:
        levels: dict[Level, EscalationParameters | None]
        levels = {"Critical": self.critical, "Warn": self.warn, "Info": self.info}
        return {level: Escalation(**given.model_dump()) for level, given in levels.items() if given}


class ExpressionParameters(Parameters):
    metric: str = Field(alias="MetricName")
    statistics: str = Field(alias="Statistics")
    comparison: Comparison = Field(alias="ComparisonOperator")
    threshold: Threshold = Field(alias="Threshold")
    period_s: Period = Field(300, alias="Period")


class CompositeParameters(Parameters):
    """Sent as a JSON text; the provider sends what is not set as empty."""

    level: Literal["CRITICAL", "WARN", "INFO"] = Field(alias="Level")
    times: int = Field(alias="Times", ge=1, le=180)
    expressions: list[ExpressionParameters] = Field([], alias="ExpressionList")
    join: Annotated[Literal["&&", "||"] | None, BeforeValidator(lambda value: value or None)] = Field(
        None, alias="ExpressionListJoin"
    )
    raw: Annotated[str | None, BeforeValidator(lambda value: value or None)] = Field(None, alias="ExpressionRaw")

    @model_validator(mode="after")
    def _has_one_condition(self) -> "CompositeParameters":
        if bool(self.expressions) == bool(self.raw):
            raise ValueError("one of ExpressionList and ExpressionRaw is needed")
        if len(self.expressions) > 1 and not self.join:
            raise ValueError("several expressions need ExpressionListJoin")
        return self


class Label(Parameters):
    key: str = Field(alias="Key", min_length=1)
    value: str = Field(alias="Value")


class PutResourceMetricRule(Parameters):
    id: str = Field(alias="RuleId", min_length=1)
    name: str = Field(alias="RuleName", min_length=1, max_length=128)
    namespace: str = Field(alias="Namespace", min_length=1)
    metric: str = Field(alias="MetricName", min_length=1)
    resources: Annotated[str, AfterValidator(_resources)] = Field("[]", alias="Resources")
    contact_groups: str = Field(alias="ContactGroups", min_length=1)
    period_s: Period = Field(300, alias="Period")
    interval_s: int | None = Field(None, alias="Interval", ge=1)
    silence_s: int = Field(86400, alias="SilenceTime", ge=300, le=86400)
    effective_interval: Interval = Field("00:00-23:59", alias="EffectiveInterval")
    no_effective_interval: Interval | Literal[""] = Field("", alias="NoEffectiveInterval")
    no_data_policy: NoDataPolicy = Field("KEEP_LAST_STATE", alias="NoDataPolicy")
    email_subject: str = Field("", alias="EmailSubject")
    webhook: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = Field("", alias="Webhook")
    send_ok: bool = Field(True, alias="SendOK")
    labels: list[Label] = Field([], alias="Labels")
    escalations: Escalations = Field(Escalations(), alias="Escalations")
    composite: Json[CompositeParameters] | None = Field(None, alias="CompositeExpression")

    @model_validator(mode="after")
    def _has_one_kind_of_condition(self) -> "PutResourceMetricRule":
        if bool(self.escalations.by_level()) == bool(self.composite):
            raise ValueError("one of Escalations (Critical, Warn or Info) and CompositeExpression is needed")
        return self

    @property
    def groups(self) -> list[str]:
        return [name.strip() for name in self.contact_groups.split(",")]
