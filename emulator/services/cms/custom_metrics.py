"""Metrics that programs report themselves."""

import json
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError, model_validator

from emulator.operations import Answer, Call, Parameters
from emulator.services.cms.catalogue import CUSTOM_PREFIX
from emulator.services.cms.service import cms
from emulator.services.cms.state import CmsState
from emulator.services.cms.times import Moment
from emulator.services.eas.metering.summary import Summary

RAW, AGGREGATE = 0, 1
_DIMENSIONS = TypeAdapter(dict[str, str])
_VALUES = TypeAdapter(dict[str, float])


def _dimensions(value: Any) -> Any:
    """Keys and values are cut after 64 characters, as documented."""
    try:
        given = _DIMENSIONS.validate_json(value)
    except ValidationError as error:
        raise ValueError(f'must be JSON like {{"service": "resnet"}}: {error.errors()[0]["msg"]}') from None
    return {name[:64]: text[:64] for name, text in given.items()}


def _values(value: Any) -> Any:
    try:
        return _VALUES.validate_json(value)
    except ValidationError as error:
        raise ValueError(f'must be JSON like {{"value": 10.5}}: {error.errors()[0]["msg"]}') from None


class Reported(Parameters):
    group_id: str = Field(alias="GroupId")
    name: str = Field(alias="MetricName", min_length=1, max_length=64)
    dimensions: Annotated[dict[str, str], BeforeValidator(_dimensions)] = Field(alias="Dimensions")
    values: Annotated[dict[str, float], BeforeValidator(_values)] = Field(alias="Values")
    type: int = Field(alias="Type", ge=RAW, le=AGGREGATE)
    period_s: int | None = Field(None, alias="Period")
    time: Moment | None = Field(None, alias="Time")

    @model_validator(mode="after")
    def _is_complete(self) -> "Reported":
        if self.type == AGGREGATE and self.period_s not in (60, 300):
            raise ValueError("aggregated values (Type 1) need the Period 60 or 300")
        needed = ("value",) if self.type == RAW else ("Average", "Sum")
        if not any(name in self.values for name in needed):
            raise ValueError(f"Values of Type {self.type} need {' or '.join(needed)}")
        return self

    @property
    def summary(self) -> Summary:
        if self.type == RAW:
            value = self.values["value"]
            return Summary(1, value, value, value)
        count = max(1.0, self.values.get("SampleCount", 1))
        total = self.values["Sum"] if "Sum" in self.values else self.values["Average"] * count
        average = total / count
        return Summary(count, total, self.values.get("Minimum", average), self.values.get("Maximum", average))


class PutCustomMetric(Parameters):
    metrics: list[Reported] = Field(alias="MetricList", min_length=1, max_length=21)


class DescribeCustomMetricList(Parameters):
    group_id: str | None = Field(None, alias="GroupId")
    metric: str | None = Field(None, alias="MetricName")
    page: int = Field(1, alias="PageNumber", ge=1)
    page_size: int = Field(10, alias="PageSize", ge=1, le=10_000)


@cms.operation("PutCustomMetric")
def put_custom_metric(state: CmsState, call: Call, query: PutCustomMetric) -> Answer:
    """Values belong to the minute of their time."""
    for reported in query.metrics:
        time = call.now.timestamp() if reported.time is None else reported.time
        dimensions = {"groupId": reported.group_id, **reported.dimensions}
        state.points.add(custom_namespace(state), reported.name, dimensions, time, reported.summary)
    return {"Code": "200"}


@cms.operation("DescribeCustomMetricList")
def describe_custom_metric_list(state: CmsState, query: DescribeCustomMetricList) -> Answer:
    """`Result` is JSON."""
    namespace = custom_namespace(state)
    found = [
        (metric, dimensions)
        for metric in state.points.metrics(namespace)
        if query.metric in (None, metric)
        for dimensions in state.points.series(namespace, metric)
        if query.group_id in (None, dimensions["groupId"])
    ]
    page = found[(query.page - 1) * query.page_size :][: query.page_size]
    return {"Code": "200", "Result": json.dumps({"size": len(found), "result": [_answer(*one) for one in page]})}


def custom_namespace(state: CmsState) -> str:
    return f"{CUSTOM_PREFIX}{state.account_id}"


def _answer(metric: str, dimensions: dict[str, str]) -> dict[str, str]:
    own = "&".join(f"{name}={value}" for name, value in dimensions.items() if name != "groupId")
    return {"groupId": dimensions["groupId"], "metricName": metric, "dimension": own}
