"""What a stress test is told to do: the body of CreateBenchmarkTask.

The pages of CreateBenchmarkTask and of EASCMD's `bench create` differ in where some settings stand and in their
defaults; both places are taken, and what `optional` says counts:
https://www.alibabacloud.com/help/en/pai/user-guide/automatic-service-stress-testing.
"""

import base64
import binascii
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, model_validator

from emulator.services.eas.config.parsing import parse_document

CALLED = "stress test"
# The emulator starts no more of them for one task.
MOST_AGENTS = 4
LONGEST_S = 1200
DEFAULT_DURATION_S = 600
DEFAULT_MOST_QPS = 10_000


def _base64(value: str) -> str:
    try:
        base64.b64decode(value, validate=True)
    except binascii.Error:
        raise ValueError("a text in Base64 is needed") from None
    return value


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Base(Section):
    name: str = Field("", max_length=128, pattern=r"^[a-z0-9-]*$")
    duration: int | None = Field(None, ge=1, le=LONGEST_S)
    qps: float | None = Field(None, gt=0)
    concurrency: int | None = Field(None, ge=1, le=1000)
    agent_count: int | None = Field(None, alias="agentCount", ge=1, le=MOST_AGENTS)


class Target(Section):
    """`endpointType` is taken, and does not matter here: everything goes through the gateway."""

    service_name: str = Field(alias="serviceName")
    request_token: str = Field("", alias="requestToken")
    endpoint_type: Literal["default", "direct"] = Field("direct", alias="endpointType")


class Data(Section):
    content: Annotated[str, AfterValidator(_base64)] | None = None
    path: str | None = Field(None, pattern=r"^oss://[^/,]+/[^,]+(,oss://[^/,]+/[^,]+)*$")
    data_type: Literal["text", "binary"] = Field("binary", alias="dataType")
    multi_line: bool = Field(False, alias="multiLine")

    @model_validator(mode="after")
    def _one_source(self) -> "Data":
        if (self.content is None) == (self.path is None):
            raise ValueError("either content or path is needed")
        if self.path is not None and any(part.endswith(".zip") for part in self.path.split(",")):
            raise ValueError("the emulator reads no zip files")
        return self


class Http(Section):
    method: Literal["GET", "POST", "PUT"] = "POST"
    headers: list[Annotated[str, Field(pattern=r"^[\w-]+:[^\r\n]*$")]] = []
    timeout: int = Field(20_000, ge=1, le=600_000)


class Optional(Section):
    mode: Literal["auto", "scan", "manual"] = "auto"
    duration: int | None = Field(None, ge=1, le=LONGEST_S)
    agent_count: int | None = Field(None, alias="agentCount", ge=1, le=MOST_AGENTS)
    concurrency: int | None = Field(None, ge=1, le=1000)
    adjust_interval: int = Field(60, alias="adjustInterval", ge=1)
    least_qps: float = Field(100.0, alias="minQPS", gt=0)
    most_qps: float | None = Field(None, alias="maxQPS", gt=0)
    most_rt: float | None = Field(None, alias="maxRT", validation_alias=AliasChoices("maxRT", "maxRt"), gt=0)
    growth: float = Field(50.0, alias="qpsGrowthDelta", gt=0)
    tolerated: float = Field(0.001, alias="faultTolerate", ge=0, le=1)
    on_faults: Literal["stop", "revise"] = Field("revise", alias="faultAction")


class BenchmarkSettings(Section):
    base: Base = Base()
    service: Target
    data: Data
    http: Http = Http()
    optional: Optional = Optional()

    @property
    def duration_s(self) -> int:
        return self.optional.duration or self.base.duration or DEFAULT_DURATION_S

    @property
    def agents(self) -> int:
        """Only `manual` has a number of them; otherwise one is enough for what a machine serves."""
        return (self.optional.agent_count or self.base.agent_count or 1) if self.optional.mode == "manual" else 1

    @property
    def concurrency(self) -> int:
        return self.optional.concurrency or self.base.concurrency or 2

    @property
    def most_qps(self) -> float:
        return self.optional.most_qps or self.base.qps or DEFAULT_MOST_QPS


def parse_settings(document: dict[str, Any]) -> BenchmarkSettings:
    """ApiError for the first thing that is wrong, with where it stands."""
    return parse_document(BenchmarkSettings, document, CALLED)
